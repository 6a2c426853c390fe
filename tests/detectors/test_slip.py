"""Ropes on their sheave: a plain loop, what must warn, and what encoders do that must not."""

import math
import statistics
from typing import Any, Final

import numpy as np
import pytest

from detectors.slip import EVEN, SLOW, SPANS, Slip
from lifeline.model import Floats
from simulators.scurve import curve, travel

NAN: Final = math.nan
CREEP: Final = 0.001
TEACH: Final = 12


def trip(height: float, rated: float, rng: np.random.Generator, noise: float = 0.002, creep: float = CREEP) -> Floats:
    """A trip second by second, five seconds of rest before and after: sheave, rope, mode. [3, k]"""
    way = curve(np.array([height]), np.array([rated]))
    t = np.arange(-5.0, float(way.duration[0]) + 6)
    v = travel(type(way)(*(np.full(t.size, float(a[0])) for a in way)), t)[1]
    both = np.stack([v * (1 + creep), v]) * (1 + noise * rng.standard_normal((2, t.size)))
    return np.vstack([np.round(both, 3), np.zeros(t.size)])


def day(n: int, seed: int = 1, **how: Any) -> list[Floats]:
    rng = np.random.default_rng(seed)
    return [trip(3.0 * rng.integers(3, 19), 1.75, rng, **how) for _ in range(n)]


def slides(one: Floats, by: float, seconds: int = 2) -> Floats:
    """The same trip, the sheave ahead by so much within the last seconds before it stops. by [m]"""
    bad, end = one.copy(), int(np.flatnonzero(one[0])[-1])
    bad[0, end - seconds : end] += by / seconds
    return bad


def scores(d: Slip, trips: list[Floats]) -> Floats:
    said: Floats = d.step(d.init(1), np.hstack(trips)[None])[1][0]
    return said


def keenness(gone: list[float], speed: list[float]) -> tuple[float, float]:
    """A slide in units of the speed, whole and without its greatest second."""
    root = math.sqrt(sum(v * v for v in speed) + SLOW**2)
    return abs(sum(gone)) / root, abs(sum(gone) - max(gone[::-1], key=abs)) / root


def plain(d: Slip, x: Floats) -> list[float]:  # noqa: C901  a plain loop
    """The oracle: one lift, second by second, the whole trip kept. x [3, k]"""
    going, ran, last, diffs, speeds = False, False, (0.0, 0.0), list[float](), list[float]()
    way, taught, late, said, out = 0.0, list[list[float]](), list[float](), 0.0, list[float]()
    usual, spread = [0.0], [0.0]
    for a, b, mode in x.T.tolist():
        if math.isnan(a) or math.isnan(b) or mode == 1:
            out.append(NAN)
            continue
        moves = a > 0 or b > 0
        if moves and not going:
            going, ran, diffs, speeds, way = True, False, [], [], 0.0
        if going:
            both = ((a, last[0], b), (b, last[1], a))
            old = any(v == w and (v > 0 or not ran) and (abs(a - b) > d.jump or u == 0) for v, w, u in both)
            diffs.append(0.0 if old else a - b)
            speeds.append(max(a, b))
            way += a
            ran = ran or (a > 0 and b > 0)
            windows = [[(diffs[max(i - n, 0) : i], speeds[max(i - n, 0) : i]) for i in range(1, len(diffs) + 1)] for n in SPANS]
            found = [[(abs(sum(g)), *keenness(g, v)) for g, v in w] for w in windows]
            keen = [max(k for _, k, _ in f) for f in found]
            if d.of == "slide":
                floor = [max(u, EVEN[d.of]) for u in usual]
                far = [f for e, u in zip(found, floor, strict=False) for f, k, r in e if k >= d.times * u and r >= d.less * u]
                said = max(far, default=0.0) / d.scale if len(taught) >= d.teach else 0.0
            if not moves:
                going = False
                event = keen if d.of == "slide" else [sum(diffs) / way]
                if d.of == "creep" and way < d.long:
                    pass
                elif len(taught) < d.teach:
                    taught.append(event)
                    if len(taught) == d.teach:
                        columns = list(zip(*taught, strict=True))
                        usual = [statistics.median(c) for c in columns]
                        off = [statistics.median(abs(v - u) for v in c) for c, u in zip(columns, usual, strict=True)]
                        spread = [max(1.4826 * o, EVEN[d.of]) for o in off]
                elif d.of == "creep":
                    late.append(event[0])
                    if len(late) >= d.window:
                        more = statistics.median(late[-d.window :]) - usual[0]
                        sure_of = d.sure * spread[0] * 1.2533 * math.sqrt(1 / d.window + 1 / d.teach)
                        said = max(more / d.scale, 0.0) if more >= sure_of else 0.0
        last = (a, b)
        out.append(said)
    return out


