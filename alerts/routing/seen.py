"""Warnings with their labels, as routes, silences and inhibition see them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, bindparam, select

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
_SAID: Final = select(facts.c.labels, facts.c.annotations, facts.c.generator).where(
    facts.c.asset == bindparam("asset"), facts.c.hazard == bindparam("hazard")
)
_STANDS: Final = _ALL.where(warnings.c.state.in_(sorted(ACTIVE))).order_by(warnings.c.onset, warnings.c.id)
_LIVE: Final = _ALL.where(warnings.c.state.in_(sorted(LIVE))).order_by(warnings.c.onset, warnings.c.id)


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
    row = db.execute(_SAID, {"asset": case.asset, "hazard": case.hazard}).one_or_none()
    return _seen(case, row[0], row[1], row[2]) if row else _seen(case, None, None, None)


def live(db: Connection) -> list[Seen]:
    """All that somebody still has to answer."""
    return _read(db, _LIVE)


def active(db: Connection) -> list[Seen]:
    """Those that stand."""
    return _read(db, _STANDS)


def among(*conditions: ColumnElement[bool]) -> Select[Any]:
    """A statement for those that stand under further conditions; it may have parameters."""
    return _STANDS.where(*conditions)


def found(db: Connection, statement: Select[Any], parameters: Mapping[str, Any]) -> list[Seen]:
    """What such a statement finds."""
    return _read(db, statement, parameters)


def some(db: Connection, ids: Iterable[str]) -> list[Seen]:
    """Those with these ids."""
    return _read(db, _ALL.where(warnings.c.id.in_(sorted(ids))))


def _read(db: Connection, query: Select[Any], parameters: Mapping[str, Any] | None = None) -> list[Seen]:
    made = []
    for row in db.execute(query, parameters or {}).mappings():
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
