"""What is not told because something graver, or something upstream, explains it.

By rules, as in Alertmanager: a target is quiet while a source stands whose labels named by `equal` are the same. By topology:
while one of the hazards that explain it stands upstream or in the same well, at least as grave. A RED hazard is inhibited by
nothing but a rule whose source is a RED hazard. What nobody hears of explains nothing; of warnings that explain each other the
first is told.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import Connection, Select, and_, bindparam, or_

from alerts.case import Case, weight
from alerts.routing import seen
from alerts.routing.matchers import Matcher, Sign, fits
from alerts.routing.seen import COLUMNS, Seen
from alerts.routing.tables import facts
from alerts.routing.topology import Topology
from alerts.tables import warnings
from lifeline.model import Kind, Level

DEEP: Final = 50  # [1] warnings looked at for one, so that no web of rules holds up the rest


class Rule(NamedTuple):
    """One of inhibit_rules."""

    name: str
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def binds(self, source: Seen, target: Seen) -> bool:
        """Whether one keeps the other quiet; two that are both of both sides do not."""
        if source.id == target.id or not (fits(self.source, source.labels) and fits(self.target, target.labels)):
            return False
        if fits(self.source, target.labels) and fits(self.target, source.labels):
            return False
        return self.same(source) == self.same(target)

    def same(self, one: Seen) -> tuple[str, ...]:
        """The values of the labels that must be equal."""
        return tuple(one.labels.get(n, "") for n in self.equal)


class Crowd(Protocol):
    """What stands, to be searched."""

    def sources(self, rule: Rule, target: Seen) -> Iterable[Seen]:
        """At least all that fit the rule's source and have the target's values of `equal`."""

    def at(self, assets: Iterable[str]) -> Iterable[Seen]:
        """All that stand at these assets."""


@dataclass(frozen=True)
class Stored:
    """In the database: for one target."""

    db: Connection

    def sources(self, rule: Rule, target: Seen) -> list[Seen]:
        """Sifted by the database as far as it can."""
        return seen.found(self.db, _sifting(rule), {f"of_{n}": target.labels.get(n, "") for n in rule.equal if n in COLUMNS})

    def at(self, assets: Iterable[str]) -> list[Seen]:
        return seen.found(self.db, _AT, {"assets": sorted(assets)})


@dataclass(frozen=True)
class Gathered:
    """In memory: for many targets."""

    stands: Sequence[Seen]
    _by_rule: dict[Rule, dict[tuple[str, ...], list[Seen]]] = field(default_factory=dict, init=False)
    _by_asset: dict[str, list[Seen]] = field(default_factory=dict, init=False)

    def sources(self, rule: Rule, target: Seen) -> list[Seen]:
        """From an index that is made once for each rule."""
        if rule not in self._by_rule:
            index = self._by_rule.setdefault(rule, {})
            for one in self.stands:
                if fits(rule.source, one.labels):
                    index.setdefault(rule.same(one), []).append(one)
        return self._by_rule[rule].get(rule.same(target), [])

    def at(self, assets: Iterable[str]) -> list[Seen]:
        if not self._by_asset:
            for one in self.stands:
                self._by_asset.setdefault(one.case.asset, []).append(one)
        return [one for asset in assets for one in self._by_asset.get(asset, [])]


_AT: Final = seen.among(warnings.c.asset.in_(bindparam("assets", expanding=True)))


@lru_cache(maxsize=10_000)
def _sifting(rule: Rule) -> Select[Any]:
    """The statement that finds a rule's sources: built once, for that costs more than to run it."""
    wanted = [warnings.c[COLUMNS[m.name]] == m.value for m in rule.source if m.sign is Sign.IS and m.name in COLUMNS]
    wanted += [warnings.c[COLUMNS[n]] == bindparam(f"of_{n}") for n in rule.equal if n in COLUMNS]
    return seen.among(or_(facts.c.labels.is_not(None), and_(True, *wanted)))


@dataclass(frozen=True)
class Inhibition:
    """All rules and links."""

    rules: Sequence[Rule] = ()
    topology: Topology = field(default_factory=Topology)

    def __bool__(self) -> bool:
        return bool(self.rules or self.topology.links)

    def inhibitors(self, crowd: Crowd, target: Seen, silenced: Callable[[Seen], bool]) -> list[str]:
        """The warnings because of which this one is not told."""
        if not self or target.case.level is Level.NORMAL:
            return []
        return sorted(source.id for source in self._reasons(crowd, target, silenced))

    def _reasons(self, crowd: Crowd, target: Seen, silenced: Callable[[Seen], bool]) -> list[Seen]:
        direct = self._sources(crowd, target, silenced)
        if not direct:
            return []
        web = self._web(crowd, target, direct, silenced)
        ring = {s for s in web if target.id in _reach(web, s)}  # those that it explains in its turn
        first = not ring or all(_order(target.case) <= _order(web[s].seen.case) for s in ring)
        return [s for s in direct if s.id not in ring or not first]

    def _web(self, crowd: Crowd, target: Seen, direct: list[Seen], silenced: Callable[[Seen], bool]) -> "dict[str, _Knot]":
        """What explains it, what explains that, and so on."""
        web = {target.id: _Knot(target, [s.id for s in direct])}
        ahead = list(direct)
        while ahead and len(web) < DEEP:
            here = ahead.pop()
            if here.id not in web:
                above = self._sources(crowd, here, silenced)
                web[here.id] = _Knot(here, [s.id for s in above])
                ahead += above
        return web

    def _sources(self, crowd: Crowd, target: Seen, silenced: Callable[[Seen], bool]) -> list[Seen]:
        found = {s.id: s for s in (*self._by_rule(crowd, target), *self._by_place(crowd, target))}
        return [s for s in found.values() if not silenced(s)]

    def _by_rule(self, crowd: Crowd, target: Seen) -> Iterator[Seen]:
        red = grave(target.case)
        for rule in self.rules:
            if fits(rule.target, target.labels):
                for source in crowd.sources(rule, target):
                    if rule.binds(source, target) and (not red or grave(source.case)):
                        yield source

    def _by_place(self, crowd: Crowd, target: Seen) -> Iterator[Seen]:
        causes = self.topology.causes(target.case.asset)
        if not causes or grave(target.case):
            return
        for source in crowd.at(causes):
            enough = weight(source.case.level, source.case.kind) >= weight(target.case.level, target.case.kind)
            if enough and any(link.explains(target.case.hazard, source.case.hazard) for link in causes[source.case.asset]):
                yield source


class _Knot(NamedTuple):
    seen: Seen
    above: list[str]  # what explains it


def _reach(web: dict[str, _Knot], start: str) -> set[str]:
    """All that is met on the way up, not the start itself unless it is met again."""
    met: set[str] = set()
    ahead = list(web[start].above) if start in web else []
    while ahead:
        here = ahead.pop()
        if here not in met:
            met.add(here)
            ahead += web[here].above if here in web else []
    return met


def grave(case: Case) -> bool:
    """Whether it is a RED hazard."""
    return case.level is Level.RED and case.kind is Kind.HAZARD


def _order(case: Case) -> tuple[bool, int, int, str]:
    """Who is told of those that explain each other: the gravest, then the oldest."""
    hazard, level = weight(case.level, case.kind)
    return not hazard, -level, case.onset, case.id
