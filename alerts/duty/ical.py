"""Rosters as iCalendar files (RFC 5545), written and read."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from dateutil.rrule import rrule, rruleset, rrulestr
from icalendar import Calendar, vRecur
from icalendar import Event as Entry

from alerts.duty.days import DAY
from alerts.duty.feed import Feed, Series
from alerts.duty.people import People
from lifeline.model import NS
from lifeline.words import Unusable

PERSON: Final = "X-LIFELINE-PERSON"
SOONER: Final = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
LARGEST: Final = 4_000_000  # [byte] of a calendar


class BadCalendar(Unusable):
    """A calendar that cannot be a roster. `problems`: all of them."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Stint(NamedTuple):
    """One person on duty in a role without a break."""

    unit: str
    role: str
    person: str
    start: int  # [ns] UTC
    end: int  # [ns] UTC


def write(stints: Iterable[Stint], people: People, made: int, name: str) -> bytes:
    """An iCalendar file with one event for each stint. made [ns]: its time stamp; name: of the calendar."""
    calendar = Calendar()
    head = {"PRODID": "-//city-lifeline//roster//", "VERSION": "2.0", "METHOD": "PUBLISH", "X-WR-CALNAME": name}
    for key, value in head.items():
        calendar.add(key, value)
    for s in stints:
        calendar.add_component(_entry(s, people, made))
    return bytes(calendar.to_ical())


