"""The desk's own warnings of rosters: nobody is on duty now, or nobody will be. A gap is a wrong silence."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, NamedTuple, cast

from alerts import queries, rows
from alerts.book import Book
from alerts.duty import enter
from alerts.duty.gaps import GRAVE, Flaw, Trouble, troubles
from alerts.duty.load import Duty
from alerts.duty.wall import shown
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id

HAZARD: Final = "duty_gap"
QUANTITY: Final = "duty"
AHEAD: Final = 7 * 86_400.0  # [s] looked into the time to come
DAILY: Final = 86_400.0  # [s] between looks, unless something has been entered


class Rule(NamedTuple):
    """One of the two things that can be wrong with a roster."""

    name: str
    kind: Kind
    level: Level


NOW: Final = Rule("duty.roster.now", Kind.HAZARD, Level.ORANGE)
LATER: Final = Rule("duty.roster.ahead", Kind.TICKET, Level.YELLOW)
RULES: Final = {rule.name: rule for rule in (NOW, LATER)}


class Finding(NamedTuple):
    """How one role stands under one rule."""

    unit: str
    role: str
    rule: Rule
    words: str  # "": nothing is wrong

    @property
    def asset(self) -> str:
        return f"{self.unit}/{self.role}"

    @property
    def key(self) -> str:
        return f"{self.asset}/{QUANTITY}"


@dataclass
class Guard:
    """Looks at the rosters: at who is on duty whenever it is asked, at the days to come once a day and after every entry."""

    book: Book
    duty: Duty
    city: str
    lat: float  # [°] WGS-84
    lon: float  # [°] WGS-84
    ahead: float = AHEAD  # [s]
    _lock: Lock = field(default_factory=Lock)
    _looked: int = 0  # [ns]
    _version: tuple[int, int, int] | None = None
    _coming: dict[tuple[str, str], list[Trouble]] = field(default_factory=dict)

    def wrong(self, at: int) -> list[str]:
        """Roles in which nobody, or too few, are on duty now: one line each. at [ns]"""
        return [f"{f.unit}/{f.role}: {f.words}" for f in self._present(at) if f.words]

    def check(self, at: int) -> bool:
        """Raise or clear what has changed since the last look; whether anything did. at [ns]"""
        with self._lock:
            return self._check(at)

    def _check(self, at: int) -> bool:
        with self.book.database.read() as db:
            stands = set(queries.standing(db, (NOW.name, LATER.name)))
        found = (*self._present(at), *self._future(at), *self._past(stands))
        changed = [f for f in found if bool(f.words) is not ((f.asset, f.rule.name) in stands)]
        changed.sort(key=lambda f: (f.rule is LATER) is bool(f.words))  # one notice, not two, where both rise or both end
        said = [self._change(f, at) for f in changed]
        if not said:
            return False
        self._record(said, at)
        return self.book.take(said, at).accepted > 0

    def _present(self, at: int) -> list[Finding]:
        rosters, found = self.duty.rosters, []
        with self.book.database.read() as db:
            for unit, role in rosters.roles:
                persons, gap = rosters.found(unit, role, at, db)
                told = ", ".join(p.id for p in persons)
                found.append(Finding(unit, role, NOW, _short(told) if gap else ""))
        return found

    def _future(self, at: int) -> list[Finding]:
        with self.book.database.read() as db:
            version = enter.version(db)
            if version != self._version or not 0 <= at - self._looked < DAILY * NS:
                self._coming = {}
                for t in troubles(self.duty.rosters, at, at + round(self.ahead * NS), db):
                    if t.flaw in GRAVE:
                        self._coming.setdefault((t.unit, t.role), []).append(t)
                self._version, self._looked = version, at
        return [Finding(u, r, LATER, self._told(self._coming.get((u, r), []), at)) for u, r in self.duty.rosters.roles]

    def _past(self, stands: Iterable[tuple[str, str]]) -> list[Finding]:
        """Roles that were warned of and are no longer in the file: nothing is wrong with what is not there."""
        known = {"/".join(at) for at in self.duty.rosters.roles}
        gone = ((*asset.partition("/")[::2], rule) for asset, rule in stands if asset not in known)
        return [Finding(unit, role, RULES[rule], "") for unit, role, rule in gone]

    def _told(self, coming: list[Trouble], at: int) -> str:
        """The first that is not over."""
        left = [t for t in coming if t.end > at]
        if not left:
            return ""
        first, more = left[0], f" (+{len(left) - 1})" if len(left) > 1 else ""
        span = f"{shown(first.start, self.duty.zone)} – {shown(first.end, self.duty.zone)}"
        if first.flaw is Flaw.GAP:
            return f"{span} 值班人员不足 / too few on duty{more}"
        who = f"{first.person} ({first.detail})" if first.person else "候补人员 / the fallback"
        return f"{span} {who} 无法通知 / cannot be reached{more}"

    def _record(self, said: list[Change], at: int) -> None:
        """Gaps are part of the audit trail whether or not a channel wants to hear of them."""
        with self.book.database.write() as db:
            for c in said:
                act = "duty_gap" if c.new != Level.NORMAL.name else "duty_filled"
                rows.record(db, at, act, by=c.rule, warning=None, roster=c.asset, words=c.evidence.note)

    def _change(self, f: Finding, at: int) -> Change:
        t = max(at, queries.stands(self.book.database, f.key, f.rule.name)[1] + 1)
        old, new = (Level.NORMAL, f.rule.level) if f.words else (f.rule.level, Level.NORMAL)
        unit = self.duty.people.units.get(f.unit)
        role = unit.roles.get(f.role) if unit else None
        named = f"{unit.zh} {role.zh} / {unit.en} {role.en}" if unit and role else f"{f.unit}/{f.role}"
        note = ": ".join(filter(None, (named, f.words)))
        return Change(
            id=change_id(f.rule.name, f.key, t, new), t=t, city=self.city, district=self.city,
            domain=cast("Domain", "pipeline"),  # of no domain: it concerns the warning itself
            asset=f.asset, device="roster", key=f.key, quantity=QUANTITY, rule=f.rule.name, hazard=HAZARD,
            kind=f.rule.kind, mode=Mode.ACTIVE, hard=True, old=old.name, new=new.name, score=None, lat=self.lat,
            lon=self.lon, owner=unit.zh if unit else f.unit, evidence=Evidence([t], [None], "", {}, "", note=note),
        )  # fmt: skip


def _short(told: str) -> str:
    """What is said when too few are on duty. told: who is asked nevertheless"""
    return f"当前值班人员不足，仅能通知 {told or '（无人）'} / too few on duty now; told: {told or 'nobody'}"
