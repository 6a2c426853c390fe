"""Leakage: losses are told apart from use, by the day.

Against a plain fit of one day, and in areas in which it is known what happens.
"""

import math
from typing import Any

import numpy as np
import pytest

from detectors.leakage import Leakage, LeakageState
from detectors.usage import DAYS, FREE, LEAST, OWN, looked, sign, stored, switching
from lifeline.model import Floats
from tests.areas import area, hours


def plain(use: list[float], gain: float, weeks: int) -> tuple[float, float]:
    """Loss and gain of the last 24 hours, hour by hour and by Cramer's rule; nothing is known of the weeks before."""
    n = len(use)
    pattern = [float(np.median([use[n - 24 - 168 * w + h] for w in range(1, weeks + 1)])) for h in range(24)]
    y, mean = use[-24:], sum(pattern) / 24
    w = [1 / max(p, LEAST * mean) ** 2 for p in pattern]

    def solved(extra: float, before: float, blur: float) -> tuple[float, float]:
        s, sp, spp = (
            sum(w),
            sum(a * p for a, p in zip(w, pattern, strict=True)),
            sum(a * p * p for a, p in zip(w, pattern, strict=True)),
        )
        sy = sum(a * b for a, b in zip(w, y, strict=True))
        spy = sum(a * p * b for a, p, b in zip(w, pattern, y, strict=True))
        spp, spy = spp - min(blur, spp - sp * sp / s) + extra, spy + extra * before
        det = s * spp - sp * sp
        return (sy * spp - sp * spy) / det, (s * spy - sp * sy) / det

    l, g = solved(0.0, 0.0, 0.0)
    noise = sum(a * (b - l - g * p) ** 2 for a, b, p in zip(w, y, pattern, strict=True)) / 22
    blur = sum(a * p * p for a, p in zip(w, pattern, strict=True)) * noise * math.pi / 2 / weeks
    l, g = solved(noise / FREE**2, gain, blur)
    week = [float(np.median([use[n - 24 - 168 * w + h] for w in range(1, weeks + 1)])) for h in range(168)]
    return l + OWN * min(week) * (g - 1), g


@pytest.mark.parametrize("seed", range(4))
def test_a_day_is_fitted_as_a_plain_loop_fits_it(seed: int) -> None:
    use = area(29, seed)
    use[-24:] += 5 / 3600
    none = np.full(DAYS, np.nan)
    found = looked(use, none, none, use.size)
    assert found is not None
    lost, gain = plain(use.tolist(), 1.0, 4)
    assert found.lost == pytest.approx(lost, rel=1e-9)
    assert found.gain == pytest.approx(gain, rel=1e-9)


