"""The tree of routes: where labels come out, and through whose conditions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

from alerts.routing.intervals import Spec, within
from alerts.routing.matchers import Labels, Matcher, fits
from lifeline.model import NS

MINUTE: Final = 60 * NS  # [ns]
WEEK: Final = 7 * 24 * 60  # [min]


AGAIN: Final = "repeat"  # a label of a route: what else is said again than what nobody has answered
ACKNOWLEDGED: Final = "acknowledged"  # its only value


class Every(NamedTuple):
    """How often a channel is told again."""

    interval: int  # [ns]
    taken: bool  # also of what somebody has acknowledged

    def and_(self, other: "Every") -> "Every":
        """Of two routes that lead to one channel."""
        return Every(min(self.interval, other.interval), self.taken or other.taken)


class Way(NamedTuple):
    """One channel of a receiver."""

    channel: str
    ends: bool = True  # whether it is told of the end too


@dataclass(frozen=True)
class Node:
    """One route; what the file leaves out is its parent's."""

    path: str  # in the file: route.routes[0]
    receiver: str
    group_by: tuple[str, ...] | None = ()  # None: every label by itself
    group_wait: float = 30.0  # [s]
    group_interval: float = 300.0  # [s]
    repeat_interval: float = 4 * 3600.0  # [s]
    matchers: tuple[Matcher, ...] = ()
    goes_on: bool = False  # its siblings are looked at too
    mute: tuple[str, ...] = ()  # names of intervals in which it says nothing
    active: tuple[str, ...] = ()  # names of intervals outside of which it says nothing; empty: none
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    routes: tuple["Node", ...] = ()

    @property
    def every(self) -> "Every":
        """How often it says again what stands."""
        return Every(round(self.repeat_interval * NS), self.labels.get(AGAIN) == ACKNOWLEDGED)

    def group(self, labels: Labels) -> dict[str, str]:
        """The labels by which warnings are kept together."""
        return dict(sorted((k, v) for k, v in labels.items() if self.group_by is None or k in self.group_by))

    def muted(self, intervals: Mapping[str, tuple[Spec, ...]], t: int) -> list[str]:
        """The intervals because of which it says nothing now. t [ns]"""
        by = [name for name in self.mute if within(intervals[name], t)]
        if self.active and not any(within(intervals[name], t) for name in self.active):
            by += list(self.active)
        return by

    def opens(self, intervals: Mapping[str, tuple[Spec, ...]], t: int) -> int:
        """The first whole minute from t on at which it speaks again; after a week without one, that week's end. t [ns]"""
        minute = -(-t // MINUTE)
        later = (m * MINUTE for m in range(minute, minute + WEEK))
        return next((at for at in later if not self.muted(intervals, at)), (minute + WEEK) * MINUTE)

    def walk(self) -> Iterator["Node"]:
        """Itself, and all below."""
        yield self
        for child in self.routes:
            yield from child.walk()


def reached(node: Node, labels: Labels) -> list[Node]:
    """The routes that take these labels: of each branch the deepest that fits."""
    if not fits(node.matchers, labels):
        return []
    found: list[Node] = []
    for child in node.routes:
        below = reached(child, labels)
        found += below
        if below and not child.goes_on:
            break
    return found or [node]


def shown(node: Node, ways: Mapping[str, tuple[Way, ...]], indent: str = "") -> Iterator[str]:
    """The tree for people, a line a route."""
    when = ", ".join(str(m) for m in node.matchers) or "everything"
    to = ", ".join(w.channel for w in ways.get(node.receiver, ())) or "nobody"
    more = [*(["goes on"] if node.goes_on else []), *(f"not in {m}" for m in node.mute), *(f"only in {a}" for a in node.active)]
    yield f"{indent}{when} → {node.receiver} ({to}){''.join(f'; {m}' for m in more)}   [{node.path}]"
    for child in node.routes:
        yield from shown(child, ways, indent + "  ")
