"""What an area uses and what it loses, hour by hour: flow = loss + gain * pattern of the week. The model behind leakage.py."""

from typing import Final, NamedTuple

import numpy as np

from lifeline.model import Bools, Floats

DAY: Final = 24  # [h]
WEEK: Final = 7 * DAY  # [h]
WEEKS: Final = 4  # kept
DAYS: Final = 28  # kept
RARELY: Final = 0.02  # [1] of the hours: a flow that stands still in more, and in less than all but these, is switched
STILL: Final = 0.05  # [1] of its greatest: a flow below stands still
FREE: Final = 0.25  # [1] spread of a day's use about that of the day before: nearly free
LEAST: Final = 0.1  # [1] of the mean: an hour's use is taken as at least so much when hours are weighed
OWN: Final = 0.5  # [1] of the least hour's flow that is taken for leakage at first: what night flows are usually made of
FINE: Final = 1e-4  # [1] of an hour: least spread of its use, finer than any meter; a flow that never changes has none
OF_MEDIAN: Final = np.pi / 2  # [1] variance of a median over that of a mean
NIGHT: Final = 0.25  # [1] of the hours of a day: those of least use
SWAY: Final = 0.05  # [1] by which a day's use may fall at night as well
COARSE: Final = 0.02  # [1] of its mean: least spread of a day's use out of storage


class Look(NamedTuple):
    """One day against the pattern."""

    gain: float  # [1]
    lost: float  # [m³/s]
    sd: float  # [m³/s]
    least: float  # [m³/s] flow of the pattern's least hour
    own: float  # [m³/s] loss that is in the pattern itself


def switching(past: Floats) -> Bools:
    """Which series stand still for a part of the time. past [n, h] -> [n]"""
    there = np.isfinite(past)
    top = np.abs(np.where(there, past, 0.0)).max(axis=1, keepdims=True)
    still = (there & (np.abs(past) < STILL * top)).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    back = (there & (past < -STILL * top)).any(axis=1)  # what flows both ways stands still in passing
    return np.asarray((still > RARELY) & (still < 1 - RARELY) & ~back)


def steady(past: Floats, zone: Bools, switched: Bools) -> Floats:
    """What flows into the first zone, hour by hour: the sum, less what is switched. [h] [m³/s]"""
    total: Floats = past[zone].sum(axis=0)
    for x in past[switched]:
        total = total - sign(total, x) * x
    return total


def sign(total: Floats, x: Floats) -> float:
    """1 where a switched flow takes its water from the sum, -1 where it adds its own, 0 where it has nothing to do with it."""
    both = np.isfinite(total) & np.isfinite(x)
    hours = np.flatnonzero(both)
    if hours.size < DAY:
        return 0.0
    step = np.diff(x[both])
    turned = np.abs(step) > 0.5 * np.ptp(x[both])
    if not turned.any():
        return 0.0
    slope = float((np.diff(total[both])[turned] * step[turned]).sum() / (step[turned] ** 2).sum())
    return float(np.clip(np.round(slope), -1, 1))


def stored(past: Floats, switched: Bools, level: Bools) -> Floats | None:
    """What is used of what is pumped into storage, by the change of its levels. [h] [m³/s]"""
    if not switched.any() or not level.any():
        return None
    pumped = past[switched].sum(axis=0)
    between = 0.5 * (pumped + np.r_[np.nan, pumped[:-1]])
    rise = np.diff(past[level], axis=1, prepend=np.nan)  # [l, h] of each hour's mean
    there = np.isfinite(between) & np.isfinite(rise).all(axis=0)
    if there.sum() < WEEK:
        return None
    return np.asarray(between - areas(between, rise, there) @ rise)


def areas(pumped: Floats, rise: Floats, there: Bools) -> Floats:
    """Of tanks [l] [m² an hour], by least squares over the differences between an hour and that of the week before, or the day.

    What is drawn repeats with the week and falls out; pumps do not, and levels answer them. pumped [h], rise [l, h]
    """
    for lag in (WEEK, DAY):
        both = there[lag:] & there[:-lag]
        if both.sum() >= WEEK:
            more, higher = (pumped[lag:] - pumped[:-lag])[both], (rise[:, lag:] - rise[:, :-lag])[:, both]
            return np.asarray(np.linalg.lstsq(higher.T, more, rcond=None)[0])
    return np.zeros(len(rise))


def drawn(use: Floats, gain: Floats, lost: Floats, now: float, seen: int) -> Look | None:
    """The last 24 hours of what is drawn from storage, in the mean: its hours are too unsure for more. now: gain of the area"""
    weeks = [w for w in range(1, WEEKS + 1) if w * WEEK + DAY <= min(seen, use.size)]
    means = np.array([mean(use[use.size - DAY - w * WEEK : use.size - w * WEEK]) for w in [0, *weeks]])
    of = [DAYS - 7 * w for w in weeks]
    then = (means[1:] - np.where(np.isfinite(lost[of]), lost[of], 0.0)) / np.where(np.isfinite(gain[of]), gain[of], 1.0)
    if not np.isfinite(means[0]) or not np.isfinite(then).any():
        return None
    usual_ = float(np.nanmedian(then))
    return Look(now, float(means[0] - now * usual_), COARSE * usual_, usual_, 0.0)


