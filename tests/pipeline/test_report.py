"""Devices that rest between their messages: an hourly record, an hourly batch. The pause is neither silence nor a gap."""

from collections.abc import Iterator

import numpy as np
import pytest

import detectors
from lifeline.model import NS, Batch, Block, Change, Domain, Quality
from pipeline.replay import Replay
from simulators.columns import columns, series
from simulators.plan import Site
from simulators.world import Turn

START = 1_795_420_800 * NS
HOUR = 3600
HERE = Site("1", "here", 24.0, 102.0)


def records(hours: list[int], sway: float) -> Iterator[Turn]:
    """One minute of a swaying deck at the end of each of these hours. sway [m/s²]"""
    x = np.full((1, 60 * 50), sway) * np.where(np.arange(3000) % 2, 1.0, -1.0)
    for h in hours:
        t = START + h * HOUR * NS - 60 * NS + NS // 50
        yield Turn(
            START + h * HOUR * NS,
            Batch.empty(),
            [Block(np.zeros(1, np.int32), np.array([t]), NS // 50, x, np.full(x.shape, Quality.GOOD, np.uint8))],
        )


def told(hours: list[int], report: float, sway: float = 0.01) -> list[Change]:
    span = (-20.0, 20.0)
    row = series(Domain.BRIDGE, "b", "a", "z", "acceleration", "m/s²", span, 0.02, HERE, report=report)
    still = series(Domain.BRIDGE, "b", "w", "wind", "wind_speed", "m/s", span, 600.0, HERE)
    replay = Replay(columns([row, still]), detectors.rules())
    out: list[Change] = []
    marks = dict(zip(hours, records(hours, sway), strict=True))
    for k in range(1, 6 * (hours[-1] + 8)):  # the wind meter moves the clock
        t = START + k * 600 * NS
        if k % 6 == 0 and k // 6 in marks:
            out += replay.step(marks[k // 6])
        wind = Batch(np.ones(1, np.int32), np.array([t]), np.array([2.0 + k % 7]), np.zeros(1, np.uint8))
        out += replay.step(Turn(t, wind, []))
    return [c for c in out if c.key == "a/z"]


def test_a_device_that_reports_each_hour_is_silent_after_three_of_them_and_not_before() -> None:
    (change,) = [c for c in told([1, 2, 3], HOUR) if c.new == "BLUE"]
    assert change.hazard == "silence"
    assert (change.t - START) / NS == pytest.approx(6 * HOUR, abs=600)
    assert any(c.hazard == "silence" and c.t < START + 2 * HOUR * NS for c in told([1, 2, 3], float("nan")))


def test_its_records_are_judged_as_one_stream() -> None:
    """Ten records of a minute fill the ten-minute window of the vibration rule."""
    hours = list(range(1, 13))
    assert any(c.hazard == "bridge_vibration" for c in told(hours, HOUR, sway=0.4))
    assert not any(c.hazard == "bridge_vibration" for c in told(hours, float("nan"), sway=0.4))
