"""Wire formats: one file each, pure functions that undo each other. Nothing here knows the catalog.

`decode(payload, device, at)` -> Readings (waveform: Waveform); `at`: time of receipt, for messages without time. [ns]
"""

from typing import NamedTuple

from lifeline.model import Floats


class BadPayload(ValueError):
    """A message that cannot be read at all. `place` says where in it."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.reason, self.place = reason, place


class Refusal(NamedTuple):
    """One reading that is not taken; its neighbours are."""

    place: str  # "[3].v", "values.methane", or the name of the series
    reason: str  # the same words for the same cause, so that they can be counted


class Readings(NamedTuple):
    """What one message says, in its own units and order. Plain lists: messages are small and are joined into columns later."""

    name: list[str]  # [n] "device/channel", or what the device calls the series
    t: list[int]  # [n] [ns] UTC
    value: list[float | str]  # [n] [unit]; a text is a word such as "open"
    unit: list[str]  # [n] "": as the catalog says
    bad: list[Refusal]
    dated: bool = True  # every time in it is the device's own; False: some rest on the time of receipt

    @classmethod
    def none(cls) -> "Readings":
        return cls([], [], [], [], [])

    def extend(self, more: "Readings") -> None:
        self.name.extend(more.name)
        self.t.extend(more.t)
        self.value.extend(more.value)
        self.unit.extend(more.unit)
        self.bad.extend(more.bad)


class Waveform(NamedTuple):
    """Evenly spaced samples of one series."""

    name: str
    t: int  # [ns] UTC of the first sample
    step: int  # [ns] between samples
    value: Floats  # [k] [unit]
    unit: str  # "": as the catalog says


REACH = 9_000_000_000_000_000_000  # [ns] instants beyond it, some 285 years from 1970, do not fit the columns


def quoted(text: object) -> str:
    """Foreign words as they may stand in a reason: short, on one line."""
    shown = ascii(text) if isinstance(text, str) else type(text).__name__
    return shown if len(shown) <= 40 else shown[:37] + "..."
