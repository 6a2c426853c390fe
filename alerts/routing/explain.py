"""Why labels come out where they do: every route that was looked at, and what it said."""

from collections.abc import Iterator, Mapping, Sequence

from alerts.route import Route
from alerts.routing.matchers import Labels
from alerts.routing.plan import Plan
from alerts.routing.tree import Node, reached
from lifeline.model import Kind, Level


def explained(plan: Plan, labels: Labels, level: Level, kind: Kind, at: int) -> Iterator[str]:
    """The way down the tree, then who is told, how soon, and how often. at [ns]"""
    yield from _looked(plan.root, labels, "")
    yield ""
    red, urgent = level is Level.RED and kind is Kind.HAZARD, level >= Level.ORANGE and kind is Kind.HAZARD
    for node in reached(plan.root, labels):
        channels = ", ".join(way.channel for way in plan.ways.get(node.receiver, ())) or "nobody: it has no channel"
        group = ", ".join(f"{k}={v}" for k, v in node.group(labels).items()) or "all together"
        wait = (
            "at once"
            if urgent
            else f"held {node.group_wait:g} s for company, {node.group_interval:g} s after the last ({group})"
        )
        yield f"receiver {node.receiver} → {channels}"
        again = "asked again by the chase" if urgent else f"again every {node.repeat_interval:g} s"
        taken = f", then every {node.repeat_interval:g} s while it stands" if node.every.taken else ""
        yield f"  by {node.path}; {wait}; {again} until somebody answers{taken}"
        if muted := node.muted(plan.times, at):
            yield f"  muted now by {', '.join(muted)}" + ("; a RED hazard is told all the same" if red else "")


def heard(plan: Plan, labels: Labels, level: Level, kind: Kind, at: int) -> list[str]:
    """The channels that would be told at this instant; of a RED hazard that leads to none, see Router. at [ns]"""
    red = level is Level.RED and kind is Kind.HAZARD
    nodes = [n for n in reached(plan.root, labels) if red or not n.muted(plan.times, at)]
    return list(dict.fromkeys(way.channel for n in nodes for way in plan.ways.get(n.receiver, ())))


def by_level(routes: Sequence[Route], level: Level, kind: Kind) -> Iterator[str]:
    """The same, where the channels' own levels decide."""
    for r in routes:
        wants = f"from {r.min_level.name} on, {' and '.join(sorted(k.value for k in r.kinds))}"
        yield f"{'told    ' if r.fits(level, kind) else 'not told'} {r.channel}: {wants}"


def _looked(node: Node, labels: Labels, indent: str) -> Iterator[str]:
    wrong = [m for m in node.matchers if not m.fits(labels)]
    if wrong:
        yield f"{indent}✗ {node.path}: {', '.join(f'{m}, but {_has(m.name, labels)}' for m in wrong)}"
        return
    yield f"{indent}✓ {node.path}: {', '.join(str(m) for m in node.matchers) or 'takes everything'}"
    for child in node.routes:
        yield from _looked(child, labels, indent + "  ")
        if reached(child, labels) and not child.goes_on:
            return


def _has(name: str, labels: Mapping[str, str]) -> str:
    return f"{name} is {labels[name]!r}" if name in labels else f"there is no {name}"
