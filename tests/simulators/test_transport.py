"""Networks that lose, repeat, delay and mix up messages."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Block, Domain
from simulators import transport
from simulators.columns import columns, series
from simulators.plan import Site
from simulators.transport import Duplicate, Loss, Outage, Reorder, Skew, Store, Swap, carried
from simulators.world import Turn, batch

START = 1_795_420_800 * NS
SITE = Site("a-001", "A", 0.0, 0.0)
N = 200  # [s]


def plant() -> Catalog:
    """Two devices of two channels each, and one with a waveform."""
    rows = [
        series(Domain.GAS, f"well-{d}", f"box-{d}", channel, "methane", "%VOL", (0.0, 20.0), 1.0, SITE)
        for d in ("a", "b")
        for channel in ("ch4", "second")
    ]
    return columns([*rows, series(Domain.BRIDGE, "bridge", "accel", "z", "acceleration", "m/s²", (-20.0, 20.0), 0.02, SITE)])


CATALOG = plant()


def told() -> list[Turn]:
    """Every series each second; the value is the second."""
    out = []
    for i in range(1, N + 1):
        t = START + i * NS
        wave = Block(
            np.array([4], np.int32),
            np.array([t - 49 * 20_000_000]),
            20_000_000,
            np.full((1, 50), float(i)),
            np.zeros((1, 50), np.uint8),
        )
        out.append(Turn(t, batch([0, 1, 2, 3], t, np.full(4, float(i))), [wave]))
    return out


def through(*faults: Any, seed: int = 1) -> list[Turn]:
    return list(carried(iter(told()), faults, CATALOG, START, seed))


def arrived(turns: Sequence[Turn]) -> dict[str, list[tuple[int, int]]]:
    """Key -> (second of arrival, second of the sensor) of each message."""
    out: dict[str, list[tuple[int, int]]] = {str(k): [] for k in CATALOG.key}
    for turn in turns:
        b = Batch.joined([turn.batch, *(Batch(k.row, k.t + 49 * k.step, k.value[:, 0], k.quality[:, 0]) for k in turn.blocks)])
        for row, t in zip(b.row.tolist(), b.t.tolist(), strict=True):
            out[str(CATALOG.key[row])].append(((turn.at - START) // NS, (t - START) // NS))
    return out


@pytest.mark.parametrize(
    "fault",
    [Loss("*", 0.3), Duplicate("*", 0.3), Reorder("*", 20.0), Store("*", 60.0), Outage("*", 50.0, 20.0), Loss("box-*", 1.0)],
)
def test_turns_arrive_in_order_the_same_each_time(fault: Any) -> None:
    one, two = through(fault), through(fault)
    at = [t.at for t in one]
    assert at == sorted(set(at))
    assert arrived(one) == arrived(two)
    assert all(isinstance(b, Block) for t in one for b in t.blocks)


def test_lost_messages_are_lost_whole_and_as_many_as_said() -> None:
    got = arrived(through(Loss("box-*", 0.3)))
    assert got["box-a/ch4"] == got["box-a/second"] != got["box-b/ch4"]
    for device in ("a", "b"):
        assert len(got[f"box-{device}/ch4"]) / N == pytest.approx(0.7, abs=0.1)  # three spreads of a binomial
    assert len(got["accel/z"]) == N


def test_messages_can_be_lost_for_minutes_at_a_time() -> None:
    got = arrived(through(Loss("box-*", 0.5, burst=20.0), seed=3))
    for device in ("a", "b"):
        there = np.zeros(N + 1, bool)
        there[[t for _, t in got[f"box-{device}/ch4"]]] = True
        changed = np.flatnonzero(np.diff(there[1:].astype(int))) + 2
        assert changed.size
        assert {(START // NS + int(t)) % 20 for t in changed} == {0}
    assert got["box-a/ch4"] != got["box-b/ch4"]


def test_repeated_messages_come_once_more_after_their_time() -> None:
    got = arrived(through(Duplicate("box-a", 0.5, after=7.0)))["box-a/ch4"]
    again = [(at, t) for at, t in got if at != t]
    assert len(got) - N == len(again)
    assert len(again) / N == pytest.approx(0.5, abs=0.11)
    assert {at - t for at, t in again} == {7}
    assert arrived(through(Duplicate("box-a", 0.5)))["box-b/ch4"] == [(i, i) for i in range(1, N + 1)]


def test_reordered_messages_all_arrive_none_later_than_said() -> None:
    got = arrived(through(Reorder("*", 20.0)))
    for messages in got.values():
        assert sorted(t for _, t in messages) == list(range(1, N + 1))
        late = np.array([at - t for at, t in messages])
        assert (late.min(), late.max()) == (0, 20)
        assert (np.diff([t for _, t in messages]) < 0).any()


def test_a_store_sends_all_of_a_period_at_once_and_an_outage_all_of_it_at_its_end() -> None:
    stored = arrived(through(Store("box-a", 60.0, at=30.0, lasts=100.0)))["box-a/ch4"]
    assert stored == [
        (at, t) for t in range(1, N + 1) for at in [t if t < 30 or t >= 130 else 30 if t == 30 else 90 if t <= 90 else 130]
    ]
    out = arrived(through(Outage("accel", 50.0, 20.0)))["accel/z"]
    assert [m for m in out if m[0] != m[1]] == [(70, t) for t in range(20, 70)]


def test_a_clock_that_is_off_changes_the_instants_only() -> None:
    got = arrived(through(Skew("box-a", 28_800.0, at=100.0)))
    assert got["box-a/second"] == [(t, t + 28_800 * (t >= 100)) for t in range(1, N + 1)]
    assert got["box-b/second"] == [(t, t) for t in range(1, N + 1)]
    drifting = through(Skew("accel", 0.0, ppm=1000.0))
    assert drifting[-1].blocks[0].t[0] - told()[-1].blocks[0].t[0] == pytest.approx(1e-3 * N * NS, rel=0.01)


def test_exchanged_devices_speak_under_one_anothers_name() -> None:
    turns = through(Swap("box-a", "box-b", at=100.0))
    assert turns[50].batch.row.tolist() == [0, 1, 2, 3]
    assert turns[150].batch.row.tolist() == [2, 3, 0, 1]


def test_what_the_network_does_is_true_of_the_devices_and_no_hazard() -> None:
    (true,) = transport.truth([Outage("box-a", 50.0, 20.0)], CATALOG, START)
    assert (true.asset, true.hazard, true.sensor_fault) == ("well-a", None, "outage")
    assert (true.onset, true.end) == (START + 20 * NS, START + 70 * NS)


@pytest.mark.parametrize(
    ("fault", "said"), [(Loss("bx-*", 0.1), "no device fits 'bx-\\*'"), (Swap("box-a", "accel"), "no channel in common")]
)
def test_a_fault_that_fits_nothing_is_refused(fault: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        through(fault)
