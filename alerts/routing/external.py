"""Alerts of other systems (Prometheus, Grafana, scripts) as warnings of the desk.

An alert becomes a change of a series of its own: the case is its `asset` (else "external") and its name with whatever labels
tell it from its neighbours; its level comes from `severity`. It ends when its endsAt has passed without having been said again.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import bindparam, select, update

from alerts.book import Book
from alerts.routing.tables import external, facts
from alerts.tables import Database, put
from alerts.theirs import RULE, short
from lifeline.catalog import Catalog
from lifeline.clock import parse
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id

ASSET: Final = "external"
SEVERITIES: Final = {
    **{level.name.lower(): level for level in Level if level},
    "红": Level.RED, "橙": Level.ORANGE, "黄": Level.YELLOW, "蓝": Level.BLUE,
    "critical": Level.ORANGE, "page": Level.ORANGE, "fatal": Level.ORANGE, "emergency": Level.ORANGE, "error": Level.ORANGE,
    "high": Level.ORANGE, "major": Level.ORANGE, "warning": Level.YELLOW, "warn": Level.YELLOW, "medium": Level.YELLOW,
    "minor": Level.YELLOW, "info": Level.BLUE, "low": Level.BLUE, "none": Level.BLUE, "notice": Level.BLUE, "debug": Level.BLUE,
}  # fmt: skip
USUAL: Final = Level.YELLOW  # of an alert that says nothing of its severity, or what nobody knows
ITS_PLACE: Final = ("alertname", "severity", "asset", "domain", "district", "city", "owner", "kind")
TIMEOUT: Final = 300.0  # [s] after which an alert that named no end is over
LONGEST: Final = 200  # [1] characters of a hazard's name
_KNOWN: Final = select(external).where(external.c.fingerprint == bindparam("fingerprint"))
_OVER: Final = (
    select(external).where(external.c.stands, external.c.ends <= bindparam("at")).order_by(external.c.ends).limit(1000)
)


class BadAlert(Exception):
    """What is wrong with an alert, in one line."""


class Posted(msgspec.Struct):
    """An alert as POST /api/v2/alerts takes it."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: str | None = None  # noqa: N815  the API's spelling
    endsAt: str | None = None  # noqa: N815
    generatorURL: str = ""  # noqa: N815


class Home(NamedTuple):
    """Where the warning of an alert stands."""

    asset: str
    hazard: str
    device: str
    domain: str
    district: str
    owner: str
    lat: float
    lon: float


@dataclass(frozen=True)
class Places:
    """What the catalog knows of assets, and what stands for those that it does not know."""

    city: str
    owner: str
    lat: float
    lon: float
    known: Mapping[str, tuple[str, str, str, float, float]]  # asset -> domain, district, owner, latitude, longitude

    @staticmethod
    def of(catalog: Catalog, city: str, owner: str) -> "Places":
        columns = (catalog.asset, catalog.domain, catalog.district, catalog.owner, catalog.lat, catalog.lon)
        known = {a: (str(d), s, o, float(y), float(x)) for a, d, s, o, y, x in zip(*(c.tolist() for c in columns), strict=True)}
        lat, lon = (float(catalog.lat.mean()), float(catalog.lon.mean())) if catalog.n else (0.0, 0.0)
        return Places(city, owner, lat, lon, known)

    def home(self, labels: Mapping[str, str]) -> Home:
        """Of the labels of an alert; what they say goes before what the catalog says."""
        asset = labels.get("asset") or ASSET
        domain, district, owner, lat, lon = self.known.get(
            asset, (Domain.OTHER.value, self.city, self.owner, self.lat, self.lon)
        )
        said = labels.get("domain", "")
        return Home(
            asset, _hazard(labels), labels.get("job") or labels.get("generator") or ASSET,
            said if said in set(Domain) else domain, labels.get("district") or district, labels.get("owner") or owner, lat, lon,
        )  # fmt: skip


def level(labels: Mapping[str, str]) -> Level:
    """The level that an alert's severity means. RED only where somebody wrote RED: other systems' worst is not the city's."""
    said = labels.get("severity", "").strip().lower()
    return SEVERITIES.get(said) or SEVERITIES.get(said[:1]) or USUAL


def fingerprint(labels: Mapping[str, str]) -> str:
    """The same labels, the same alert. [16 hex digits]"""
    return hashlib.sha256(json.dumps(sorted(labels.items()), ensure_ascii=False).encode("utf-8", "replace")).hexdigest()[:16]


def _hazard(labels: Mapping[str, str]) -> str:
    """Its name, with the labels by which two alerts of that name differ: none of them is swallowed by another."""
    name = labels.get("alertname") or "alert"
    more = ", ".join(f"{k}={v}" for k, v in sorted(labels.items()) if k not in ITS_PLACE)
    whole = f"{name} {{{more}}}" if more else name
    return whole if len(whole) <= LONGEST else f"{whole[:LONGEST]}… {fingerprint(labels)[:8]}"


