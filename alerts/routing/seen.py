"""Warnings with their labels, as routes, silences and inhibition see them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, select

from alerts import alertmanager
from alerts.case import Case, from_row, to_row
from alerts.lifecycle import ACTIVE, LIVE
from alerts.routing.tables import facts
from alerts.tables import warnings

COLUMNS: Final = {"alertname": "hazard", "severity": "level", "warning": "id"} | {
    n: n for n in ("kind", "domain", "city", "district", "asset", "owner")
}  # label -> column of warnings
_ALL: Final = select(warnings, facts.c.labels.label("said"), facts.c.annotations.label("noted"), facts.c.generator).join(
    facts, (facts.c.asset == warnings.c.asset) & (facts.c.hazard == warnings.c.hazard), isouter=True
)
_SAID: Final = select(facts.c.labels, facts.c.annotations, facts.c.generator)


class Seen(NamedTuple):
    """One warning."""

    case: Case
    labels: dict[str, str]
    annotations: Mapping[str, str] = MappingProxyType({})  # of whoever sent it; of the desk's own: none
    generator: str = ""

    @property
    def id(self) -> str:
        return self.case.id


def of(db: Connection, case: Case) -> Seen:
    """A warning as it stands in memory, which may be newer than the database."""
    row = db.execute(_SAID.where(facts.c.asset == case.asset, facts.c.hazard == case.hazard)).one_or_none()
    return _seen(case, row[0], row[1], row[2]) if row else _seen(case, None, None, None)


def live(db: Connection) -> list[Seen]:
    """All that somebody still has to answer."""
    return _read(db, _ALL.where(warnings.c.state.in_(sorted(LIVE))).order_by(warnings.c.onset, warnings.c.id))


def active(db: Connection, *also: ColumnElement[bool]) -> list[Seen]:
    """Those that stand, under further conditions."""
    return _read(db, _ALL.where(warnings.c.state.in_(sorted(ACTIVE)), *also).order_by(warnings.c.onset, warnings.c.id))


def some(db: Connection, ids: Iterable[str]) -> list[Seen]:
    """Those with these ids."""
    return _read(db, _ALL.where(warnings.c.id.in_(sorted(ids))))


def _read(db: Connection, query: Select[Any]) -> list[Seen]:
    made = []
    for row in db.execute(query).mappings():
        values = dict(row)
        said, noted, generator = (values.pop(name) for name in ("said", "noted", "generator"))
        made.append(_seen(from_row(values), said, noted, generator))
    return made


def _seen(case: Case, said: str | None, noted: str | None, generator: str | None) -> Seen:
    own = alertmanager.labels({**to_row(case), "warning": case.id})
    if said is None:
        return Seen(case, own)
    theirs = msgspec.json.decode(said, type=dict[str, str])
    return Seen(case, {**own, **theirs}, msgspec.json.decode(noted or "{}", type=dict[str, str]), generator or "")
