"""Channels of an asset side by side, against a plain loop over readings and slots."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pipeline.grid
from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Floats
from pipeline.grid import ALLOWANCE, Grid, grid
from tests import town

CHANNELS = tuple(town.LIFT)[:3]
Reading = tuple[int, int, float]  # row, t [ns], value
LIFTS = [x for x in town.lines() if ",elevator," in x]


@pytest.fixture(scope="module")
def lifts(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Three lifts; the second has no door_zone."""
    return town.catalog(tmp_path_factory.mktemp("lifts"), [x for x in LIFTS if not x.startswith("car-1/door_zone")])


def batch(readings: list[Reading]) -> Batch:
    row, t, value = zip(*readings, strict=True) if readings else ((), (), ())
    return Batch(np.array(row, np.int32), np.array(t, np.int64), np.array(value, float), np.zeros(len(readings), np.uint8))


def one_by_one(made: Grid, turns: list[list[Reading]], clocks: list[int]) -> dict[int, Floats]:
    """The oracle: end of slot -> [a, c]: what was said last of each channel before that end, if it still holds."""
    slots: dict[int, Floats] = {}
    closed, heard = 0, list[Reading]()
    for turn, clock in zip(turns, clocks, strict=True):
        heard += turn
        until = (clock - ALLOWANCE) // NS * NS
        closed = closed or until
        for end in range(closed + NS, until + 1, NS):
            x = np.full(made.rows.shape, np.nan)
            for a, c in np.argwhere(made.rows >= 0).tolist():
                mine = [(t, v) for row, t, v in heard if row == made.rows[a, c] and t <= end]
                if mine:
                    t, v = max(mine, key=lambda said: said[0])
                    x[a, c] = v if end - t <= made.hold[a, c] else np.nan
            slots[end] = x
        closed = max(closed, until)
    return slots


readings = st.lists(st.tuples(st.integers(0, 19), st.integers(1, 1500), st.sampled_from([0.0, 1.0, float("nan")])), max_size=15)
steps = st.lists(st.tuples(readings, st.integers(0, 400)), min_size=1, max_size=8)


@pytest.fixture(params=[1 << 19, 18])
def cells(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All assets in one piece, or each by itself and two slots at a time."""
    monkeypatch.setattr(pipeline.grid, "CELLS", request.param)
    monkeypatch.setattr(pipeline.grid, "TICKS", 2)


@pytest.mark.usefixtures("cells")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_a_slot_shows_what_stands(lifts: Catalog, drawn: list[tuple[list[Reading], int]]) -> None:
    made = grid(lifts, "elevator", CHANNELS)
    base, seen = 1000 * NS, set[tuple[int, int]]()
    turns, clocks, clock = list[list[Reading]](), list[int](), base
    for said, ahead in drawn:
        fresh = [(row, base + t * NS // 10, v) for row, t, v in said]
        turns.append([x for x in dict.fromkeys(fresh) if x[:2] not in seen])
        turns[-1] = list({x[:2]: x for x in turns[-1]}.values())  # nobody says two things at once
        seen |= {x[:2] for x in turns[-1]}
        clock += ahead * NS // 10
        clocks.append(clock)
    wanted = one_by_one(made, turns, clocks)
    found: dict[int, Floats] = {}
    for turn, at in zip(turns, clocks, strict=True):
        made.add(batch(turn))
        ends, x = made.close(at)
        found |= {end: x[:, :, j] for j, end in enumerate(ends.tolist())}
    assert found.keys() == wanted.keys()
    for end, x in wanted.items():
        np.testing.assert_array_equal(found[end], x)


def test_memory_in_the_middle_of_a_slot_is_taken_over(lifts: Catalog) -> None:
    one, other = grid(lifts, "elevator", CHANNELS), grid(lifts, "elevator", CHANNELS)
    one.close(100 * NS)
    one.add(batch([(0, 100 * NS, 1.0), (0, 103 * NS, 0.0), (8, 101 * NS, 1.0)]))
    one.close(102 * NS)
    other.remember(one.memory(), np.arange(len(one.assets)))
    (ends, x), (ends2, y) = one.close(110 * NS), other.close(110 * NS)
    np.testing.assert_array_equal(ends, ends2)
    np.testing.assert_array_equal(x, y)
    assert x[0, 0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


def test_an_asset_without_a_channel_has_a_place_for_it_and_nothing_in_it(lifts: Catalog) -> None:
    made = grid(lifts, "elevator", CHANNELS)
    assert made.assets == ["lift-0", "lift-1", "lift-2"]
    assert made.rows[1].tolist()[1] == -1
    assert (made.rows >= 0).sum() == 8


def test_after_a_long_jump_of_the_clock_only_an_hour_of_slots_is_judged(lifts: Catalog) -> None:
    made = grid(lifts, "elevator", CHANNELS)
    made.close(100 * NS)
    ends, _ = made.close(100_000 * NS)
    assert ends.size == 3600
    assert ends[-1] == 99_999 * NS


@pytest.mark.usefixtures("cells")
def test_pieces_come_asset_by_asset_and_slot_by_slot(lifts: Catalog) -> None:
    made = grid(lifts, "elevator", CHANNELS)
    made.close(100 * NS)
    made.add(batch([(0, 103 * NS, 1.0)]))
    ends, pieces = made.pieces(106 * NS)
    found = [(p.assets.start, p.first, p.x.shape) for p in pieces]
    assert ends.size == 6
    assert [f[:2] for f in found] == sorted(f[:2] for f in found)
    assert sum(a * k for _, _, (a, _, k) in found) == 3 * 6
