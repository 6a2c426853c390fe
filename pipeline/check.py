"""The commands `lifeline check-config` and `lifeline doctor`."""

import os
import shutil
import sqlite3
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

import detectors
from alerts import channels, responsible, terms
from alerts.plans import stores
from alerts.routing.plan import Plan
from ingest.mqtt import reachable
from lifeline.catalog import Catalog, CatalogRefused
from lifeline.catalog import load as load_catalog
from lifeline.config import Broker, Config, ConfigRefused, Influx
from lifeline.config import load as load_config
from lifeline.words import Unusable
from pipeline import expiry
from pipeline.database import NoDatabase, driven, opened, shown
from pipeline.groups import likes, meant
from pipeline.mirror.patient import target
from pipeline.people import duty as people
from pipeline.routed import planned, topology
from store.kinds import kind, obstacle


class Finding(NamedTuple):
    """One thing looked at: is it well, and if not, how to mend it."""

    well: bool
    what: str
    mend: str = ""


def summary(config: Config) -> str:
    """What a good configuration says, in a few lines."""
    catalog, rules = load_catalog(config.city.catalog), detectors.rules(config.watch.rules)
    channels.configured(config.channels, config.folder)
    plan, _ = planned(config)
    topology(config)
    terms.configured(config.terms)
    responsible.load(config.desk.responsibilities or responsible.SHIPPED)
    near = stores.load(config.desk.stores) if config.desk.stores else ()
    duty = people(config)
    try:
        url = driven(str(config.desk.database))
    except NoDatabase as why:
        raise Unusable(f"{why}; {why.mend}") from why
    b = config.broker
    return "\n".join(
        [
            f"city      {config.city.name}: {catalog.n} series, data in {config.city.data}",
            f"broker    {b.host}:{b.port}, MQTT {b.version}, session {b.client_id!r}, {', '.join(b.topics)}",
            f"rules     {len(rules)}, of which {sum(r.mode == 'active' for r in rules)} active",
            f"channels  {', '.join(config.channels) or 'none: nobody would be told'}",
            *_routed(config, plan),
            f"database  {shown(url)}",
            f"people    {f'{len(duty.people.persons)}, {len(duty.rosters.rosters)} rosters' if duty else 'none'}",
            f"stores    {len(near)}, with shelters and teams",
        ]
    )


def _routed(config: Config, plan: Plan | None) -> list[str]:
    """What the routing file says, and what of it is taken otherwise than it was meant."""
    if plan is None:
        return []
    routes = sum(1 for _ in plan.root.walk())
    lines = [
        f"routing   {config.desk.routing}: {routes} routes, {len(plan.ways)} receivers, {len(plan.rules)} inhibition rules"
    ]
    unused = sorted(set(config.channels) - plan.ways.keys())
    lines += [f"          no receiver is called {name}: nothing is routed to that channel" for name in unused]
    lines += [
        f"          receiver {name} has no channel: what is routed there is told to nobody"
        for name, w in plan.ways.items()
        if not w
    ]
    return lines + [f"          {note}" for note in plan.notes]


def examine(path: Path) -> int:
    """Look at everything, print what was found; exit code 1 when something is amiss."""
    console = Console(highlight=False)
    amiss = 0
    for found in findings(path):
        amiss += not found.well
        mark = Text("well  ", style="green") if found.well else Text("amiss ", style="red")
        console.print(mark + Text(found.what), soft_wrap=True)
        if not found.well:
            console.print(Text(f"      → {found.mend}", style="yellow"), soft_wrap=True)
    return 1 if amiss else 0


def findings(path: Path) -> Iterator[Finding]:
    """All that can be looked at; what rests on something amiss is left out."""
    yield Finding(sys.version_info >= (3, 11), f"Python {sys.version.split()[0]}", "install Python 3.11 or newer")
    yield Finding(sqlite3.sqlite_version_info >= (3, 35), f"SQLite {sqlite3.sqlite_version}", "install SQLite 3.35 or newer")
    try:
        config = load_config(path, os.environ)
    except ConfigRefused as why:
        for problem in why.problems:
            yield Finding(well=False, what=problem, mend="docs/configuration.md describes every key")
        return
    yield Finding(well=True, what=f"configuration {path}")
    yield from _catalog(config)
    yield from _rules(config)
    yield from _channels(config)
    yield from _answers(config)
    yield from _people(config)
    yield from _data(config)
    yield from database(config)
    why_not = reachable(config.broker)
    yield Finding(
        not why_not,
        f"broker {why_not or f'{config.broker.host}:{config.broker.port} accepts connections'}",
        "start it, or mend [broker] host and port",
    )
    if config.broker.tls:
        yield from _certificates(config.broker, heard=not why_not)
    for name, url in (
        ("receive", config.health.page("receive")),
        ("watch", config.health.page("watch")),
        ("desk", config.watch.desk),
        *([("mirror", config.health.page("mirror"))] if config.influx.url else []),
    ):
        yield _process(name, url)
    if config.influx.url:
        yield _influx(config.influx)


def _influx(influx: Influx) -> Finding:
    found = kind(target(influx))
    said = f"{found.name} {found.version}".rstrip() if found else "nobody answers"
    if found and (why_not := obstacle(target(influx))):
        return Finding(well=False, what=f"{influx.url}: {said}", mend=why_not)
    return Finding(
        found is not None, f"{influx.url}: {said}", "start it, or mend [influx] url; INFLUX_URL in the environment wins"
    )