@pytest.mark.parametrize("d", [Slip(teach=TEACH), Slip(of="creep", teach=TEACH, window=4, scale=0.001, sure=1.0)])
def test_all_lifts_at_once_score_as_a_plain_loop_scores_each(d: Slip) -> None:
    rng, lifts = np.random.default_rng(3), []
    for i in range(5):
        trips = day(TEACH + 10, seed=i) + [slides(one, 0.01 * i * j) for j, one in enumerate(day(10, seed=9, creep=0.002 * i))]
        lifts.append(np.hstack(trips)[:, :900])
    x = np.stack(lifts)
    x[1][:2, rng.random(900) < 0.05] = NAN
    x[2][2, 300:400] = 1.0
    held = np.flatnonzero(rng.random(900) < 0.05)
    x[3][0, held] = x[3][0, held - 1]  # not told anew
    said = d.step(d.init(5), x)[1]
    np.testing.assert_allclose(said, [plain(d, lift) for lift in x], rtol=1e-9, atol=1e-9)
    assert np.nanmax(said) > 1


def test_sixty_millimetres_at_a_stop_are_red_before_the_car_has_stopped() -> None:
    bad = slides(trip(48.0, 1.75, np.random.default_rng(5)), 0.060)
    said = scores(Slip(), [*day(60), bad])
    assert said[: -bad.shape[1]].max() == 0
    assert said.max() >= 2  # 50 mm
    moved = np.flatnonzero(bad[0])[-1]
    assert np.argmax(said >= 2) <= said.size - bad.shape[1] + moved


def test_ropes_that_run_on_over_a_sheave_that_is_held_are_found_too() -> None:
    bad = trip(48.0, 1.75, np.random.default_rng(5))
    at = int(np.flatnonzero(bad[0] > 1.5)[0]) + 5
    bad[0, at:] = 0.0  # the brake falls in
    bad[1, at:] = np.maximum(1.5 - 0.5 * np.arange(bad.shape[1] - at), 0.0)
    assert scores(Slip(), [*day(60), bad]).max() * 0.025 > 1.0  # [m]


def test_a_speed_that_is_not_told_for_a_second_is_no_slide() -> None:
    rng, trips = np.random.default_rng(7), day(60)
    for one in day(40, seed=8):
        row, at = rng.integers(0, 2), int(rng.integers(6, one.shape[1] - 1))
        one[row, at] = one[row, at - 1]  # what was told last stands
        trips.append(one)
    assert scores(Slip(), trips).max() < 0.2  # 5 mm


@pytest.mark.parametrize("stand", [3, 20])
def test_a_stop_that_one_encoder_does_not_tell_is_no_slide(stand: int) -> None:
    last = trip(48.0, 1.75, np.random.default_rng(5))
    end = int(np.flatnonzero(last[0])[-1])
    last = np.hstack([last[:, : end + 1], np.zeros((3, stand)), np.zeros((3, 5))])
    last[0, end + 1 : end + 1 + stand] = last[0, end]
    assert scores(Slip(), [*day(60), last]).max() == 0


def test_encoders_that_are_read_half_a_second_apart_raise_nothing() -> None:
    rng, trips = np.random.default_rng(4), []
    for one in day(120):
        late = np.hstack([one[:, :1], one])[1, :-1]
        trips.append(
            np.vstack([one[0], np.round((one[1] + late) / 2 * (1 + 0.002 * rng.standard_normal(late.size)), 3), one[2]])
        )
    for of in ("slide", "creep"):
        assert scores(Slip(of=of, scale=0.025 if of == "slide" else 0.001), trips).max() < 1


def test_ropes_that_creep_ever_more_are_told_by_how_much_more_it_is() -> None:
    d = Slip(of="creep", scale=0.001)
    assert scores(d, day(300)).max() == 0
    assert 1.8 < scores(d, [*day(100), *day(60, seed=2, creep=CREEP + 0.002)])[-1] < 2.2


def test_an_encoder_whose_wheel_is_not_as_big_as_was_thought_is_no_creep() -> None:
    assert scores(Slip(of="creep", scale=0.001), day(200, creep=0.012)).max() == 0


def test_maintenance_is_not_judged_and_teaches_nothing() -> None:
    bad = slides(trip(48.0, 1.75, np.random.default_rng(5)), 0.3)
    bad[2] = 1.0
    said = scores(Slip(), [*day(60), bad])
    assert np.isnan(said[-bad.shape[1] :]).all()
    assert said[: -bad.shape[1]].max() == 0
