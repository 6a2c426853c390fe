"""The types that flow: columns of readings, rules, changes of level.

Arrays: the first axis is the series, the last is time. Instants are int64 nanoseconds UTC, at the sensor. Values are SI.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, Final, Literal, Protocol, Self, TypeGuard

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = NDArray[np.int32]
Codes = NDArray[np.uint8]
Bools = NDArray[np.bool_]

NS: Final = 1_000_000_000  # [ns] in a second


class Level(IntEnum):
    """How grave. Ordered; travels by its name, never as a number (in law 一级 is the worst, in bridge practice the mildest)."""

    NORMAL = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4


class Domain(StrEnum):
    GAS = "gas"
    WATER = "water"
    BRIDGE = "bridge"
    ELEVATOR = "elevator"
    OTHER = "other"  # a plant of none of these: its quantities are judged by the generic rules


class Quality(IntEnum):
    """What is known of a reading. The value itself is never changed."""

    GOOD = 0
    SUSPECT = 1  # the device itself doubts it
    BAD_RANGE = 2  # outside what the sensor can measure
    BAD_STUCK = 3  # the same value for too long
    BAD_SPIKE = 4  # a jump that no physics allows, not confirmed by the next sample
    SATURATED = 5  # at the end of the range: the truth is at least this
    CAL = 6  # calibration in progress
    MAINT = 7  # maintenance in progress
    STALE = 8  # older than its own staleness limit
    CLOCK = 9  # the device's clock is off; its time is not to be trusted


JUDGED: Final = (Quality.GOOD, Quality.SATURATED, Quality.CLOCK)  # pegged: at least so much; a wrong clock hides no hazard


@dataclass(frozen=True, slots=True)
class Members:
    """What is known of the series that a panel judges together, in the order of its rows."""

    key: NDArray[np.object_]  # [n]
    quantity: NDArray[np.object_]  # [n]
    device: NDArray[np.object_]  # [n]
    asset: NDArray[np.object_]  # [n]
    lat: Floats  # [n] [°] WGS-84
    lon: Floats  # [n] [°] WGS-84
    rated: Floats  # [n] [SI] NaN: none
    low: Floats  # [n] [SI] bottom of the sensor's range
    high: Floats  # [n] [SI] top of it
    step: Floats  # [n] [s]
    judged: Bools  # [n] whether it may be given a score; the others only help
    slot: float  # [s]
    map: Path | None = None  # file of the pipes or the network of its asset, district or domain
    asset_type: NDArray[np.object_] | None = None  # [n] "": not told; None: of none
    report: Floats | None = None  # [n] [s] for which devices keep what they measured; NaN: for no time; None: none does

    def prompt(self, most: float) -> Bools:
        """Whose devices keep nothing for longer than that. most [s]; [n]"""
        return np.ones(self.n, np.bool_) if self.report is None else ~(self.report > most)

    @property
    def n(self) -> int:
        return len(self.key)


class Kind(StrEnum):
    """Whom a rule speaks to: people on call (hazard), or the owner of the device (ticket)."""

    HAZARD = "hazard"
    TICKET = "ticket"


class Mode(StrEnum):
    ACTIVE = "active"
    PASSIVE = "passive"  # judged and counted, not sent


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings as columns: one message or a hundred thousand."""

    row: Rows  # [n] catalog row
    t: Ints  # [n] [ns] UTC at the sensor
    value: Floats  # [n] [SI]
    quality: Codes  # [n] Quality

    @classmethod
    def empty(cls) -> Self:
        return cls(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8))

    @property
    def n(self) -> int:
        return len(self.row)

    def take(self, which: Ints | Bools | slice) -> "Batch":
        """The readings at an index, a mask or a slice."""
        return Batch(self.row[which], self.t[which], self.value[which], self.quality[which])

    @staticmethod
    def joined(parts: "list[Batch]") -> "Batch":
        """One batch of many, in their order."""
        if not parts:
            return Batch.empty()
        return Batch(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("row", "t", "value", "quality")))


@dataclass(frozen=True, slots=True)
class Block:
    """Waveforms of equal length and step, one row each."""

    row: Rows  # [m] catalog row
    t: Ints  # [m] [ns] UTC of the first sample
    step: int  # [ns] between samples
    value: Floats  # [m, k] [SI]
    quality: Codes  # [m, k] Quality

    def flat(self) -> Batch:
        """The same readings as columns, series by series."""
        k = self.value.shape[1]
        t = (self.t[:, None] + self.step * np.arange(k)).ravel()
        return Batch(np.repeat(self.row, k).astype(np.int32), t, self.value.ravel(), self.quality.ravel())


class Detector(Protocol):
    """A pair of pure functions over a state of arrays. One series alone scores the same as among others.

    judges: what x holds: the readings, or (for silence) the age of the last one in steps of its series.
    channels: a joint detector judges several quantities of one asset together and names them here, in the order of x's second
        axis: its x is [m, c, k], on a grid of one slot a second. Empty for a detector of single series.
    warmup: samples that only teach; no score is finite before. [1]
    """

    @property
    def judges(self) -> Literal["value", "age"]: ...

    @property
    def channels(self) -> tuple[str, ...]: ...

    @property
    def warmup(self) -> int: ...

    def init(self, n: int) -> Any:
        """State of n series that have seen nothing: a NamedTuple of arrays, series first."""

    @property
    def step(self) -> Callable[..., tuple[Any, Floats]]:
        """(s, x [m, k]) (joint: [m, c, k]) -> new state, score [m, k] [1]: 1 at the limit, NaN where it cannot judge."""