def _entry(s: Stint, people: People, made: int) -> Entry:
    role, person, unit = people.role(s.unit, s.role), people.person(s.person), people.units[s.unit]
    entry = Entry()
    entry.add("UID", hashlib.sha256("\n".join(map(str, s[:4])).encode()).hexdigest()[:32] + "@lifeline")
    for key, t in (("DTSTAMP", made), ("DTSTART", s.start), ("DTEND", s.end)):
        entry.add(key, datetime.fromtimestamp(t // NS, UTC))
    entry.add("SUMMARY", f"{role.zh} {person.zh} / {role.en} {person.en}")
    entry.add("LOCATION", f"{unit.zh} / {unit.en}")
    entry.add("CATEGORIES", [s.unit, s.role])
    entry.add(PERSON, s.person)
    return entry


def read(content: bytes, zone: tzinfo, people: People, *, beside: bool = False) -> Feed:
    """A calendar as a layer. zone: of times that name none. BadCalendar says everything that is wrong with it.

    The person of an event: its X-LIFELINE-PERSON, or an attendee whose address is a contact, or a name in its summary.
    """
    if len(content) > LARGEST:
        raise BadCalendar([f"larger than {LARGEST} bytes"])
    try:
        calendars = Calendar.from_ical(content, multiple=True)
        entries: list[Any] = [e for c in calendars for e in c.walk("VEVENT")]
    except (ValueError, KeyError, IndexError, TypeError) as why:
        raise BadCalendar([f"is no iCalendar file: {why}"]) from why
    reading = _Reading(zone, people)
    series = [s for e in entries for s in reading.series(e)]
    if reading.problems:
        raise BadCalendar(reading.problems)
    return Feed(tuple(reading.settled(series)), beside)


class _Reading:
    """The work on one calendar."""

    def __init__(self, zone: tzinfo, people: People) -> None:
        self.zone, self.people, self.problems = zone, people, list[str]()
        self._moved: list[tuple[str, datetime | date]] = []  # occurrences that stand in events of their own

    def series(self, e: Any) -> list[tuple[str, Series]]:
        """An event under its UID; several if it has periods of its own; none if it was cancelled or cannot be read."""
        uid = str(e.get("UID", ""))
        try:
            if "RECURRENCE-ID" in e:
                self._moves(e, uid)
            if str(e.get("STATUS", "")).upper() == "CANCELLED":
                return []
            return [(uid, made) for made in self._read(e)]
        except (ValueError, LookupError, AttributeError, TypeError, OverflowError) as why:
            self.problems.append(f"event {uid or '?'} ({e.get('SUMMARY', '')}): {why}")
            return []

    def _moves(self, e: Any, uid: str) -> None:
        if str(e["RECURRENCE-ID"].params.get("RANGE", "")):
            raise ValueError("RECURRENCE-ID with a RANGE is not known; write the changed occurrences one by one")
        self._moved.append((uid, e["RECURRENCE-ID"].dt))

    def _read(self, e: Any) -> list[Series]:
        start = e["DTSTART"].dt
        zone = self._zone(start)
        begin, persons = _wall(start, zone), self._persons(e)
        length = self._length(e, begin, zone)
        if length <= timedelta(0):
            raise ValueError("does not end after it begins")
        once = Series(zone, begin, length, persons)
        periods = [p for p in _values(e, "RDATE") if isinstance(p, tuple)]
        more = [Series(zone, a, b - a, persons) for a, b in (self._period(p, zone) for p in periods)]
        if "RECURRENCE-ID" in e or not ("RRULE" in e or "RDATE" in e):
            return [once, *more]
        return [Series(zone, begin, length, persons, self._rule(e, begin, zone)), *more]

    def settled(self, series: Iterable[tuple[str, Series]]) -> Iterator[Series]:
        """Without the occurrences that stand in events of their own."""
        for uid, s in series:
            for moved, at in self._moved:
                if s.rule is not None and moved == uid:
                    s.rule.exdate(_wall(at, s.zone))
            yield s

    def _zone(self, at: datetime | date) -> tzinfo:
        return (at.tzinfo if isinstance(at, datetime) else None) or self.zone

    def _length(self, e: Any, begin: datetime, zone: tzinfo) -> timedelta:
        if "DTEND" in e:
            return _wall(e["DTEND"].dt, zone) - begin
        if "DURATION" in e:
            length: timedelta = e["DURATION"].dt
            return length
        return DAY if not isinstance(e["DTSTART"].dt, datetime) else timedelta(0)

    def _period(self, period: tuple[datetime, datetime | timedelta], zone: tzinfo) -> tuple[datetime, datetime]:
        start, end = period
        begin = _wall(start, zone)
        return begin, begin + end if isinstance(end, timedelta) else _wall(end, zone)

    def _rule(self, e: Any, begin: datetime, zone: tzinfo) -> rruleset:
        found = rruleset()
        found.rdate(begin)
        rules = e.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            found.rrule(_recurrence(rule, begin, zone))
        for at in _values(e, "RDATE"):
            if not isinstance(at, tuple):
                found.rdate(_wall(at, zone))
        for at in _values(e, "EXDATE"):
            found.exdate(_wall(at, zone))
        return found

    def _persons(self, e: Any) -> tuple[str, ...]:
        if PERSON in e:
            return (self.people.person(str(e[PERSON])).id,)
        attending = e.get("ATTENDEE", [])
        for one in attending if isinstance(attending, list) else [attending]:
            if found := self._addressed(str(one)):
                return (found,)
        return (self._named(str(e.get("SUMMARY", ""))),)

    def _addressed(self, address: str) -> str | None:
        plain = re.sub(r"^(mailto|tel):", "", address, flags=re.IGNORECASE).casefold()
        return next((p.id for p in self.people.persons.values() if plain in {a.casefold() for a in p.contacts.values()}), None)

    def _named(self, summary: str) -> str:
        """The one person whose name or id stands in a summary; the longer of two names, one of which holds the other."""
        known = [(name, p) for p in self.people.persons.values() for name in (p.id, p.zh, p.en) if _stands(name, summary)]
        longest = {p.id for name, p in known if not any(name in other and name != other for other, _ in known)}
        if len(longest) != 1:
            said = f"names {' and '.join(sorted(longest))}" if longest else "names nobody who is known"
            raise ValueError(f"{said}; write {PERSON}:ID into it")
        return longest.pop()


def _stands(name: str, text: str) -> bool:
    """Whether a name stands in a text, as words of their own where it is in Latin letters."""
    edge = r"\b" if name.isascii() else ""
    return re.search(f"{edge}{re.escape(name)}{edge}", text, re.IGNORECASE) is not None


def _wall(at: datetime | date, zone: tzinfo) -> datetime:
    """Wall time in a zone; a time without one is of that zone already."""
    if not isinstance(at, datetime):
        return datetime.combine(at, time(0))
    there = at.astimezone(zone).replace(tzinfo=None) if at.tzinfo else at
    return there.replace(microsecond=0)


def _values(e: Any, key: str) -> Iterator[Any]:
    """The instants of a property that may stand several times, each with several."""
    given = e.get(key, [])
    for one in given if isinstance(given, list) else [given]:
        yield from (value.dt for value in one.dts)


def _recurrence(rule: Any, begin: datetime, zone: tzinfo) -> rrule:
    said: Any = vRecur(rule)
    until = said.pop("UNTIL", None)
    frequency = str(said.get("FREQ", [""])[0])
    if frequency not in SOONER or (frequency == "HOURLY" and any(k.upper().startswith("BY") for k in said)):
        raise ValueError(f"FREQ={frequency}: recurs too often; {', '.join(SOONER[1:])} are known, and HOURLY without BY…")
    made = rrulestr(said.to_ical().decode(), dtstart=begin)
    assert isinstance(made, rrule)
    if not until:
        return made
    last = until[0]
    end = _wall(last, zone) if isinstance(last, datetime) else datetime.combine(last, time(23, 59, 59))
    return made.replace(until=end)
