"""The witness detector against a plain loop, and what it makes of probes that fail and of water that is foul."""

from dataclasses import replace
from math import isfinite
from statistics import median
from typing import Literal

import numpy as np
import pytest

from detectors.witness import Witness, default
from lifeline.model import NS, Floats, Members

STEP = 300  # [s]
TOLD = ("chlorine", "turbidity", "ph", "conductivity")
USUAL = np.array([0.7e-3, 0.15, 7.6, 0.035])
NOISE = np.array([0.02e-3, 0.02, 0.03, 0.4e-3])
FALL = 300  # slot
N = 288 * 3


def members(stations: int) -> Members:
    n = 4 * stations
    station = np.array([f"station-{i // 4}" for i in range(n)], object)
    quantity = np.array(TOLD * stations, object)
    flat, none = np.ones(n), np.full(n, np.nan)
    top = np.tile([5e-3, 100.0, 14.0, 0.5], stations)
    return Members(
        station + "/" + quantity, quantity, station, station, flat, flat, none, 0 * flat, top, STEP * flat,
        quantity == "chlorine", float(STEP),
    )  # fmt: skip


def water(seed: int, stations: int = 3) -> Floats:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(4 * stations, N))
    return np.maximum(np.tile(USUAL, stations)[:, None] + np.tile(NOISE, stations)[:, None] * noise, 0.0)


