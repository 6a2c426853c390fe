"""Readings of many messages -> one batch: names to rows, words and units to SI, dates within reach."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from ingest.codecs import Readings, Refusal
from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Bools, Codes, Floats, Ints, Quality, Rows
from lifeline.units import UNITS, WORDS, akin

AHEAD: Final = 2.0  # [s] a time this far in the future is put down to the clock of the device
UNKNOWN: Final = "unknown series: not in the catalog"
FOREIGN: Final = "a series of another device than that of the topic"

Bad = list[tuple[int, Refusal]]  # (message, what of it)
Refuse = Callable[[Iterable[int], str], None]


@dataclass(frozen=True)
class Terms:
    """On what terms a message and its readings are taken."""

    skew: float  # [s] permitted future
    oldest: float  # [s] permitted age
    max_payload: int  # [bytes]
    own: bool = False  # whether a device may speak of its own series only


class Joined(NamedTuple):
    """Readings of many messages, end to end."""

    readings: Readings
    message: list[int]  # [messages] index of each
    device: list[str]  # [messages] of the topic
    many: list[int]  # [messages] readings in each
    dated: list[bool]  # [messages] whether every time in it is the device's own

    @classmethod
    def none(cls) -> "Joined":
        return cls(Readings.none(), [], [], [], [])

    def add(self, message: int, said: Readings, device: str) -> None:
        self.readings.extend(said)
        self.message.append(message)
        self.device.append(device)
        self.many.append(len(said.name))
        self.dated.append(said.dated)


def admit(joined: Joined, at: int, catalog: Catalog, terms: Terms, bad: Bad) -> tuple[Batch, Ints, Bools]:
    """Give the batch, of each reading the message and whether its time is the device's own; refusals go to `bad`. at [ns]"""
    names, instants, said, units, *_ = joined.readings
    of = np.repeat(np.arange(len(joined.many)), joined.many)  # [n] which of the joined messages
    message = np.array(joined.message, np.int64)[of]
    own = np.array(joined.dated, np.bool_)[of]
    row = rows(names, catalog.row)
    for i in _where(row < 0):
        row[i] = catalog.row.get(f"{joined.device[of[i]]}/{names[i]}", -1)
    t = np.array(instants, np.int64)
    fine = np.ones(row.shape, np.bool_)

    def refuse(which: Iterable[int], reason: str) -> None:
        for i in which:
            if fine[i]:
                bad.append((int(message[i]), Refusal(names[i], reason)))
                fine[i] = False

    refuse(_where(row < 0), UNKNOWN)
    if terms.own:
        refuse(_where(catalog.device[row] != np.array(joined.device, np.str_)[of]), FOREIGN)
    value, scale, offset = _spoken(said, units, row, fine, catalog, refuse)
    with np.errstate(over="ignore", invalid="ignore"):
        si = value * scale + offset  # [n] [SI]
    refuse(_where(~np.isfinite(si)), "a number that is not finite")
    ahead, old = untimely(t, t, at, terms)
    refuse(_where(ahead), "a date beyond the permitted skew")
    refuse(_where(old), "a date older than permitted")
    which = np.flatnonzero(fine)
    return Batch(row[which], t[which], si[which], clocked(t[which], at)), message[which], own[which]


def rows(names: Sequence[str], known: Mapping[str, int]) -> Rows:
    """Rows of series by their whole names; -1: unknown. [n]"""
    return np.array([known.get(name, -1) for name in names], np.int32)


def _spoken(
    said: list[float | str], units: list[str], row: Rows, fine: Bools, catalog: Catalog, refuse: Refuse
) -> tuple[Floats, Floats, Floats]:
    """Give numbers, scale and offset to SI: the catalog's, unless a reading names its unit or is a word. [n]"""
    if not fine.any():
        return (np.full(row.shape, np.nan),) * 3
    scale, offset = catalog.scale[row], catalog.offset[row]
    if any(units):
        for i in [i for i, u in enumerate(units) if u and fine[i]]:
            line = conversion(units[i], catalog.unit[row[i]])
            if line is None:
                refuse([i], f"unit does not fit one declared in {catalog.unit[row[i]]}")
            elif units[i] != catalog.unit[row[i]]:
                scale[i], offset[i] = line
    number = said
    if str in set(map(type, said)):
        number = list(said)
        for i in [i for i, v in enumerate(said) if type(v) is str]:
            words = WORDS.get(catalog.quantity[row[i]], {})
            number[i], scale[i], offset[i] = words.get(str(said[i]), np.nan), 1.0, 0.0
            if said[i] not in words:
                refuse([i], f"unknown word; allowed: {', '.join(words)}" if words else "a word where a number belongs")
    return np.array(number, np.float64), scale, offset


def _where(which: Bools) -> list[int]:
    return np.flatnonzero(which).tolist() if which.any() else []


@lru_cache(maxsize=4096)  # the words of devices, so bounded
def conversion(unit: str, declared: str) -> tuple[float, float] | None:
    """Scale and offset to SI of a unit that a device names, if it measures what the declared unit measures."""
    mine, ours = UNITS.get(unit), UNITS.get(declared)
    if unit == declared and mine is None:
        return (1.0, 0.0)
    if mine is None or ours is None or not akin(unit, declared):
        return None
    return mine.scale, mine.offset


def untimely(first: Ints, last: Ints, at: int, terms: Terms) -> tuple[Bools, Bools]:
    """Which end beyond the permitted future, which begin before the permitted past. first, last [n] [ns]; at [ns]"""
    return last > at + int(terms.skew * NS), first < at - int(terms.oldest * NS)


def clocked(t: Ints, at: int) -> Codes:
    """GOOD, or CLOCK where the time is ahead of ours by more than transport and rounding explain. t [n] [ns]; at [ns]"""
    return np.where(t > at + int(AHEAD * NS), Quality.CLOCK, Quality.GOOD).astype(np.uint8)