class Timed(Detector, Protocol):
    """A detector of single series that must know when: of the hour, the week, the gap before a sample.

    The engine gives it NaN for a few missing samples, and after a longer gap nothing: it must look at t itself, and is not sent
    back to `init`.
    """

    timed: Literal[True]

    @property
    def step(self) -> Callable[[Any, Floats, Ints], tuple[Any, Floats]]:
        """(s, x [m, k], t [m, k] [ns] UTC, rising) -> new state, score [m, k] [1]."""


class Panel(Detector, Protocol):
    """A detector of several series together, on slots: all of some quantities within an asset, a district or a domain.

    over: quantities that are judged; empty: the quantity of its rule, which may be "other" or "*".
    beside: quantities that only help.
    slot: its length [s]; 0: the usual step of those judged.
    A state is arrays of any shape. What comes in is the mean of each series over the slot; of a state the last that stands; of
    a series slower than the slot the last value, for a step and a half; else NaN. Slots are left out only after a long silence
    of all. It may have `locate(s, i)`: where the cause of member i's score lies, likeliest first; and `awaited` [n]: for whose
    messages its slots wait, where these are not all that are judged.
    """

    panel: Literal[True]

    @property
    def over(self) -> tuple[str, ...]: ...

    @property
    def beside(self) -> tuple[str, ...]: ...

    @property
    def within(self) -> Literal["asset", "district", "domain"]: ...

    @property
    def slot(self) -> float: ...

    def settled(self, m: Members) -> Self | None:
        """The detector for these very series; None: it cannot judge them."""

    @property
    def step(self) -> Callable[[Any, Floats, Ints], tuple[Any, Floats]]:
        """(s, x [n, k], ends of the slots t [k] [ns] UTC) -> new state, score [n, k] [1]."""


def is_timed(d: Detector) -> TypeGuard[Timed]:
    return getattr(d, "timed", False)


def is_panel(d: Detector) -> TypeGuard[Panel]:
    return getattr(d, "panel", False)


class Place(msgspec.Struct, frozen=True):
    """Where a cause may lie."""

    name: str  # of a pipe, a segment, a node, in the words of the map
    share: float  # [1] of belief, among all that are named
    lat: float | None = None  # [°] WGS-84
    lon: float | None = None  # [°] WGS-84


@dataclass(frozen=True)
class Limits:
    """Scores at which each level is entered and left, in the order BLUE, YELLOW, ORANGE, RED; +inf: level not used."""

    enter: Floats  # [4] [1] ascending
    leave: Floats  # [4] [1] leave <= enter
    hold: Ints  # [4] [1] samples in a row at or above `enter` before the level is taken


@dataclass(frozen=True)
class Rule:
    """One limit as data: what is judged, by which detector, at which bounds, on whose authority."""

    id: str  # "gas.methane.limit"
    domain: Domain | None  # None: every domain
    quantity: str  # the series judged; "*": every quantity; "other": each that no hazard rule of its domain names; for a joint
    # detector the first of its channels
    hazard: str  # "gas_accumulation"; cases are kept by (asset, hazard)
    kind: Kind
    mode: Mode
    detector: Detector
    raw: bool  # judges readings of any quality (rules about the device itself)
    relative: bool  # x is the reading divided by the series' rated value
    held: bool  # applies to event-like series too, whose last value stands until the next event
    limits: Limits
    hard: Level | None  # from this level on a lone sensor suffices; None: never
    bounds: dict[str, float]  # level name -> bound in `unit`, as people know it
    unit: str
    source: str  # standard, paper or measurement behind the bounds
    confidence: str  # V verified, X excerpt, H M L memory, C computed, D design default
    known: Mode | None = None  # a generic rule: its mode for quantities of the nomenclature in a city's own domains; None: it
    # does not judge them
    asset_types: tuple[str, ...] = ()  # judges only series of assets of these types; empty: of every type
    except_asset_types: tuple[str, ...] = ()  # and none of these


class Evidence(msgspec.Struct, frozen=True):
    """What the warning rests on: the last samples of the series and the bounds they crossed."""

    t: list[int]  # [ns] UTC
    value: list[float | None]  # [unit]
    unit: str
    bounds: dict[str, float]  # level name -> bound; in `bounds_unit`
    bounds_unit: str
    note: str = ""
    places: list[Place] = []  # where the cause may lie, likeliest first
    leak: float | None = None  # [1] probability that gas comes from a main and does not ferment; None: not asked


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One series went from one level to another under one rule. Carries all that the desk needs to know of it."""

    id: str
    t: int  # [ns] UTC, sensor clock, of the reading that made it
    city: str
    district: str
    domain: Domain
    asset: str
    device: str
    key: str
    quantity: str
    rule: str
    hazard: str
    kind: Kind
    mode: Mode
    hard: bool  # a lone sensor suffices for `new`
    old: str  # Level name
    new: str  # Level name
    score: float | None
    lat: float
    lon: float
    owner: str
    evidence: Evidence


def change_id(rule: str, key: str, t: int, new: Level) -> str:
    """The same change, said twice, has the same id. [32 hex digits]"""
    return hashlib.sha256(f"{rule}\0{key}\0{t}\0{new.name}".encode()).hexdigest()[:32]


def warning_id(asset: str, hazard: str, onset: int) -> str:
    """The same warning, raised twice, has the same id. onset [ns]. [16 hex digits]"""
    return hashlib.sha256(f"{asset}\0{hazard}\0{onset}".encode()).hexdigest()[:16]