def run(x: Floats, asks: Literal["borne", "alone"] = "borne") -> Floats:
    d = replace(default, asks=asks).settled(members(x.shape[0] // 4))
    assert d is not None
    return d.step(d.init(x.shape[0]), x, STEP * NS * np.arange(1, x.shape[1] + 1))[1]


def falls(x: Floats, i: int, at: int, slots: int = 24, to: float = 0.0) -> None:
    """Chlorine of station i sinks to a share of itself and stays there."""
    x[4 * i, at:] *= 1 - (1 - to) * np.clip(np.arange(x.shape[1] - at) / slots, 0, 1)


def most(score: Floats, i: int) -> float:
    return float(np.nanmax(score[4 * i]))


def middle(values: list[float]) -> float:
    known = [v for v in values if isfinite(v)]
    return median(known) if known else float("nan")


class Plain:
    """Series by series, slot by slot, as the docstring says it."""

    def __init__(self, d: Witness, x: Floats, t: list[int]) -> None:
        self.d, self.x, self.t = d, x.tolist(), t
        self.mid = [[middle(row[max(0, j - 4) : j + 1]) for j in range(len(t))] for row in self.x]
        self.kept = [[float("nan")] * 96 for _ in self.x]
        self.since: dict[int, int] = {}
        self.bare: dict[int, int] = {}
        self.borne: set[int] = set()

    def score(self, v: float) -> float:
        return max((v - self.d.origin) / self.d.scale, 0.0)

    def moves(self, m: int, j: int) -> bool | None:
        """None: it is not known."""
        number = sum(map(isfinite, self.kept[m]))
        if number < 16 or sum(map(isfinite, self.x[m][max(0, j - 4) : j + 1])) < 3:
            return None
        usual = middle(self.kept[m])
        spread = max(1.4826 * middle([abs(v - usual) for v in self.kept[m]]), self.d.grain[m])
        far = self.d.strange * (1 + 16 / number) ** 0.5 * spread
        return any(abs(v - usual) > far for v in [*self.kept[m][-8:], self.mid[m][j]])

    def true(self, i: int, j: int, *, begins: bool) -> bool:
        d, t = self.d, self.t[j]
        near = [o for o in self.since if o != i and abs(self.since[o] - self.since[i]) <= d.together * NS]
        if near or t - self.bare[i] > d.patience * NS:
            return True
        if t - self.since[i] > d.watch * NS:
            return False
        here = [m for m in range(len(self.x)) if not d.judged[m] and d.place[m] == d.place[i]]
        told = [self.moves(m, j) for m in here]
        if any(told) or not begins:
            return any(told)
        fit = [o for o in range(len(self.x)) if d.judged[o] and o not in self.since and isfinite(self.mid[o][j])]
        fell = any(0.5 * v >= d.origin + d.scale for v in self.kept[i][-48:])
        return told.count(False) < 2 or not fit or not fell

    def slot(self, j: int) -> Floats:
        """Scores of slot j. [n]"""
        out = np.full(len(self.x), np.nan)
        for _ in range(self.t[j] // (900 * NS) - self.t[j - 1] // (900 * NS) if j else 0):
            self.kept = [[*kept[1:], mid[j - 1]] for kept, mid in zip(self.kept, self.mid, strict=True)]
        there = [i for i, row in enumerate(self.x) if self.d.judged[i] and isfinite(row[j])]
        begun = {i for i in there if i not in self.since and self.score(self.x[i][j]) >= 1}
        for i in there:
            if i in self.since and max(self.score(self.x[i][j]), self.score(self.mid[i][j])) < 0.8:
                del self.since[i]
                self.borne.discard(i)
            if i in begun:
                self.since[i] = self.bare[i] = self.t[j]
            if (self.x[i][j] - self.d.nothing) / self.d.scale >= 0:
                self.bare[i] = self.t[j]
        for i in there:
            if i in self.since and i not in self.borne and self.true(i, j, begins=i in begun):
                self.borne.add(i)
        for i in there:
            alone = i in self.since and i not in self.borne
            out[i] = self.score(self.x[i][j]) if alone == (self.d.asks == "alone") else 0.0
        return out


@pytest.mark.parametrize("asks", ["borne", "alone"])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_plain_loop(asks: Literal["borne", "alone"], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = water(seed)
    for i in range(3):
        at = int(rng.integers(40, 700))
        falls(x, i, at, int(rng.integers(1, 60)), float(rng.choice([0.0, 0.1])))
        x[4 * i, min(at + int(rng.integers(20, 200)), N - 1) :] = 0.7e-3
    x[5, 400:420] += 3.0
    x[rng.random(x.shape) < 0.05] = np.nan
    d = replace(default, asks=asks).settled(members(3))
    assert d is not None
    t = STEP * NS * np.arange(1, N + 1)
    oracle = Plain(d, x, t.tolist())
    np.testing.assert_array_equal(d.step(d.init(12), x, t)[1], np.column_stack([oracle.slot(j) for j in range(N)]))


def test_a_probe_out_of_reagent_is_a_ticket_and_no_hazard() -> None:
    x = water(1)
    falls(x, 1, FALL)
    assert most(run(x), 1) < 1
    assert most(run(x, "alone"), 1) > 1.4


@pytest.mark.parametrize("row", [5, 6, 7])
def test_anything_else_that_moves_there_makes_it_a_hazard(row: int) -> None:
    x = water(2)
    falls(x, 1, FALL)
    x[row, FALL + 10 : FALL + 40] += 8 * NOISE[row - 4]
    assert most(run(x), 1) > 1.4


def test_a_loss_that_reaches_a_neighbour_hours_later_is_a_hazard_at_both() -> None:
    x = water(3)
    falls(x, 0, FALL, 6)
    falls(x, 2, FALL + 120, 6)
    score = run(x)
    assert most(score[:, : FALL + 100], 0) < 1
    assert min(most(score, 0), most(score, 2)) > 1.4


def test_two_probes_that_run_dry_on_different_days_are_two_tickets() -> None:
    x = water(4)
    falls(x, 0, FALL - 100)
    falls(x, 2, FALL + 250)
    assert max(most(run(x), i) for i in (0, 2)) < 1
    assert min(most(run(x, "alone"), i) for i in (0, 2)) > 1.4


def test_a_station_alone_in_its_district_is_judged_by_the_limit() -> None:
    x = water(5, stations=1)
    falls(x, 0, FALL)
    assert most(run(x), 0) > 1.4
    assert most(run(x, "alone"), 0) == 0


def test_a_probe_whose_neighbours_parameters_are_silent_is_judged_by_the_limit() -> None:
    x = water(6)
    falls(x, 1, FALL)
    x[5:7, FALL:] = np.nan
    assert most(run(x), 1) > 1.4


def test_chlorine_that_sinks_for_days_is_a_hazard() -> None:
    x = water(7)
    falls(x, 1, 20, 700)
    assert most(run(x), 1) > 1.2


def test_chlorine_that_is_low_but_not_nothing_is_a_hazard_after_two_hours() -> None:
    x = water(8)
    falls(x, 1, FALL, 24, 0.1)  # 0.07 mg/L
    score = run(x)
    assert most(score[:, : FALL + 24 + 20], 1) < 1
    assert most(score, 1) > 1


def test_what_was_a_hazard_stays_one_until_it_is_over() -> None:
    x = water(9)
    falls(x, 1, FALL)
    x[5, FALL : FALL + 30] += 1.0
    score = run(x)
    assert (score[4, FALL + 60 :] >= 1).all()


def test_probes_out_of_reagent_are_seldom_called_hazards() -> None:
    """None of 60 in white noise; docs/detectors/witness.md counts more."""
    wrong = 0
    for seed in range(20):
        for i in range(3):
            x = water(100 + seed)
            falls(x, i, FALL + 10 * seed)
            wrong += most(run(x), i) >= 1
    assert wrong == 0
