"""Who there is: units of the city, the roles in them, and the persons who fill them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Final, Literal

from lifeline.kinds import Between

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
Kind = Literal[
    "operator", "owner", "regulator", "emergency", "traffic", "property", "fire", "police", "city", "province", "centre"
]
Language = Literal["zh", "en", "both"]


@dataclass(frozen=True)
class Role:
    """A duty that a unit has to fill."""

    zh: str
    en: str
    fallback: tuple[str, ...] = ()  # persons who are asked when nobody is on duty; empty: all who have the role
    least: Annotated[int, Between(0, 99)] = 1  # persons that must be on duty; 0: the role may stand empty
    channels: tuple[str, ...] = ()  # by which each of them must be reachable; empty: any will do


@dataclass(frozen=True)
class Unit:
    """An organisation that answers for something."""

    id: str
    zh: str
    en: str
    kind: Kind
    roles: Mapping[str, Role] = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """Somebody who can be told."""

    id: str
    zh: str
    en: str
    unit: str
    roles: tuple[str, ...] = ()  # of their own unit
    language: Language = "zh"
    contacts: Mapping[str, str] = field(default_factory=lambda: NOTHING, repr=False)  # channel -> address
    active: bool = True  # no: is never on duty


class UnknownPerson(LookupError):
    """Nobody has this id."""


class People:
    """Units and persons by their ids."""

    def __init__(self, units: Iterable[Unit], persons: Iterable[Person]) -> None:
        self.units: Mapping[str, Unit] = {u.id: u for u in units}
        self.persons: Mapping[str, Person] = {p.id: p for p in persons}

    def person(self, id: str) -> Person:  # noqa: A002  the field's own name
        """UnknownPerson if there is none."""
        try:
            return self.persons[id]
        except KeyError:
            raise UnknownPerson(f"nobody has the id {id!r}") from None

    def role(self, unit: str, role: str) -> Role:
        """LookupError if the unit has no such role."""
        try:
            return self.units[unit].roles[role]
        except KeyError:
            raise LookupError(f"there is no role {unit}/{role}") from None

    def holders(self, unit: str, role: str) -> list[Person]:
        """All who have a role and are there, in the order of the file."""
        return [p for p in self.persons.values() if p.unit == unit and role in p.roles and p.active]

    def fallback(self, unit: str, role: str) -> list[Person]:
        """Who is asked when nobody is on duty."""
        named = [self.persons[i] for i in self.role(unit, role).fallback if i in self.persons and self.persons[i].active]
        return named or self.holders(unit, role)
