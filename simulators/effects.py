"""What a faulty sensor does to its readings. One class a fault, named as its truth is."""

from dataclasses import dataclass

import numpy as np

from lifeline.model import NS, Floats, Quality
from simulators.dice import dice
from simulators.faults import Seen

# ruff: noqa: ARG002  the same call for every effect


@dataclass(frozen=True)
class Drift:
    """Zero point that wanders off."""

    rate: float  # [SI/s]

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        return seen._replace(x=seen.x + self.rate * since)


@dataclass(frozen=True)
class Stuck:
    """The first value, or one of its own, for ever."""

    value: float | None = None  # [SI]

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        return seen._replace(x=np.full_like(seen.x, held if self.value is None else self.value))


@dataclass(frozen=True)
class Dropout:
    """Nothing arrives."""

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        return Seen(seen.t[:0], seen.x[:0], seen.quality[:0])


@dataclass(frozen=True)
class Spike:
    """Readings off by `size`: all of them, or those of the first moment of every period."""

    size: float  # [SI]
    every: float = 0.0  # [s] 0: all of them
    width: float = 0.0  # [s] of the moment

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        struck = since % self.every < self.width if self.every else np.ones(since.shape, bool)
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
    """A loose contact: noise drawn anew for every reading from its own instant."""

    sigma: float  # [SI]
    seed: int = 0

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        draw = dice(self.seed, 6000, int(seen.t[0]) // 1000 if seen.t.size else 0)
        return seen._replace(x=seen.x + self.sigma * draw.standard_normal(seen.x.shape))


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
