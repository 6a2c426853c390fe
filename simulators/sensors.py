"""Tables [[sensor]] of a scenario: which series are at fault, how, and from when.

Amounts are text in any unit that measures what the series does; which that is, is known only when the catalog is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Annotated, Any, Final, Literal, Protocol

from lifeline.catalog import Catalog
from lifeline.kinds import Between
from lifeline.measures import Seconds, measure, time, unit_of
from lifeline.model import NS, Quality
from lifeline.units import UNITS
from simulators import effects
from simulators.faults import Crossed, Effect, Fault, SensorFault, Swapped

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
    """Nothing arrives."""

    series: str  # pattern of keys
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Dropout()


@dataclass(frozen=True)
class Spike:
    """Readings off by `size`: all of them, or those of the first moment of every period."""

    series: str  # pattern of keys
    size: str  # such as "6 %VOL"
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end
    every: Seconds = 0.0  # period; 0s: one long spike
    width: Seconds = 0.0  # of the moment; 0s: a step of the series

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Spike(value(self.size, size=True), self.every, self.width or float(c.step[row]))


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
    """A loose contact, a debonded gauge: noise on top."""

    series: str  # pattern of keys
    sigma: str  # standard deviation, such as "10 µε"
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def effect(self, value: Reader, row: int, c: Catalog) -> Effect:
        return effects.Noise(value(self.sigma, size=True), row)


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


ALL: Final = (Drift, Stuck, Dropout, Spike, Jumps, Noise, Step, Flip, Saturation, Clip, Decay, Flag, Skew, Swap, Cross)
KINDS: Final[Mapping[str, type]] = {cls.__name__.lower(): cls for cls in ALL}


def placed(said: Any, c: Catalog, start: int) -> list[Fault]:
    """The sensors that a table means; ValueError where it does not fit the catalog. start [ns]"""
    onset, end = start + round(said.at * NS), start + round((said.at + said.lasts) * NS)
    if isinstance(said, Swap):
        return [_swapped(said, c, onset, end)]
    make: Callable[[int], Fault] = partial(_crossed if isinstance(said, Cross) else _alone, said, c, onset, end)
    return [make(row) for row in matching(said.series, c)]


def matching(pattern: str, c: Catalog) -> list[int]:
    """Rows whose key fits a pattern; ValueError where there are none."""
    rows = [i for i, key in enumerate(c.key) if fnmatchcase(str(key), pattern)]
    if not rows:
        some = ", ".join(map(str, c.key[:5]))
        raise ValueError(f"series: no series fits {pattern!r}; there are {c.n}, such as {some}")
    return rows


def _alone(said: Alone, c: Catalog, onset: int, end: int, row: int) -> SensorFault:
    effect = said.effect(_reader(c, row), row, c)
    return SensorFault(row, str(c.asset[row]), onset, end, effect)


def _crossed(said: Cross, c: Catalog, onset: int, end: int, row: int) -> Crossed:
    (other,) = _alike(said.other, c, row)
    factor = said.factor * float(c.scale[row] / c.scale[other])
    return Crossed(row, other, str(c.asset[row]), onset, end, factor)


def _swapped(said: Swap, c: Catalog, onset: int, end: int) -> Swapped:
    (row,) = _one(said.series, c)
    (other,) = _alike(said.other, c, row)
    return Swapped(row, other, (str(c.asset[row]), str(c.asset[other])), onset, end)


def _alike(key: str, c: Catalog, row: int) -> list[int]:
    """Another series of the same domain: worlds do not see one another's readings."""
    (other,) = _one(key, c)
    if other == row:
        raise ValueError(f"other: {key} is the series itself")
    if c.domain[other] != c.domain[row]:
        raise ValueError(f"other: {key} is of {c.domain[other]}, {c.key[row]} of {c.domain[row]}: they must be of one domain")
    return [other]


def _one(key: str, c: Catalog) -> list[int]:
    if key not in c.row:
        raise ValueError(f"there is no series {key!r}; a key, not a pattern, is needed here")
    return [c.row[key]]


def _reader(c: Catalog, row: int) -> Reader:
    unit = str(c.unit[row])

    def read(text: str, *, size: bool = False, per: str = "") -> float:
        said = measure(f"{unit}/{per}" if per else unit).read
        zero = UNITS[unit_of(text)].offset if size and unit_of(text) in UNITS else 0.0
        try:
            return said(text) - zero
        except ValueError as why:
            raise ValueError(f"{c.key[row]}: {why}") from why

    return read
