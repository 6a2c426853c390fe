"""The file of people and rosters as it is written: TOML, every value checked. What belongs together is checked in load.py."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from alerts.duty.days import DAY, Holidays, Hours
from alerts.duty.people import Kind, Language, Role
from lifeline.kinds import Seconds, Unfit, Written, duration
from lifeline.words import nearest

Word = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN", "workdays", "restdays", "holidays"]
SHORTEST: Final = timedelta(minutes=15)  # of a turn
ID: Final = re.compile(r"[\w-]+")
WORD: Final = "a name here is one word of letters, digits, - and _"


def _zone(text: str) -> tzinfo:
    try:
        return ZoneInfo(text)
    except (LookupError, ValueError, OSError):
        pass
    near = nearest(text, available_timezones())
    raise Unfit(f"{text!r} is no time zone" + (f"; did you mean {near!r}?" if near else ', such as "Asia/Shanghai"'))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unfit(f'must be a date such as "2027-02-06", not {text!r}') from None


def _time(text: str) -> time:
    found = re.fullmatch(r"(\d\d):(\d\d)", text)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise Unfit(f'must be a time of the day such as "08:00", not {text!r}')
    return time(int(found[1]), int(found[2]))


def _hours(text: str) -> Hours:
    start, dash, end = text.partition("-")
    if not dash:
        raise Unfit(f'must be hours such as "20:00-08:00", not {text!r}')
    return Hours(_time(start.strip()), time(0) if end.strip() == "24:00" else _time(end.strip()))


def _dates(text: str) -> tuple[date, ...]:
    first, _, last = text.partition("/")
    start, end = _date(first.strip()), _date((last or first).strip())
    if not 0 <= (end - start).days < 400:
        raise Unfit(f"must end after it begins, within 400 days, not {text!r}")
    return tuple(start + n * DAY for n in range((end - start).days + 1))


def _step(text: str) -> timedelta:
    step = timedelta(seconds=duration(text))
    if step < SHORTEST or step % timedelta(minutes=1):
        raise Unfit(f"must be whole minutes, 15 of them at least, not {text!r}")
    return step


def _place(text: str) -> datetime:
    """A wall time."""
    day, _, hour = text.partition(" ")
    return datetime.combine(_date(day), _time(hour or "00:00"))


Zone = Annotated[tzinfo, Written(_zone)]
Wall = Annotated[datetime, Written(_place)]


@dataclass(frozen=True)
class UnitSheet:
    zh: str
    en: str
    kind: Kind
    roles: dict[str, Role] = field(default_factory=dict)


@dataclass(frozen=True)
class PersonSheet:
    zh: str
    en: str
    unit: str
    roles: tuple[str, ...] = ()
    language: Language = "zh"
    contacts: dict[str, str] = field(default_factory=dict, repr=False)  # channel -> address
    active: bool = True


@dataclass(frozen=True)
class HolidaySheet:
    off: tuple[Annotated[tuple[date, ...], Written(_dates)], ...] = ()
    work: tuple[Annotated[tuple[date, ...], Written(_dates)], ...] = ()

    def __post_init__(self) -> None:
        if both := sorted(self.dates.off & self.dates.work):
            raise ValueError(f"work: {both[0]} stands in off too")

    @property
    def dates(self) -> Holidays:
        return Holidays(frozenset(d for ds in self.off for d in ds), frozenset(d for ds in self.work for d in ds))


@dataclass(frozen=True)
class LayerSheet:
    name: str = ""  # for people
    turns: tuple[str | tuple[str, ...], ...] = ()  # persons, or several who are on duty together
    start: Wall | None = None  # "2026-11-30 08:00": the first turn begins, and the hour of every hand-over
    every: Annotated[timedelta, Written(_step)] | None = None  # length of a turn; left out: always the first
    until: Wall | None = None  # the layer ends
    days: tuple[Word, ...] = ()
    hours: tuple[Annotated[Hours, Written(_hours)], ...] = ()
    beside: bool = False  # its persons come in addition to those of earlier layers, not in their place
    calendar: Path | None = None  # an iCalendar file, instead of turns

    def __post_init__(self) -> None:
        wrong = {
            "turns: is missing; say who is on duty, or name a calendar": not self.turns and not self.calendar,
            "turns: names nobody in one of them": any(not turn for turn in self.turns),
            "calendar: given, so turns, start, every, until, days and hours have no meaning": bool(
                self.calendar and (self.turns or self.start or self.every or self.until or self.days or self.hours)
            ),
            f'every: is missing; only the first of {len(self.turns)} turns would ever be on duty; together is [["a", "b"]]': (
                len(self.turns) > 1 and self.every is None
            ),
            "start: is missing; the first turn must begin somewhere": self.every is not None and self.start is None,
            "until: is not later than start": bool(self.start and self.until and self.until <= self.start),
        }
        if any(wrong.values()):
            raise ValueError("\n".join(reason for reason, so in wrong.items() if so))

    @property
    def parties(self) -> tuple[tuple[str, ...], ...]:
        """Who is on duty together, turn by turn."""
        return tuple((turn,) if isinstance(turn, str) else tuple(turn) for turn in self.turns)


@dataclass(frozen=True)
class RosterSheet:
    unit: str
    role: str
    layers: tuple[LayerSheet, ...]
    holidays: str = ""  # name of a table in [holidays]
    zone: Zone | None = None  # left out: that of the file
    longest: Seconds | None = None  # [s] on duty without a break

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("layers: there are none; leave the roster out where all who have the role are always on duty")