@dataclass(frozen=True)
class External:
    """Takes alerts, and ends those that are over."""

    book: Book
    places: Places
    timeout: float = TIMEOUT  # [s]

    @property
    def database(self) -> Database:
        return self.book.database

    def take(self, alerts: Sequence[Posted], at: int) -> tuple[int, list[str]]:
        """(notices put into the outbox, what is wrong with those that were refused). On disk when this returns. at [ns]"""
        changes: list[Change] = []
        problems: list[str] = []
        with self.database.write() as db:
            for i, alert in enumerate(alerts):
                try:
                    labels, starts, ends = _checked(alert, at, self.timeout)
                except BadAlert as why:
                    problems.append(f"alert {i}: {why}")
                    continue
                key = fingerprint(labels)
                row = db.execute(_KNOWN, {"fingerprint": key}).mappings().one_or_none()
                last = msgspec.json.decode(row["change"], type=Change) if row else None
                change = self._change(key, labels, alert, last, starts, ends, at)
                if change is not None:
                    changes.append(change)
                said = {"labels": _json(labels), "annotations": _json(alert.annotations), "generator": alert.generatorURL}
                home = self.places.home(labels)
                put(db, facts, asset=home.asset, hazard=home.hazard, **said)
                kept = change or last
                if kept is not None:
                    stands = bool(Level[kept.new])
                    put(
                        db, external, fingerprint=key, asset=home.asset, hazard=home.hazard, **said,
                        ends=ends, stands=stands, change=_encoded(kept),
                    )  # fmt: skip
        taken = self.book.take(changes, at)
        problems += [reason for _, reason in taken.refused]
        return taken.notices, problems

    def expire(self, at: int) -> bool:
        """End what is over; whether anything is to be sent. at [ns]"""
        with self.database.read() as db:
            over = db.execute(_OVER, {"at": at}).mappings().all()
        if not over:
            return False
        lasts = [(r["fingerprint"], msgspec.json.decode(r["change"], type=Change), r["ends"]) for r in over]
        ended = [(key, _ended(last, max(ends, last.t))) for key, last, ends in lasts]
        taken = self.book.take([change for _, change in ended], at)
        with self.database.write() as db:  # after the change is on disk: a crash in between says it again, which does nothing
            for key, change in ended:
                same = (external.c.fingerprint == key) & (external.c.ends <= at)
                db.execute(update(external).where(same).values(stands=False, change=_encoded(change)))
        return taken.notices > 0

    def _change(
        self, key: str, labels: Mapping[str, str], alert: Posted, last: Change | None, starts: int, ends: int, at: int
    ) -> Change | None:
        """What an alert says that was not said before; None: nothing new."""
        stands = Level[last.new] if last else Level.NORMAL
        after = last.t + 1 if last else 0
        if ends <= at:
            return _ended(last, max(min(ends, at), after)) if last and stands else None
        if stands is level(labels):
            return None
        t = starts if after <= starts <= at else max(at, after)
        return self._said(key, labels, alert, t, stands)

    def _said(self, key: str, labels: Mapping[str, str], alert: Posted, t: int, old: Level) -> Change:
        home, new = self.places.home(labels), level(labels)
        kind = Kind.TICKET if labels.get("kind") == Kind.TICKET else Kind.HAZARD
        note = next((alert.annotations[k] for k in ("summary", "description", "message") if alert.annotations.get(k)), "")
        series = f"{ASSET}/{key}"
        return Change(
            id=change_id(RULE, series, t, new), t=t, city=labels.get("city") or self.places.city, district=home.district,
            domain=Domain(home.domain), asset=home.asset, device=home.device, key=series, quantity="alert", rule=RULE,
            hazard=home.hazard, kind=kind, mode=Mode.ACTIVE, hard=True, old=old.name, new=new.name, score=None,
            lat=home.lat, lon=home.lon, owner=home.owner, evidence=Evidence([t], [None], "", {}, "", note=short(note)),
        )  # fmt: skip


def _ended(last: Change, t: int) -> Change:
    series = change_id(RULE, last.key, t, Level.NORMAL)
    return msgspec.structs.replace(last, id=series, t=t, old=last.new, new=Level.NORMAL.name)


def _checked(alert: Posted, at: int, timeout: float) -> tuple[dict[str, str], int, int]:
    """(labels, start, end) of an alert; BadAlert says what is wrong. [ns]"""
    labels = {k: v for k, v in alert.labels.items() if v}
    if not labels:
        raise BadAlert("labels: at least one that is not empty is needed")
    if not all(labels):
        raise BadAlert("labels: a name is empty")
    try:
        starts, ends = _instant(alert.startsAt), _instant(alert.endsAt)
    except ValueError as why:
        raise BadAlert(str(why)) from why
    if starts is not None and ends is not None and ends < starts:
        raise BadAlert("endsAt: lies before startsAt")
    return labels, at if starts is None else starts, at + round(timeout * NS) if ends is None else ends


def _instant(text: str | None) -> int | None:
    """[ns]; Go's zero time and what is left out is None."""
    if not text or text.startswith("0001-01-01"):
        return None
    t = parse(text)
    if not 0 <= t < 2**62:
        raise ValueError(f"{text!r} is no instant of this age")
    return t


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False)


def _encoded(change: Change) -> str:
    return msgspec.json.encode(change).decode()


def read(items: Iterable[msgspec.Raw]) -> tuple[list[Posted], list[str]]:
    """Alerts one by one, so that a bad one costs only itself."""
    good, bad = [], []
    for i, item in enumerate(items):
        try:
            good.append(msgspec.json.decode(item, type=Posted))
        except (msgspec.DecodeError, UnicodeDecodeError) as why:
            bad.append(f"alert {i}: {why}")
    return good, bad