def _catalog(config: Config) -> Iterator[Finding]:
    try:
        catalog = load_catalog(config.city.catalog)
    except (CatalogRefused, OSError) as why:
        yield Finding(well=False, what=f"catalog {why}", mend="lifeline catalog check says every line that is wrong")
        return
    yield Finding(catalog.n > 0, f"catalog {config.city.catalog}: {catalog.n} series", "add a line for each series")
    yield from _unjudged(config, catalog)


def _unjudged(config: Config, catalog: Catalog) -> Iterator[Finding]:
    """Quantities that no rule watches: their readings would be stored and nobody warned."""
    try:
        rules = detectors.rules(config.watch.rules)
    except ValueError:
        return
    channels = {q for r in rules for q in r.detector.channels}
    of = {like: meant(rules, like) for like in set(likes(catalog))}
    judged = {x.quantity for x, mine in of.items() if x.quantity in channels or any(r.kind == "hazard" for r in mine)}
    if missing := sorted(set(catalog.quantity) - judged):
        yield Finding(well=True, what=f"stored but judged by no hazard rule: {', '.join(missing)}")


def _rules(config: Config) -> Iterator[Finding]:
    try:
        rules = detectors.rules(config.watch.rules)
    except (ValueError, OSError) as why:
        yield Finding(well=False, what=f"rules: {why}", mend="mend the file named")
        return
    yield Finding(len(rules) > 0, f"{len(rules)} rules", "a folder of rules must hold at least one")


def _channels(config: Config) -> Iterator[Finding]:
    try:
        channels.configured(config.channels, config.folder)
        plan, more = planned(config)
        topology(config)
    except ConfigRefused as why:
        for problem in why.problems:
            yield Finding(well=False, what=problem, mend="docs/channels.md describes the channels")
        return
    if plan is not None:
        yield Finding(well=True, what="; ".join(line.strip() for line in _routed(config, plan)))
    yield Finding(
        bool(config.channels or more),
        f"channels: {', '.join([*config.channels, *more]) or 'none'}",
        "add a [channels.NAME]: nobody would be told of a warning",
    )


def _answers(config: Config) -> Iterator[Finding]:
    """Who hears of what, and how long they have."""
    table = config.desk.responsibilities or responsible.SHIPPED
    try:
        rows, duty = responsible.load(table).rows, people(config)
        terms.configured(config.terms)
    except Unusable as why:
        yield Finding(well=False, what=str(why), mend="docs/desk.md describes responsibilities and terms")
        return
    parts = {(r.part.unit, r.part.role) for r in rows if r.part.unit != responsible.OWNER}
    empty = [f"{unit}/{role}" for unit, role in sorted(parts) if duty and not duty.people.holders(unit, role)]
    what = f"responsibilities: {len(rows)} rows" + (f"; nobody fills {', '.join(empty)}" if empty else "")
    yield Finding(not empty, what, f"add persons to {config.desk.people}, or take the parts out of {table}")


def _people(config: Config) -> Iterator[Finding]:
    try:
        duty = people(config)
    except ConfigRefused as why:
        for problem in why.problems:
            yield Finding(well=False, what=problem, mend="docs/duty.md describes the file")
        return
    if duty:
        said = f"{len(duty.people.persons)} people, {len(duty.rosters.rosters)} rosters"
        yield Finding(well=True, what=f"{said} ({config.desk.people}); their gaps: lifeline roster check")


def _data(config: Config) -> Iterator[Finding]:
    data = config.city.data
    try:
        data.mkdir(parents=True, exist_ok=True)
        probe = data / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as why:
        yield Finding(
            well=False,
            what=f"data directory {data}: {why.strerror}",
            mend="give the user that runs lifeline the right to write there",
        )
        return
    free = shutil.disk_usage(data).free
    need = config.journal.max_size + config.journal.min_free
    yield Finding(
        free > need,
        f"data directory {data}: {free / 1e9:.1f} GB free",
        f"the journal may take {need / 1e9:.1f} GB; make room or lower [journal] max_size",
    )


def database(config: Config) -> Iterator[Finding]:
    """The desk's: its URL, its driver, and whether it can be opened."""
    try:
        url = driven(str(config.desk.database))
        opened(url)
    except NoDatabase as why:
        yield Finding(well=False, what=str(why), mend=why.mend)
        return
    yield Finding(well=True, what=f"database {shown(url)}")


def _certificates(broker: Broker, *, heard: bool) -> Iterator[Finding]:
    """Whether they can be read, hold, and are trusted."""
    mend = (
        "renew it: lifeline certs --out FOLDER does for those it made (docs/operations.md); then start broker and receive again"
    )
    try:
        found: list[expiry.Held | str] = list(expiry.held(broker))
    except Unusable as why:
        found = [str(why)]
    found += [expiry.presented(broker)] if heard else []
    for each in found:
        if isinstance(each, str):
            yield Finding(well=False, what=f"broker {each}", mend="see [broker] ca_file, cert_file and key_file")
        else:
            yield Finding(each.left > expiry.SOON, str(each), mend)


def _process(name: str, at: str) -> Finding:
    url = f"{at.rstrip('/')}/-/ready"
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310  the settings say where
            return Finding(answer.status == 200, f"{name} is ready ({url})")
    except urllib.error.HTTPError as why:
        return Finding(well=False, what=f"{name} is not ready: {why.read().decode(errors='replace')}", mend="mend what it says")
    except OSError as why:
        return Finding(
            well=False,
            what=f"{name} does not answer at {url}: {getattr(why, 'reason', why)}",
            mend=f"start it: lifeline up, or lifeline {name}",
        )