def mean(hours: Floats) -> float:
    """NaN where a quarter of them are missing."""
    there = np.isfinite(hours)
    return float(hours[there].mean()) if 4 * there.sum() >= 3 * hours.size else float("nan")


def looked(use: Floats, gain: Floats, lost: Floats, seen: int, usual: float = np.nan) -> Look | None:
    """The last 24 hours against the pattern of the weeks before. use [h]; usual: loss [m³/s], NaN: not known"""
    own = OWN * weekly(use, gain, lost)
    if not np.isfinite(own):
        return None
    pattern, times = patterned(use, gain, lost, min(seen, use.size), own)
    y = use[-DAY:]
    there = np.isfinite(y) & np.isfinite(pattern)
    if there.sum() < 3 * DAY // 4:
        return None
    y, p, m = y[there], pattern[there], times[there]
    if p.min() <= 0:
        return None
    w = 1 / np.maximum(p, LEAST * p.mean()) ** 2
    a = np.column_stack([np.ones(y.size), p])
    before = gain[-1] if np.isfinite(gain[-1]) else 1.0
    noise = variance(y, a, w)
    free = np.array([[0.0, 0.0], [0.0, noise / FREE**2]])
    normal = a.T @ (a * w[:, None])
    normal[1, 1] -= blurred(normal, float((w * p**2 * noise * OF_MEDIAN / m).sum()))
    normal += free
    c = np.linalg.solve(normal, a.T @ (w * y) + free @ [0.0, before])
    sd = float(np.sqrt(noise * np.linalg.inv(normal)[0, 0] * (1 + 1 / m.mean())))
    said, more, most = float(c[0] + own * (c[1] - 1)), float(c[1]), float(np.fmax(at_night(y, p, own, gain), usual))
    if said > most:
        said, part = most, p - own
        more = float((w * part) @ (y - own - said) / ((w * part) @ part))
    return Look(more, said, sd, float(p.min()), own)


def at_night(y: Floats, p: Floats, own: float, gain: Floats) -> float:
    """Most that can be lost beyond the usual: what the least hours have more than use of late. y, p [h] -> [m³/s]

    A leak adds at every hour. On a holiday the day's use falls and the night's does not: no fit may take that for a loss.
    """
    late = gain[-7:][np.isfinite(gain[-7:])]
    least = max(float(np.median(late)) - SWAY, 0.0) if late.size else 1.0 - SWAY
    night = p <= np.quantile(p, NIGHT)
    return float((y - own - least * (p - own))[night].mean())


def blurred(normal: Floats, noise: float) -> float:
    """What of the pattern's own variation is its noise: a pattern that is flat but for noise tells nothing of the gain (W. A.
    Fuller, Measurement Error Models, 1987, 2.2). noise: of the pattern, weighed and summed as in `normal` [2, 2]
    """
    varies = float(normal[1, 1] - normal[0, 1] ** 2 / normal[0, 0])
    return float(np.clip(noise, 0.0, max(varies, 0.0)))


def variance(y: Floats, a: Floats, w: Floats) -> float:
    """Relative variance of an hour about the fit: of this day, so that a day of another shape speaks softly. [1]"""
    normal = a.T @ (a * w[:, None])
    c = np.linalg.lstsq(normal, a.T @ (w * y), rcond=None)[0]
    return max(float((w * (y - a @ c) ** 2).sum() / max(y.size - 2, 1)), FINE**2)


def patterned(use: Floats, gain: Floats, lost: Floats, seen: int, own: float) -> tuple[Floats, Floats]:
    """The pattern at the last 24 hours, and of how many weeks it is the median. own: loss in it [24] [m³/s], [24]"""
    weeks = [w for w in range(1, WEEKS + 1) if w * WEEK + DAY <= seen]
    hours = np.array([use[use.size - DAY - w * WEEK : use.size - w * WEEK] for w in weeks])
    of = [DAYS - 7 * w for w in weeks]
    free = hours - np.where(np.isfinite(lost[of]), lost[of], 0.0)[:, None]
    return middle((free - own) / grown(gain[of])[:, None] + own), np.maximum(np.isfinite(free).sum(axis=0), 1).astype(
        np.float64
    )


def weekly(use: Floats, gain: Floats, lost: Floats) -> float:
    """Flow of the least hour of the week, each hour the median of its weeks: leaks do not know what day it is. [m³/s]"""
    days = use[-DAY * (DAYS + 1) : -DAY].reshape(DAYS, DAY)
    free = (days - np.where(np.isfinite(lost), lost, 0.0)[:, None]) / grown(gain)[:, None]
    week = middle(free.reshape(WEEKS, WEEK))
    return float(np.min(week, where=np.isfinite(week), initial=np.inf))


def grown(gain: Floats) -> Floats:
    """Gain of days, 1 where it is not known."""
    return np.where(np.isfinite(gain) & (gain > 0), gain, 1.0)


def middle(hours: Floats) -> Floats:
    """The median of weeks [w, 24] -> [24]; NaN where none has the hour."""
    out, some = np.full(hours.shape[1], np.nan), np.isfinite(hours).any(axis=0)
    out[some] = np.nanmedian(hours[:, some], axis=0)
    return out
