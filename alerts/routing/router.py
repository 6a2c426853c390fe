"""Who hears of a warning now: by the routing file, or by the levels of the channels where there is none.

Called in the transaction that moves the warning. What is held and what is to be repeated are rows too, so that a crash loses
neither.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, update

from alerts import rows
from alerts.calling import Calling
from alerts.case import Case
from alerts.lifecycle import BEEN_RED
from alerts.route import Receiver, hear
from alerts.routing import seen, silences
from alerts.routing.inhibit import Crowd, Inhibition, Stored, grave
from alerts.routing.plan import Plan
from alerts.routing.seen import Seen
from alerts.routing.silences import Silence
from alerts.routing.tables import groups, later, repeats, suppressed
from alerts.routing.tree import Every, Node, Way, reached
from alerts.tables import outbox, put
from lifeline.model import NS, Kind, Level

_GROUP: Final = select(groups.c.due).where(groups.c.key == bindparam("key"))
_LOUD: Final = delete(suppressed).where(suppressed.c.warning == bindparam("of"))
_NOW: Final = (  # what was tried keeps its time: the other side may have asked for a pause
    update(outbox)
    .where(outbox.c.warning == bindparam("of"), outbox.c.state == "waiting", outbox.c.attempts == 0)
    .where(outbox.c.due > bindparam("at"))
    .values(due=bindparam("at"))
)
_FORGET: Final = tuple(delete(table).where(table.c.warning == bindparam("of")) for table in (repeats, suppressed, later))
_QUIET: Final = select(suppressed).where(suppressed.c.warning == bindparam("of"))
_HELD: Final = select(outbox.c.id).where(
    outbox.c.warning == bindparam("warning"),
    outbox.c.state == "waiting",
    outbox.c.attempts == 0,
    outbox.c.due > bindparam("at"),
)


class Quiet(NamedTuple):
    """Why nobody is told."""

    silences: list[str]
    inhibitors: list[str]

    def __bool__(self) -> bool:
        return bool(self.silences or self.inhibitors)


class Told(NamedTuple):
    """One channel that a route leads to."""

    node: Node
    way: Way


@dataclass(frozen=True)
class Router:
    """An alerts.calling.Hearing: persons are called by the table of responsibilities, channels by the routing file, if any."""

    calling: Calling
    plan: Plan | None = None
    inhibition: Inhibition = field(default_factory=Inhibition)
    _mute: dict[str, tuple[int, int]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def tell(self, db: Connection, case: Case, before: Sequence[Receiver], at: int) -> list[Receiver]:
        """Who is told of the level that stands now. before: those told of this warning earlier. at [ns]"""
        if case.level is Level.NORMAL:
            db.execute(_NOW, {"of": case.id, "at": at})  # beginning and end are told as a pair
            forget(db, case.id)
            return [r for r in before if self.ends(r.channel)]
        known = silences.open_ones(db, at)
        if self.plan is None and not known and not self.inhibition:
            if case.version > 1:
                db.execute(_LOUD, {"of": case.id})
            return [*before, *self.calling.receivers(case, case.level, at, db)]
        one = seen.of(db, case)
        if why := self.quiet(Stored(db), one, known, at):
            withhold(db, one, why, at)
            return []
        db.execute(_LOUD, {"of": case.id})
        return self._heard(db, one, before, at)

    def remind(self, db: Connection, case: Case, tier: int, at: int) -> list[Receiver]:
        """Who is told that nobody has answered: nobody, while nobody is to be told at all. at [ns]"""
        red = case.state in BEEN_RED
        as_told = msgspec.structs.replace(case, level=Level.RED if red else case.level or case.peak)
        one = seen.of(db, as_told)
        if self.quiet(Stored(db), one, silences.open_ones(db, at), at):
            return []
        called = self.calling.receivers(as_told, tier, at, db)
        if self.plan is None:
            return called
        ways = list(dict.fromkeys(way.channel for _, way in self.reaches(one, at)))
        everybody = self._everybody(as_told, self.plan) if red and not ways else []
        return [*(Receiver(channel) for channel in ways or everybody), *(r for r in called if r.person)]

    def _heard(self, db: Connection, one: Seen, before: Sequence[Receiver], at: int) -> list[Receiver]:
        called = self.calling.receivers(one.case, one.case.level, at, db)
        if self.plan is None:
            return [*before, *called]
        told = {r.suffix: r for r in (*before, *(r for r in called if r.person))}
        for channel, (due, every) in self._fresh(db, one, self.plan, at).items():
            told.setdefault(channel, Receiver(channel, due=due))
            _repeat(db, one.id, channel, every, at)
        return list(told.values())

    def _fresh(self, db: Connection, one: Seen, plan: Plan, at: int) -> dict[str, tuple[int, Every]]:
        """Channel -> when it may be told [ns], and how often it is told again."""
        found: dict[str, tuple[int, Every]] = {}
        self._wait_for_hours(db, one, plan, at)
        for node, way in self.reaches(one, at):
            due = at if urgent(one.case) else held(db, node, one.labels, at)
            had = found.get(way.channel, (due, node.every))
            found[way.channel] = (min(due, had[0]), node.every.and_(had[1]))
        if not found and grave(one.case):
            rows.record(db, at, "unrouted", by="desk", warning=one.id, level=one.case.level.name)
            return dict.fromkeys(self._everybody(one.case, plan), (at, plan.root.every))
        return found

    def reaches(self, one: Seen, at: int) -> Iterator[Told]:
        """The channels that the routes lead to at this instant; a RED hazard is muted by no interval. at [ns]"""
        for node in reached(self.plan.root, one.labels) if self.plan else ():
            if self.plan and (grave(one.case) or not node.muted(self.plan.times, at)):
                yield from (Told(node, way) for way in self.plan.ways.get(node.receiver, ()))

    def _wait_for_hours(self, db: Connection, one: Seen, plan: Plan, at: int) -> None:
        """What a route is mute about by its hours is told when they are over, if it still stands."""
        nodes = reached(plan.root, one.labels) if plan.times and not grave(one.case) else []
        if mute := [n for n in nodes if plan.ways.get(n.receiver) and n.muted(plan.times, at)]:
            put(db, later, warning=one.id, due=min(self._opens(plan, n, at) for n in mute))

    def _opens(self, plan: Plan, node: Node, at: int) -> int:
        """When a mute route speaks again, looked for once for each time that it is mute. [ns]"""
        begun, until = self._mute.get(node.path, (0, 0))
        if not begun <= at < until:
            until = node.opens(plan.times, at)
            self._mute[node.path] = (at, until)
        return until

    def _everybody(self, case: Case, plan: Plan) -> list[str]:
        """Whom a RED hazard is told whose routes lead to nobody."""
        root = [way.channel for way in plan.ways.get(plan.root.receiver, ())]
        fitting = [r.channel for r in hear(self.calling.routes, case.level, case.kind)]
        return root or fitting or sorted({way.channel for ways in plan.ways.values() for way in ways})

    def ends(self, channel: str) -> bool:
        """Whether a channel is told of the end."""
        ways = [w for ways in self.plan.ways.values() for w in ways if w.channel == channel] if self.plan else []
        return not ways or any(w.ends for w in ways)

    def quiet(self, crowd: Crowd, one: Seen, known: Sequence[Silence], at: int) -> Quiet:
        """Why a warning is told to nobody; empty when it is told. known: open silences; at [ns]"""
        by = silences.hiding(known, one, at)
        return Quiet(by, self.inhibition.inhibitors(crowd, one, lambda source: self._unheard(source, known, at)))

    def _unheard(self, source: Seen, known: Sequence[Silence], at: int) -> bool:
        """Whether nobody hears of it: then it explains nothing to anybody."""
        if silences.hiding(known, source, at):
            return True
        if self.plan is None:
            return not self.calling.receivers(source.case, source.case.level, at)
        return not grave(source.case) and next(self.reaches(source, at), None) is None


def urgent(case: Case) -> bool:
    """Whether it never waits for company."""
    return case.kind is Kind.HAZARD and case.level >= Level.ORANGE


def held(db: Connection, node: Node, labels: dict[str, str], at: int) -> int:
    """When the group of these labels is next let go. [ns]"""
    key = json.dumps([node.path, node.group(labels)], ensure_ascii=False, sort_keys=True)
    last: int | None = db.execute(_GROUP, {"key": key}).scalar_one_or_none()
    interval = round(node.group_interval * NS)
    due = at + round(node.group_wait * NS)
    if last is not None and at < last + interval:
        due = last if at < last else last + interval
    put(db, groups, key=key, due=due)
    return due


def withhold(db: Connection, one: Seen, why: Quiet, at: int) -> None:
    """Write down that it is told to nobody, and take back what is still held."""
    row = db.execute(_QUIET, {"of": one.id}).mappings().one_or_none()
    lists = {"silences": json.dumps(why.silences), "inhibitors": json.dumps(why.inhibitors)}
    if row is None or any(row[name] != text for name, text in lists.items()):
        put(db, suppressed, warning=one.id, since=row["since"] if row else at, **lists)
        rows.record(db, at, "suppressed", by="desk", warning=one.id, level=one.case.level.name, **why._asdict())
    back = list(db.execute(_HELD, {"warning": one.id, "at": at}).scalars())
    if back:
        db.execute(delete(outbox).where(outbox.c.id.in_(back)))
        rows.record(db, at, "withheld", by="desk", warning=one.id, notices=back)


def forget(db: Connection, warning: str) -> None:
    """A warning that has ended is neither repeated nor suppressed, nor told later."""
    for statement in _FORGET:
        db.execute(statement, {"of": warning})


def standing(db: Connection) -> dict[str, Quiet]:
    """What is told to nobody, as it is written down."""
    decode = msgspec.json.decode
    return {r.warning: Quiet(decode(r.silences), decode(r.inhibitors)) for r in db.execute(select(suppressed))}


def _repeat(db: Connection, warning: str, channel: str, every: Every, at: int) -> None:
    due = at + every.interval
    put(db, repeats, warning=warning, suffix=channel, every=every.interval, due=due, times=0, taken=every.taken)