def told(x: Floats, flows: tuple[bool, ...] = (True,)) -> tuple[LeakageState, Floats]:
    """State after, and the greatest score of each day that the rule's hold of two looks lets through; x [n, h]."""
    d = Leakage(flows=flows)
    s, score = d.step(d.init(x.shape[0]), x, hours(x.shape[1]))
    looks = np.flatnonzero(np.isfinite(score).any(axis=0))
    most = np.fmax.reduce(score[:, looks], axis=0)
    held = np.full(x.shape[1] // 24, np.nan)
    np.fmax.at(held, looks[1:] // 24, np.fmin(most[1:], most[:-1]))
    return s, held


def leaking(days: int, seed: int, begin: int, size: Floats | float) -> Floats:
    """An area with a hole from a day on. size [m³/h] -> [1, h]"""
    x = area(days, seed)
    x[24 * begin :] += np.broadcast_to(size, x[24 * begin :].shape) / 3600
    return x[None]


@pytest.mark.parametrize("seed", range(5))
def test_a_leak_of_a_tenth_of_the_mean_is_known_within_a_day_and_a_half(seed: int) -> None:
    found = told(leaking(60, seed, 40, 10.0))[1]
    assert not (found[:40] >= 1).any()
    assert (found[40:42] >= 1).any()


def test_a_leak_that_grows_slowly_is_known_in_time() -> None:
    grows = np.minimum(np.arange(24 * 60) / (24 * 50), 1.0) ** 2 * 15.0
    found = told(leaking(100, 3, 40, grows))[1]
    first = int(np.flatnonzero(found[40:] >= 1)[0])
    assert not (found[:40] >= 1).any()
    assert grows[24 * first] < 5.0


def test_people_who_use_more_are_no_leak() -> None:
    for seed in range(5):
        x = area(70, seed, loss=15.0)
        x[24 * 40 : 24 * 45] = (x[24 * 40 : 24 * 45] - 15 / 3600) * 1.15 + 15 / 3600  # a heat wave
        x[24 * 50 : 24 * 52] = (np.roll(x[24 * 50 : 24 * 52], 1) - 15 / 3600) * 0.95 + 15 / 3600  # a holiday: an hour later
        assert not (told(x[None])[1] >= 1).any(), seed


def works(days: int, seed: int, rest: tuple[int, ...] = (5, 6)) -> Floats:
    """A works that stands still on two days of the week, and at night: [1, h] [m³/s]"""
    rng, hour = np.random.default_rng(seed), np.arange(24 * days)
    busy = (hour % 24 > 6) & (hour % 24 < 18) & ~np.isin(hour // 24 % 7, rest)
    return (30 + 60 * busy)[None] * rng.normal(1.0, 0.05, (1, 24 * days)) / 3600


def test_days_that_are_flat_but_for_noise_and_a_holiday_of_a_works_are_no_leak() -> None:
    for seed in range(3):
        x = works(80, seed)
        x[:, 24 * 45 : 24 * 46] = works(1, seed + 10, rest=(0,))  # a holiday in the week
        assert not (told(x)[1] >= 1).any(), seed
        x[:, 24 * 60 :] += 9 / 3600
        assert (told(x)[1][60:66] >= 1).any(), seed


def test_what_is_lost_from_the_beginning_does_not_know_the_day_of_the_week() -> None:
    rng, hour = np.random.default_rng(1), np.arange(24 * 40)
    night = np.where(hour // 24 % 7 >= 5, 60.0, 40.0)  # on two days more is used at night
    x = (night + 50 * (hour % 24 > 5)) * rng.normal(1.0, 0.02, hour.size) / 3600
    d, own = Leakage(flows=(True,)), []
    s = d.init(1)
    for day in range(40):
        s, _ = d.step(s, x[None, 24 * day : 24 * day + 24], hours(24 * day + 24)[-24:])
        own.append(s.memory(0).own * 3600)
    np.testing.assert_allclose(own[20:], OWN * 40, rtol=0.1)


def test_after_a_repair_another_leak_is_known_again() -> None:
    x = area(90, 2)
    x[24 * 40 : 24 * 50] += 20 / 3600
    x[24 * 60 :] += 10 / 3600
    found = told(x[None])[1]
    assert (found[40:42] >= 1).any()
    assert not (found[46:60] >= 1).any()
    assert (found[60:62] >= 1).any()


def test_a_second_leak_is_known_while_the_first_runs() -> None:
    x = area(70, 4)
    x[24 * 40 :] += 20 / 3600
    x[24 * 50 :] += 12 / 3600
    found = told(x[None])[1]
    assert not (found[45:50] >= 1).any()
    assert (found[50:52] >= 1).any()


def test_the_score_grows_with_the_leak() -> None:
    small, large = (told(leaking(45, 1, 40, size))[1][42] for size in (15.0, 45.0))
    assert 1 <= small < large
    least = 0.33 * 100 + 15
    assert large == pytest.approx(45.0 / (0.1 * least), rel=0.15)


def test_what_is_lost_is_estimated() -> None:
    d = Leakage(flows=(True,))
    s, _ = told(leaking(60, 6, 40, 20.0))
    own = OWN * (0.33 * 100 + 15)
    assert d.total(s) * 3600 == pytest.approx(own + 20.0, rel=0.15)


def test_what_is_still_lost_is_said_until_it_is_repaired() -> None:
    x = area(90, 8)
    x[24 * 40 : 24 * 70] += 25 / 3600
    d = Leakage(flows=(True,), asks="standing")
    _, score = d.step(d.init(1), x[None], hours(x.size))
    daily = np.fmax.reduce(score[0].reshape(-1, 24), axis=1)
    assert not (daily[:40] >= 1).any()
    assert (daily[43:70] >= 1).all()
    assert not (daily[73:] >= 1).any()


def tanked(days: int, seed: int, lost: float, begin: int) -> Floats:
    """An area, a part of which lies behind a tank that a pump fills: inlet, pump, level. [3, h]

    From a day on that part loses some. lost [m³/h]
    """
    behind = area(days, seed + 100, mean=30.0, loss=3.0)
    behind[24 * begin :] += lost / 3600
    level, on, pump, stands = 3.0, False, [], []
    for use in behind.tolist():
        on = level < 2.5 or (on and level < 3.5)
        pump.append(45 / 3600 if on else 0.0)
        level += 3600 * (pump[-1] - use) / 100.0
        stands.append(level)
    mean = np.convolve(np.r_[stands[0], stands], [0.5, 0.5], "valid")  # of each hour
    return np.array([area(days, seed) + pump, pump, mean])


def test_a_leak_behind_a_pumped_tank_is_known_by_pump_and_level() -> None:
    x = tanked(70, 1, 8.0, 45)
    found = told(x, (True, True, False))[1]
    assert not (found[:45] >= 1).any()
    assert (found[45:52] >= 1).any()


def test_the_pump_does_not_blur_a_leak_before_it() -> None:
    x = tanked(60, 2, 0.0, 0)
    x[0, 24 * 40 :] += 10 / 3600
    found = told(x, (True, True, False))[1]
    assert not (found[:40] >= 1).any()
    assert (found[40:42] >= 1).any()


def test_a_pump_is_known_by_standing_still_and_what_flows_both_ways_is_none() -> None:
    x = tanked(20, 1, 0.0, 0)
    both = np.sin(np.arange(480) / 4)
    assert switching(np.vstack([x[:2], both])).tolist() == [False, True, False]
    assert sign(x[0], x[1]) == 1.0
    assert sign(x[0] - 2 * x[1], x[1]) == -1.0


def test_the_area_of_a_tank_is_found_by_how_its_level_moves() -> None:
    x = tanked(28, 3, 0.0, 0)
    use = stored(x, np.array([False, True, False]), np.array([False, False, True]))
    assert use is not None
    behind = area(28, 103, mean=30.0, loss=3.0)
    assert np.nanmean(use) == pytest.approx(behind.mean(), rel=0.01)


def test_a_leak_in_an_area_that_lives_by_one_pump_and_its_tank_is_known() -> None:
    x = tanked(80, 4, 6.0, 60)[1:]
    found = told(x, (True, False))[1]
    assert not (found[:60] >= 1).any()
    assert (found[60:70] >= 1).any()


def test_a_meter_that_was_silent_for_a_month_is_learned_anew() -> None:
    x = area(100, 6)
    x[24 * 30 : 24 * 65] = np.nan
    found = told(x[None])[1]
    assert np.isnan(found[32:65]).all()
    assert np.isfinite(found[80:]).all()
    assert not (found >= 1).any()


def test_a_meter_that_is_silent_for_hours_costs_no_alarm_and_no_memory() -> None:
    x = leaking(60, 5, 45, 12.0)
    x[0, 24 * 30 : 24 * 30 + 15] = np.nan
    found = told(x)[1]
    assert not (found[:45] >= 1).any()
    assert (found[45:47] >= 1).any()


@pytest.mark.parametrize("flow", [12.0, 12.0 / 3600, 1e-9])
def test_a_flow_that_never_changes_loses_nothing(flow: float) -> None:
    x = np.full((1, 60 * 24), flow)
    assert np.nanmax(told(x)[1]) < 1
    x[:, 40 * 24 :] *= 1.2
    assert np.isfinite(told(x)[1][40:]).all()


def test_a_flow_that_is_on_and_off_by_the_clock_is_judged_without_fail() -> None:
    hour = np.arange(60 * 24)
    for x in (np.where(hour % 24 < 12, 20.0, 0.0), np.where(hour // 24 % 7 < 5, 20.0, 0.0), np.where(hour < 900, 0.0, 5.0)):
        assert np.nanmax(np.nan_to_num(told(x[None])[1][:37])) < 1


@pytest.mark.parametrize("flows", [(True,), (True, True)])
def test_a_memory_of_the_version_before_goes_on(flows: tuple[bool, ...]) -> None:
    x = np.array([area(12, i) for i in range(len(flows))])
    d = Leakage(flows=flows)
    s, _ = d.step(d.init(len(flows)), x, hours(x.shape[1]))
    two = [np.concatenate([a, np.full_like(a, 0)])[:2] for a in (s.gain, s.lost, s.clean, s.zones[:, :-2], s.now)]
    names = ("gain", "lost", "clean", "zones", "now")
    was: dict[str, Any] = {
        "last": s.when[:1],
        "seen": s.when[1:],
        "past": s.past,
        "due": s.due,
        **dict(zip(names, two, strict=True)),
    }
    again = LeakageState(**d.recast(was))
    for one, other in zip(again, s, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.asarray(one).dtype == np.asarray(other).dtype
    assert LeakageState(**d.recast(s._asdict())) is not None
    assert d.total(again) == d.total(s)
