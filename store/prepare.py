"""Makes what the mirror writes to and boards read: databases, retentions, mappings, the server's own queries for means.

Every step looks first whether it is done, so that it may be repeated at any time; what is there and is not ours is left alone.
1.x: databases, retention policies, continuous queries. 2.x: buckets, DBRP mappings, tasks in Flux. 3 makes databases when they
are first written to, VictoriaMetrics knows none: there nothing is made, and the mirror makes the means.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec
import urllib3

from lifeline.model import JUDGED
from store.influx import Target
from store.influx_read import Reader, named
from store.kinds import Kind

FIELDS: Final = ("mean", "min", "max", "count")
FIT: Final = [int(q) for q in JUDGED]


class Refused(RuntimeError):
    """The server would not. Says what was asked, and its words."""


class Tier(NamedTuple):
    """A database, and the means that are kept in it."""

    name: str
    keep: float  # [s]; 0: for ever
    step: str = ""  # length of a slot, as the server writes it; "": readings
    window: str = ""  # that the server's query looks back over
    every: str = ""  # between two runs of it


class Step(NamedTuple):
    """One thing to be made."""

    what: str
    act: Callable[[], None] | None  # None: it is there already


def steps(target: Target, kind: Kind, tiers: list[Tier], *, means: bool) -> Iterator[Step]:
    """What there is to do, looked for as it is asked for. tiers: that of the readings first; means: made by the server"""
    if kind.version.startswith("1."):
        yield from _first(Reader(target), tiers, means=means)
    elif kind.version.startswith("2."):
        yield from _second(Api(target), tiers, means=means)


# 1.x


def _first(reader: Reader, tiers: list[Tier], *, means: bool) -> Iterator[Step]:
    there = {v[0] for s in reader.ask("SHOW DATABASES") for v in s.get("values", [])}
    for tier in tiers:
        yield _doing(f"database {tier.name}", f"CREATE DATABASE {named(tier.name)}", reader, done=tier.name in there)
        yield _policy(reader, tier, there=tier.name in there)
    for tier in tiers[1:] if means else ():
        name = f"{tier.name}_means_1"  # the last figure is that of its text: another text, another name
        known = _queries(reader) if tiers[0].name in there else {}
        for old in sorted(known.get(tiers[0].name, set())):
            if re.fullmatch(rf"{re.escape(tier.name)}_means_\d+", old) and old != name:
                yield _doing(
                    f"continuous query {old} goes", f"DROP CONTINUOUS QUERY {named(old)} ON {named(tiers[0].name)}", reader
                )
        done = name in known.get(tiers[0].name, set())
        yield _doing(f"continuous query {name}", continuous(tiers[0].name, name, tier), reader, done=done)


def _policy(reader: Reader, tier: Tier, *, there: bool) -> Step:
    keep = f"{round(tier.keep)}s" if tier.keep else "INF"
    known = reader.ask(f"SHOW RETENTION POLICIES ON {named(tier.name)}") if there else []
    held = {v[0]: v[1] for s in known for v in s["values"]}.get("autogen")
    done = held is not None and _seconds(held) == round(tier.keep)
    change = (
        f'ALTER RETENTION POLICY "autogen" ON {named(tier.name)} DURATION {keep} SHARD DURATION {_shard(tier.keep)} DEFAULT'
    )
    return _doing(f"{tier.name} keeps {_said(tier.keep)}", change, reader, done=done)


def _shard(keep: float) -> str:
    """How long a piece is that is dropped as a whole."""
    if not keep:
        return "30d"
    return next((piece for most, piece in ((2, "1h"), (60, "1d"), (720, "7d")) if keep <= most * 86_400), "30d")


def _seconds(duration: str) -> int:
    return sum(int(n) * {"h": 3600, "m": 60, "s": 1}[u] for n, u in re.findall(r"(\d+)([hms])", duration))


def _queries(reader: Reader) -> dict[str, set[str]]:
    """Database -> its continuous queries."""
    return {s["name"]: {v[0] for v in s.get("values", [])} for s in reader.ask("SHOW CONTINUOUS QUERIES")}


def continuous(database: str, name: str, tier: Tier) -> str:
    """The query that makes a tier's means of the readings that are fit to be judged."""
    made = ", ".join(f'{f}("value") AS "{f}"' for f in FIELDS)
    fit = " OR ".join(f'"quality" = {q}' for q in FIT)
    head = f"CREATE CONTINUOUS QUERY {named(name)} ON {named(database)} RESAMPLE EVERY {tier.every} FOR {tier.window}"
    source = f'{named(database)}."autogen"./.*/ WHERE {fit} GROUP BY time({tier.step}), *'
    return f'{head} BEGIN SELECT {made} INTO {named(tier.name)}."autogen".:MEASUREMENT FROM {source} END'  # noqa: S608  names of ours


def _doing(what: str, statement: str, reader: Reader, *, done: bool = False) -> Step:
    return Step(what, None if done else lambda: _nothing(reader.ask(statement, change=True)))


