"""What a faulty sensor does to its readings. One class a fault, named as its truth is."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from scipy import signal

from lifeline.model import NS, Floats, Quality
from simulators.dice import chances, dice
from simulators.faults import Seen

# ruff: noqa: ARG002  the same call for every effect

NOISE, WALK, LOST, STRUCK, MIST = 6000, 6001, 6002, 6003, 6004  # streams
HOUR: Final = 3600.0  # [s] from one step of a random walk to the next
HOURS: Final = 3660 * 24  # of the longest walk
LEVEL: Final = 0.1  # [1] weight of a reading in the level that its noise is about: some twenty readings count


@dataclass(frozen=True)
class Drift:
    """Zero point that wanders off."""

    rate: float  # [SI/s]

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        return seen._replace(x=seen.x + self.rate * since)


@dataclass(frozen=True)
class Wander:
    """Zero point that walks at random: a Wiener process, in steps of an hour."""

    spread: float  # [SI/√s]
    seed: int = 0

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        walk = _walk(self.seed)
        return seen._replace(x=seen.x + self.spread * np.interp(since / HOUR, np.arange(walk.size), walk))


@lru_cache(maxsize=64)
def _walk(seed: int) -> Floats:
    """Hour by hour. [√s]"""
    steps = np.sqrt(HOUR) * dice(seed, WALK).standard_normal(HOURS)
    return np.asarray(np.concatenate([[0.0], np.cumsum(steps)]))


@dataclass(frozen=True)
class Stuck:
    """The first value, or one of its own, for ever."""

    value: float | None = None  # [SI]

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        return seen._replace(x=np.full_like(seen.x, held if self.value is None else self.value))


@dataclass(frozen=True)
class Dropout:
    """Readings that do not arrive: all, or a share of them, one by one or for a while at a time."""

    share: float = 1.0  # [1]
    burst: float = 0.0  # [s] that a gap lasts; 0: readings are lost one by one
    fade: float = 0.0  # [s] in which the share grows to that from nothing: a battery at its end
    seed: int = 0

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        number = np.floor(since / self.burst).astype(np.int64) if self.burst else seen.t
        share = self.share * (np.minimum(since / self.fade, 1.0) if self.fade else 1.0)
        return seen._replace(x=np.where(chances(self.seed, LOST, number) < share, np.nan, seen.x))


@dataclass(frozen=True)
class Spike:
    """Readings off by `size`: all of them, or those of the first moment of every period."""

    size: float  # [SI]
    every: float = 0.0  # [s] 0: all of them
    width: float = 0.0  # [s] of the moment
    share: float = 1.0  # [1] of them; which, is drawn
    seed: int = 0

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        struck = since % self.every < self.width if self.every else np.ones(since.shape, bool)
        if self.share < 1:
            number = np.floor(since / self.every).astype(np.int64) if self.every else seen.t
            struck &= chances(self.seed, STRUCK, number) < self.share
        return seen._replace(x=seen.x + self.size * struck)


@dataclass(frozen=True)
class Jumps:
    """Away and back again, to either side by turns: multipath of a satellite receiver."""

    size: float  # [SI]
    every: float  # [s]
    width: float  # [s] how long each jump lasts

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        sign = 1 - 2 * (since // self.every % 2)
        return seen._replace(x=seen.x + sign * self.size * (since % self.every < self.width))


@dataclass(frozen=True)
class Noise:
    """A loose contact: noise on top, or the readings' own noise so many times as large."""

    sigma: float = 0.0  # [SI] on top, drawn anew for every reading from its own instant
    seed: int = 0
    factor: float = 1.0  # [1] of the readings' distances from their own level, an exponential mean

    def step(self, level: float | None, seen: Seen, since: Floats) -> tuple[float, Seen]:
        """level: of the readings before. [SI]"""
        level = float(seen.x[0]) if level is None else level
        after, _ = signal.lfilter([LEVEL], [1.0, LEVEL - 1.0], seen.x, zi=[(1 - LEVEL) * level])
        before = np.concatenate([[level], after[:-1]])
        draw = dice(self.seed, NOISE, int(seen.t[0]) // 1000)
        told = before + self.factor * (seen.x - before) if self.factor != 1 else seen.x
        return float(after[-1]), seen._replace(x=told + self.sigma * draw.standard_normal(seen.x.shape))


@dataclass(frozen=True)
class Condensation:
    """Water on a sensor: erratic for a while, then flat, and in the end the device says itself that it is at fault."""

    sigma: float  # [SI] of the erratic time
    flat: float | None = None  # [SI] that it reads then; None: the first reading
    settles: float = 1800.0  # [s] until it is flat
    fails: float = 7200.0  # [s] until it says so
    seed: int = 0

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        draw = dice(self.seed, MIST, int(seen.t[0]) // 1000).standard_normal(since.size)
        x = np.where(since < self.settles, seen.x + self.sigma * draw, held if self.flat is None else self.flat)
        return Seen(seen.t, x, np.where(since < self.fails, seen.quality, np.uint8(Quality.SUSPECT)))


@dataclass(frozen=True)
class Step:
    """Another gain and another zero, as after bad maintenance."""

    gain: float = 1.0  # [1]
    offset: float = 0.0  # [SI]

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        return seen._replace(x=self.gain * seen.x + self.offset)


@dataclass(frozen=True)
class Flip:
    """The sign the wrong way round."""

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        return seen._replace(x=-seen.x)


@dataclass(frozen=True)
class Saturation:
    """Pegged at the end of the range."""

    at: float  # [SI]

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        return seen._replace(x=np.full_like(seen.x, self.at))


@dataclass(frozen=True)
class Clip:
    """Cut off above and below."""

    low: float  # [SI]
    high: float  # [SI]

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        return seen._replace(x=np.clip(seen.x, self.low, self.high))


@dataclass(frozen=True)
class Decay:
    """Sinks from its reading to another in a straight line, and stays there: a probe that runs out of reagent."""

    to: float  # [SI]
    over: float  # [s]

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        share = np.minimum(since / self.over, 1.0)
        return seen._replace(x=(1 - share) * seen.x + share * self.to)


@dataclass(frozen=True)
class Flag:
    """The device says itself that it is being maintained or calibrated; what it reads meanwhile may be anything."""

    quality: Quality
    value: float | None = None  # [SI] of the calibration

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        x = seen.x if self.value is None else np.full_like(seen.x, self.value)
        return Seen(seen.t, x, np.full_like(seen.quality, self.quality))


@dataclass(frozen=True)
class Skew:
    """A clock that is off; +28,800 s is Chinese local time sent as UTC."""

    offset: float  # [s]
    ppm: float = 0.0  # [1e-6] more with every second

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        return seen._replace(t=seen.t + np.round((self.offset + 1e-6 * self.ppm * since) * NS).astype(np.int64))
