"""Tables [[sensor]] of a scenario: which series are at fault, how, and from when.

Amounts are text in any unit that measures what the series does; which that is, is known only when the catalog is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Protocol

from lifeline.catalog import Catalog
from lifeline.kinds import Between
from lifeline.measures import Seconds, Share, measure, time
from lifeline.model import Quality
from simulators import effects
from simulators.faults import Effect

# ruff: noqa: ARG002  the same call for every table

FOREVER: Final = 3660 * 86_400.0  # [s]


class Told(Protocol):
    """A table [[sensor]]."""

    @property
    def series(self) -> str:
        """Pattern of keys."""

    @property
    def at(self) -> float:
        """From the scenario's start on. [s]"""

    @property
    def lasts(self) -> float:
        """[s]"""


class Alone(Told, Protocol):
    """One that changes each series by itself."""

    def effect(self, value: "Reader", row: int, c: Catalog) -> Effect: ...


class Reader(Protocol):
    """Reads an amount in the units of one series."""

    @property
    def seed(self) -> int:
        """Of whatever is drawn for it."""

    def __call__(self, text: str, *, size: bool = False, per: str = "") -> float:
        """SI. size: a difference, not a point on a scale; per: a rate over that time, such as "month"."""


@dataclass(frozen=True)
class Drift:
    """Zero point that wanders off."""

    series: str  # pattern of keys, such as "laser-*/ch4"
    rate: str  # such as "0.15 %VOL/month"
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Drift(value(self.rate, per="month"))


@dataclass(frozen=True)
class Wander:
    """Zero point that walks at random."""

    series: str  # pattern of keys
    spread: str  # how far it has come after `over`, as a standard deviation: "0.1 %VOL"
    over: Annotated[float, time("1h")] = 30 * 86_400.0
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Wander(value(self.spread, size=True) / self.over**0.5, value.seed)


@dataclass(frozen=True)
class Stuck:
    """The same reading for ever: the first one, or that of `value`."""

    series: str  # pattern of keys
    value: str = ""  # such as "0.48 %VOL"
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Stuck(value(self.value) if self.value else None)


@dataclass(frozen=True)
class Dropout:
    """Readings that never arrive: all, or a share of them."""

    series: str  # pattern of keys
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end
    share: Share = 1.0  # of the readings, or of the time
    burst: Seconds = 0.0  # that a gap lasts; 0s: readings are lost one by one
    fade: Seconds = 0.0  # in which the share grows to that from nothing: a battery at its end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Dropout(self.share, self.burst, self.fade, value.seed)


@dataclass(frozen=True)
class Spike:
    """Readings off by `size`: all of them, or those of the first moment of every period."""

    series: str  # pattern of keys
    size: str  # such as "6 %VOL"
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end
    every: Seconds = 0.0  # period; 0s: one long spike
    width: Seconds = 0.0  # of the moment; 0s: a step of the series
    share: Share = 1.0  # of the moments, or of the readings, that are struck; which, is drawn

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        size, width = value(self.size, size=True), self.width or float(c.step[row])
        return effects.Spike(size, self.every, width, self.share, value.seed)


@dataclass(frozen=True)
class Jumps:
    """Away and back again, to either side by turns."""

    series: str  # pattern of keys
    size: str  # such as "30 mm"
    every: Annotated[float, time("1ms")]  # from jump to jump
    width: Annotated[float, time("1ms")]  # how long each lasts
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Jumps(value(self.size, size=True), self.every, self.width)


@dataclass(frozen=True)
class Noise:
    """A loose contact, a debonded gauge, a radio nearby: noise on top, or the series' own so many times as large."""

    series: str  # pattern of keys
    sigma: str = ""  # standard deviation of noise on top, such as "10 µε"
    factor: Annotated[float, Between(1, 100)] = 1.0  # of the series' own noise
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def __post_init__(self) -> None:
        if not self.sigma and self.factor == 1.0:
            raise ValueError("sigma: is missing; name sigma or factor")

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Noise(value(self.sigma, size=True) if self.sigma else 0.0, value.seed, self.factor)


@dataclass(frozen=True)
class Condensation:
    """Water on a sensor or in its box: erratic, then flat, and in the end the device itself doubts it (quality SUSPECT)."""

    series: str  # pattern of keys
    sigma: str  # standard deviation of the noise at first, such as "0.2 %VOL"
    value: str = ""  # what it reads when flat; left out: the first reading
    settles: Seconds = 1800.0  # until it is flat
    fails: Seconds = 7200.0  # until the device says so
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        flat = value(self.value) if self.value else None
        return effects.Condensation(value(self.sigma, size=True), flat, self.settles, self.fails, value.seed)


@dataclass(frozen=True)
class Step:
    """Another gain and another zero, as after bad maintenance."""

    series: str  # pattern of keys
    gain: Annotated[float, Between(-100, 100)] = 1.0  # factor on the reading
    offset: str = ""  # such as "0.2 %VOL"
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Step(self.gain, value(self.offset, size=True) if self.offset else 0.0)


@dataclass(frozen=True)
class Flip:
    """The sign the wrong way round."""

    series: str  # pattern of keys
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Flip()


@dataclass(frozen=True)
class Saturation:
    """Pegged at the end of the range, or at `value`."""

    series: str  # pattern of keys
    value: str = ""  # such as "20 %VOL"
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Saturation(value(self.value) if self.value else float(c.high[row]))


@dataclass(frozen=True)
class Clip:
    """Cut off above and below."""

    series: str  # pattern of keys
    low: str  # such as "-0.5 m/s²"
    high: str  # such as "0.5 m/s²"
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        low, high = value(self.low), value(self.high)
        if low > high:
            raise ValueError(f"low: {self.low} is above high, which is {self.high}")
        return effects.Clip(low, high)


@dataclass(frozen=True)
class Decay:
    """Sinks from its reading to another in a straight line, and stays there."""

    series: str  # pattern of keys
    to: str  # such as "0 mg/L"
    over: Annotated[float, time("1s")]  # how long it takes
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Decay(value(self.to), self.over)


@dataclass(frozen=True)
class Flag:
    """The device says that it is being maintained or calibrated, and reads what it is given."""

    series: str  # pattern of keys
    quality: Literal["MAINT", "CAL"]  # what it says
    value: str = ""  # of the calibration gas, such as "2.5 %VOL"; left out: what there is
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Flag(Quality[self.quality], value(self.value) if self.value else None)


@dataclass(frozen=True)
class Skew:
    """A clock that is off: 28800 s is local time of China sent as UTC."""

    series: str  # pattern of keys
    offset: Annotated[float, measure("s", -2e9, 2e9)]  # ahead is positive; 2e9 s are 63 years
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end
    ppm: Annotated[float, Between(-10_000, 10_000)] = 0.0  # that it gains, a crystal's being 20 to 50

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Skew(self.offset, self.ppm)


@dataclass(frozen=True)
class Swap:
    """Two series told under one another's name."""

    series: str  # key
    other: str  # key
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end


@dataclass(frozen=True)
class Cross:
    """A series that also answers to another quantity, as a pressure gauge does to temperature."""

    series: str  # pattern of keys
    other: str  # key of the other
    factor: float  # in the unit of the one for each unit of the other
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end


ALL: Final = (
    Drift, Wander, Stuck, Dropout, Spike, Jumps, Noise, Condensation, Step, Flip, Saturation, Clip, Decay, Flag, Skew,
    Swap, Cross,
)  # fmt: skip
KINDS: Final[Mapping[str, type]] = {cls.__name__.lower(): cls for cls in ALL}