def _said(keep: float) -> str:
    return f"{keep / 86_400:g} d" if keep else "everything"


# 2.x


class Api:
    """JSON to and from InfluxDB 2."""

    def __init__(self, target: Target) -> None:
        self.target = target
        headers = {"Authorization": f"Token {target.token}", "Content-Type": "application/json"}
        self._http = urllib3.PoolManager(headers=headers, retries=False, timeout=target.timeout, ca_certs=target.ca_file)

    def ask(self, path: str, **asked: str) -> dict[str, Any]:
        return self._call("GET", path, fields=asked)

    def make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._call("POST", path, body=msgspec.json.encode(body))

    def change(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._call("PATCH", path, body=msgspec.json.encode(body))

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        got = self._http.request(method, f"{self.target.url.rstrip('/')}/api/v2/{path}", **more)
        if got.status == 404 and method == "GET":
            return {}
        if got.status >= 300:
            raise Refused(f"{method} {path}: {got.status} {got.data.decode('utf-8', 'replace')[:500]}")
        return dict(msgspec.json.decode(got.data)) if got.data else {}


def _second(api: Api, tiers: list[Tier], *, means: bool) -> Iterator[Step]:
    found = api.ask("orgs", org=api.target.org).get("orgs", [])
    if not found:
        raise Refused(f"there is no organization {api.target.org!r}, or the token does not reach it; set [influx] org")
    org = found[0]["id"]
    for tier in tiers:
        yield _bucket(api, org, tier)
        yield _mapping(api, org, tier)
    for tier in tiers[1:] if means else ():
        yield _task(api, org, tiers[0].name, tier)


def _held(api: Api, name: str) -> dict[str, Any] | None:
    found = api.ask("buckets", org=api.target.org, name=name).get("buckets", [])
    return next((dict(b) for b in found if b["name"] == name), None)


def _bucket(api: Api, org: str, tier: Tier) -> Step:
    rules = [{"type": "expire", "everySeconds": round(tier.keep)}] if tier.keep else []
    held = _held(api, tier.name)
    what = f"bucket {tier.name} keeps {_said(tier.keep)}"
    if held is None:
        body = {"orgID": org, "name": tier.name, "retentionRules": rules}
        return Step(what, lambda: _nothing(api.make("buckets", body)))
    kept = sum(r.get("everySeconds", 0) for r in held.get("retentionRules", []))
    if kept == round(tier.keep):
        return Step(what, None)
    return Step(what, lambda: _nothing(api.change(f"buckets/{held['id']}", {"retentionRules": rules})))


def _mapping(api: Api, org: str, tier: Tier) -> Step:
    """So that InfluxQL reads the bucket as a database. Those that the server makes up by itself (virtual) do as well."""
    what = f"database {tier.name} is the bucket {tier.name}"
    if api.ask("dbrps", org=api.target.org, db=tier.name).get("content"):
        return Step(what, None)

    def act() -> None:
        bucket = _held(api, tier.name)
        body = {"orgID": org, "database": tier.name, "retention_policy": "autogen", "default": True}
        api.make("dbrps", {**body, "bucketID": bucket["id"] if bucket else ""})

    return Step(what, act)


def _task(api: Api, org: str, source: str, tier: Tier) -> Step:
    name, text = f"{tier.name}_means", flux(source, tier)
    held = next((t for t in api.ask("tasks", org=api.target.org, name=name).get("tasks", []) if t["name"] == name), None)
    if held is None:
        return Step(f"task {name}", lambda: _nothing(api.make("tasks", {"orgID": org, "flux": text, "status": "active"})))
    if held["flux"] == text:
        return Step(f"task {name}", None)
    return Step(f"task {name}", lambda: _nothing(api.change(f"tasks/{held['id']}", {"flux": text})))


def flux(source: str, tier: Tier) -> str:
    """The task that makes a tier's means of the readings that are fit to be judged; whole slots only."""
    fit = " or ".join(f"r.quality == {q}" for q in FIT)
    lines = [
        'import "date"',
        f'option task = {{name: "{tier.name}_means", every: {tier.every}, offset: 10s}}',
        f"start = date.truncate(t: -{tier.window}, unit: {tier.step})",
        f'fit = from(bucket: "{source}")',
        "  |> range(start: start)",
        '  |> filter(fn: (r) => r._field == "value" or r._field == "quality")',
        '  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
        f"  |> filter(fn: (r) => exists r.value and exists r.quality and ({fit}))",
        '  |> drop(columns: ["quality"])',
        '  |> rename(columns: {value: "_value"})',
    ]
    for f in FIELDS:
        lines += [
            "fit",
            f'  |> aggregateWindow(every: {tier.step}, fn: {f}, createEmpty: false, timeSrc: "_start")',
            f'  |> set(key: "_field", value: "{f}")',
            f'  |> to(bucket: "{tier.name}")',
            f'  |> yield(name: "{f}")',
        ]
    return "\n".join(lines) + "\n"


def _nothing(_: object) -> None:
    """For acts whose answer nobody needs."""
