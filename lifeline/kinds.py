"""Kinds of values that settings have beyond those of Python: secrets, durations, sizes, ports, text from the environment."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

SECONDS: Final = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES: Final = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
BYTES_OF_TWO: Final = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


class Unfit(ValueError):
    """A value that its key does not allow. Says what it allows."""


class Secret(str):
    """Text that does not show in repr, hence not in the repr of what holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'" if self else "''"


class Spoken(str):
    """Text from the environment, where all is text: a number or a truth value may be written in it."""

    __slots__ = ("origin",)
    origin: str  # the variable it came from

    def __new__(cls, text: str, origin: str = "") -> Self:
        made = super().__new__(cls, text)
        made.origin = origin
        return made


@dataclass(frozen=True)
class Written:
    """Mark of a value that is written as text, such as a quantity with its unit."""

    read: Callable[[str], Any]


@dataclass(frozen=True)
class Between:
    """Mark of a number with bounds, both allowed."""

    low: float
    high: float = float("inf")


def duration(text: str) -> float:
    """Seconds from "5ms", "30s", "5m", "4h", "7d". [s]"""
    return _amount(text, SECONDS, "30s")


def size(text: str) -> int:
    """Bytes from "64MB" (millions) or "64MiB" (of 2**20). [byte]"""
    return round(_amount(text, BYTES | BYTES_OF_TWO, "64MB"))


def _amount(text: str, units: Mapping[str, float], example: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", text.strip())
    if not found or found[2] not in units:
        raise Unfit(f'must be a number and its unit, such as "{example}" (units: {", ".join(units)}), not {text!r}')
    return float(found[1]) * units[found[2]]


Seconds = Annotated[float, Written(duration)]
Bytes = Annotated[int, Written(size)]
Port = Annotated[int, Between(1, 65535)]
