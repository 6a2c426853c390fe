"""The file of people and rosters, read once: everything that is wrong with it is said at once, with its line."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from alerts.database import Database
from alerts.duty.days import Holidays, Times
from alerts.duty.feed import Feed
from alerts.duty.ical import BadCalendar, read
from alerts.duty.layers import Layer, Roster, Rotation
from alerts.duty.people import People, Person, Unit
from alerts.duty.rosters import Rosters
from alerts.duty.sheet import ID, WORD, HolidaySheet, LayerSheet, PersonSheet, RosterSheet, UnitSheet, Zone
from lifeline.build import ConfigRefused, build
from lifeline.lines import line, lines
from lifeline.words import suggestion

T = TypeVar("T")
SECTIONS: Final = ("zone", "units", "persons", "holidays", "rosters")


@dataclass(frozen=True)
class Duty:
    """People and rosters of a city."""

    people: People
    rosters: Rosters
    zone: tzinfo
    channels: frozenset[str]  # those that are configured

    def on_duty(self, unit: str, role: str, at: int, db: Connection | None = None) -> list[Person]:
        """Who answers at an instant; empty only if even the fallback is. LookupError for no such role. at [ns] UTC"""
        return self.rosters.on_duty(unit, role, at, db)

    def over(self, database: Database) -> "Duty":
        """The same with what people have entered into a database."""
        return replace(self, rosters=self.rosters.over(database))


def load(path: Path, channels: Collection[str], zone: tzinfo) -> Duty:
    """People and rosters of a file. channels: names of those configured. zone: for rosters that name none."""
    text = _text(path)
    sheet = _Sheet(text, path, frozenset(channels), zone)
    duty = sheet.duty()
    if sheet.problems:
        at = lines(text)
        told = dict.fromkeys(f"{path}:{line(at, p.split(': ')[0])}: {p}" for p in sheet.problems)
        raise ConfigRefused(sorted(told, key=lambda p: int(p.removeprefix(f"{path}:").split(":")[0])))
    return duty


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as why:
        raise ConfigRefused([f"{path}: cannot be read: {why.strerror}"]) from why
    except UnicodeDecodeError as why:
        raise ConfigRefused([f"{path}: is not UTF-8 (byte {why.start}); save it as UTF-8"]) from why


class _Sheet:
    """One reading of a file. Problems are `place: reason`; what is read in spite of them serves to find more."""

    def __init__(self, text: str, path: Path, channels: frozenset[str], zone: tzinfo) -> None:
        self.path, self.channels, self.problems = path, channels, list[str]()
        self._listed = 0  # rosters in the file, those that cannot be read too
        try:
            self.tables: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as why:
            there = re.search(r"at line (\d+)", str(why))
            raise ConfigRefused([f"{path}{f':{there[1]}' if there else ''}: is not TOML: {why}"]) from why
        self.problems += [f"{k}: no such key; {suggestion(k, SECTIONS)}" for k in self.tables if k not in SECTIONS]
        self.zone = self._zone(zone)
        self.units = self._entries("units", UnitSheet)
        self.persons = self._entries("persons", PersonSheet)
        self.holidays = self._entries("holidays", HolidaySheet)
        self.rosters = self._rosters()

    def duty(self) -> Duty:
        """What stands in it, as far as it can be read."""
        self.problems += [*self._wrong_units(), *self._wrong_persons(), *self._wrong_rosters()]
        units = [Unit(i, u.zh, u.en, u.kind, MappingProxyType(u.roles)) for i, u in self.units.items()]
        persons = [
            Person(i, p.zh, p.en, p.unit, p.roles, p.language, MappingProxyType(p.contacts), p.active)
            for i, p in self.persons.items()
        ]
        people = People(units, persons)
        made = {(r.unit, r.role): self._roster(place, r, people) for place, r in self.rosters.items()}
        return Duty(people, Rosters(people, made), self.zone, self.channels)

    def _zone(self, default: tzinfo) -> tzinfo:
        @dataclass(frozen=True)
        class Head:
            zone: Zone | None = None

        given = {"zone": self.tables["zone"]} if "zone" in self.tables else {}
        head = self._built(Head, given, "")
        return (head and head.zone) or default

    def _built(self, cls: type[T], table: Any, place: str) -> T | None:
        try:
            return build(cls, table, place, folder=self.path.resolve().parent)
        except ConfigRefused as why:
            self.problems += why.problems
            return None

    def _entries(self, section: str, cls: type[T]) -> dict[str, T]:
        tables = self.tables.get(section, {})
        if not isinstance(tables, Mapping):
            self.problems.append(f"{section}: must be a table of tables")
            return {}
        self.problems += [f"{section}.{i}: {WORD}" for i in tables if not ID.fullmatch(i)]
        read = {i: self._built(cls, t, f"{section}.{i}") for i, t in tables.items()}
        return {i: made for i, made in read.items() if made is not None}

    def _rosters(self) -> dict[str, RosterSheet]:
        tables = self.tables.get("rosters", [])
        if not isinstance(tables, list):
            self.problems.append("rosters: must be tables under [[rosters]]")
            return {}
        places = {f"rosters[{i}]": table for i, table in enumerate(tables)}
        self._listed = len(places)
        read = {place: self._built(RosterSheet, table, place) for place, table in places.items()}
        return {place: made for place, made in read.items() if made is not None}

    def _known(self, section: str) -> Collection[str]:
        """Ids of a section, those of entries that cannot be read too."""
        tables = self.tables.get(section, {})
        return tables.keys() if isinstance(tables, Mapping) else ()

    def _wrong_units(self) -> Iterator[str]:
        planned = {(r.unit, r.role) for r in self.rosters.values()} if len(self.rosters) == self._listed else None
        for unit, u in self.units.items():
            for name, role in u.roles.items():
                place = f"units.{unit}.roles.{name}"
                if not ID.fullmatch(name):
                    yield f"{place}: {WORD}"
                yield from self._unknown(f"{place}.fallback", role.fallback, self._known("persons"), "person")
                yield from self._unknown(f"{place}.channels", role.channels, self.channels, "channel")
                filled = any(p.unit == unit and name in p.roles and p.active for p in self.persons.values())
                if role.least and not filled and not role.fallback and planned is not None and (unit, name) not in planned:
                    yield f"{place}: nobody fills it; give the role to a person, or write least = 0"

    def _wrong_persons(self) -> Iterator[str]:
        for i, p in self.persons.items():
            yield from self._unknown(f"persons.{i}.unit", [p.unit], self._known("units"), "unit")
            if p.unit in self.units:
                yield from self._unknown(f"persons.{i}.roles", p.roles, self.units[p.unit].roles, f"role of {p.unit}")
            yield from self._unknown(f"persons.{i}.contacts", p.contacts, self.channels, "channel")
            yield from (f"persons.{i}.contacts.{c}: is empty; leave it out" for c, a in p.contacts.items() if not a.strip())

    def _wrong_rosters(self) -> Iterator[str]:
        seen: dict[tuple[str, str], str] = {}
        for place, r in self.rosters.items():
            yield from self._unknown(f"{place}.unit", [r.unit], self._known("units"), "unit")
            if r.unit in self.units:
                yield from self._unknown(f"{place}.role", [r.role], self.units[r.unit].roles, f"role of {r.unit}")
            if (first := seen.setdefault((r.unit, r.role), place)) != place:
                yield f"{place}: {r.unit}/{r.role} has its roster already, in {first}"
            named = [r.holidays] if r.holidays else []
            yield from self._unknown(f"{place}.holidays", named, self._known("holidays"), "calendar")
            for j, layer in enumerate(r.layers):
                yield from self._wrong_layer(f"{place}.layers[{j}]", r, layer)

    def _wrong_layer(self, place: str, r: RosterSheet, layer: LayerSheet) -> Iterator[str]:
        if "holidays" in layer.days and not r.holidays:
            yield f"{place}.days: holidays are meant, but the roster names no calendar of them"
        for i in dict.fromkeys(i for party in layer.parties for i in party):
            yield from self._unknown(f"{place}.turns", [i], self._known("persons"), "person")
            p = self.persons.get(i)
            if p is not None and (p.unit != r.unit or r.role not in p.roles):
                yield f"{place}.turns: {i} does not have the role {r.unit}/{r.role}"

    @staticmethod
    def _unknown(place: str, given: Collection[str], known: Collection[str], what: str) -> Iterator[str]:
        yield from (f"{place}: {g!r} is no {what}; {suggestion(g, known)}" for g in given if g not in known)

    def _roster(self, place: str, r: RosterSheet, people: People) -> Roster:
        layers = (self._layer(f"{place}.layers[{j}]", r, layer, people) for j, layer in enumerate(r.layers))
        return Roster(r.unit, r.role, tuple(layers), r.longest)

    def _layer(self, place: str, r: RosterSheet, layer: LayerSheet, people: People) -> Layer:
        zone = r.zone or self.zone
        if layer.calendar is not None:
            return self._feed(f"{place}.calendar", layer.calendar, zone, people, beside=layer.beside)
        days = self.holidays[r.holidays].dates if r.holidays in self.holidays else Holidays()
        times = Times(zone, layer.days, layer.hours, days)
        return Rotation(layer.parties, times, layer.start, layer.every, layer.until, layer.beside)

    def _feed(self, place: str, path: Path, zone: tzinfo, people: People, *, beside: bool) -> Feed:
        try:
            return read(path.read_bytes(), zone, people, beside=beside)
        except OSError as why:
            self.problems.append(f"{place}: {path} cannot be read: {why.strerror}")
        except BadCalendar as why:
            self.problems += [f"{place}: {path}: {p}" for p in why.problems]
        return Feed((), beside)
