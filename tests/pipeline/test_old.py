"""Readings that were long under way: an old alarm is noted and not told as RED, and what is RED now is told."""

from dataclasses import replace

import numpy as np
import pytest

from detectors import rules
from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Change, Domain, Level, Mode, Rule
from pipeline.replay import Replay
from simulators.columns import columns, series
from simulators.plan import Site
from simulators.world import Turn

START = 1_795_420_800 * NS
MINUTE = 60 * NS
HOUR = 60 * MINUTE
RED = 0.08  # [1] of methane


def well(report: float = float("nan")) -> Catalog:
    site = Site("1", "A", 31.8, 117.2)
    return columns([series(Domain.GAS, "well-1", "laser-1", "ch4", "methane", "%VOL", (0.0, 20.0), 60.0, site, report=report)])


def only(*levels: str) -> list[Rule]:
    """The limit of methane with these levels only."""
    limit = next(r for r in rules() if r.id == "gas.methane.limit")
    used = np.array([x.name in levels for x in list(Level)[1:]])
    limits = limit.limits
    enter, leave = np.where(used, limits.enter, np.inf), np.where(used, limits.leave, np.inf)
    return [replace(limit, mode=Mode.ACTIVE, limits=replace(limits, enter=enter, leave=leave))]


def sent(values: list[float], first: int, at: int, *, one_by_one: bool) -> list[Turn]:
    """Readings a minute apart from `first` on, received at `at`."""
    t = first + MINUTE * np.arange(len(values), dtype=np.int64)
    x = np.array(values) + 1e-5 * np.arange(len(values))
    whole = Batch(np.zeros(t.size, np.int32), t, x, np.zeros(t.size, np.uint8))
    if one_by_one:
        return [Turn(at, whole.take(slice(i, i + 1)), []) for i in range(whole.n)]
    return [Turn(at, whole, [])]


def heard(catalog: Catalog, book: list[Rule], *turns: Turn) -> list[Change]:
    replay = Replay(catalog, book)
    return [c for turn in turns for c in replay.step(turn)]


@pytest.mark.parametrize("one_by_one", [False, True])
def test_an_old_alarm_is_told_as_orange_and_what_is_red_now_as_red(one_by_one: bool) -> None:  # noqa: FBT001  a parameter
    book = [r for r in rules() if r.id == "gas.methane.limit"]
    late = sent([RED] * 10, START, START + 3 * HOUR, one_by_one=one_by_one)
    now = sent([RED] * 3, START + 3 * HOUR, START + 3 * HOUR + 2 * MINUTE, one_by_one=one_by_one)
    told = heard(well(), book, *late, *now)
    assert [c.new for c in told] == ["BLUE", "YELLOW", "ORANGE", "RED"][-len(told) :]
    assert [c.new for c in told if c.t < START + HOUR][-1] == "ORANGE"
    assert (told[-1].new, told[-1].t) == ("RED", START + 3 * HOUR + MINUTE)


def test_an_hour_is_not_old() -> None:
    book = [r for r in rules() if r.id == "gas.methane.limit"]
    told = heard(well(), book, *sent([RED] * 10, START, START + HOUR, one_by_one=False))
    assert told[-1].new == "RED"


def test_a_device_that_rests_between_its_messages_is_late_only_beyond_that() -> None:
    book = [r for r in rules() if r.id == "gas.methane.limit"]
    day = sent([RED] * 10, START, START + 20 * HOUR, one_by_one=False)
    assert heard(well(24 * 3600.0), book, *day)[-1].new == "RED"
    assert heard(well(6 * 3600.0), book, *day)[-1].new == "ORANGE"


def test_a_red_that_stands_is_not_lowered_by_what_comes_late() -> None:
    book = [r for r in rules() if r.id == "gas.methane.limit"]
    fresh = sent([RED] * 3, START, START + 3 * MINUTE, one_by_one=False)
    late = sent([RED] * 30, START + 10 * MINUTE, START + 5 * HOUR, one_by_one=False)
    assert heard(well(), book, *fresh, *late)[-1].new == "RED"


def test_a_rule_that_knows_red_alone_says_it_late_too() -> None:
    late = sent([RED] * 10, START, START + 3 * HOUR, one_by_one=False)
    assert [c.new for c in heard(well(), only("RED"), *late)] == ["RED"]
    assert [c.new for c in heard(well(), only("BLUE", "RED"), *late)] == ["BLUE"]
