"""The commands `lifeline route show` and `lifeline route test`: who would hear of what. They need no server."""

from collections.abc import Sequence

from alerts import channels, responsible
from alerts.responsible import Matter
from alerts.routing.explain import by_level, explained, heard
from alerts.routing.tree import shown
from lifeline.config import Config
from lifeline.model import Domain, Kind, Level
from lifeline.words import Unusable, suggestion
from pipeline.routed import planned


def tree(config: Config) -> str:
    """Routes, receivers and inhibition rules, in lines."""
    plan, _ = planned(config)
    if plan is None:
        routes, _ = channels.configured(config.channels, config.folder)
        lines = [f"{r.channel}: from {r.min_level.name} on, {' and '.join(sorted(r.kinds))}" for r in routes]
        return "\n".join(["no routing file ([desk] routing); the channels decide:", *lines])
    lines = list(shown(plan.root, plan.ways))
    for rule in plan.rules:
        source, target = (", ".join(map(str, side)) for side in (rule.source, rule.target))
        lines.append(f"inhibited: {target} while {source}; same {', '.join(rule.equal) or 'nothing'}   [{rule.name}]")
    return "\n".join([*lines, *plan.notes])


def labelled(pairs: Sequence[str]) -> dict[str, str]:
    """From "name=value" words."""
    wrong = [p for p in pairs if "=" not in p or p.startswith("=")]
    if wrong:
        raise Unusable(f"{wrong[0]!r} is no label; write name=value")
    return dict(p.split("=", 1) for p in pairs)


def tried(config: Config, labels: dict[str, str], at: int) -> tuple[str, int]:
    """(what would happen to a warning with these labels, exit code: 1 if nobody would hear). at [ns]"""
    level = labels.get("severity", Level.YELLOW.name)
    if level not in Level.__members__:
        raise Unusable(f"{level!r} is no level; write one of {', '.join(Level.__members__)}")
    if "domain" in labels and labels["domain"] not in list(Domain):
        raise Unusable(f"{labels['domain']!r} is no domain; {suggestion(labels['domain'], map(str, Domain))}")
    kind = Kind.TICKET if labels.get("kind") == Kind.TICKET else Kind.HAZARD
    whole = {"severity": level, "kind": kind.value, "city": config.city.name, **labels}
    table = responsible.load(config.desk.responsibilities or responsible.SHIPPED)
    facts = [whole.get(name, "") for name in ("domain", "district", "asset_type", "alertname", "kind")]
    called = [f"persons: {p.role} of {p.unit} ({p.zh})" for p in table.parts(Matter(*facts), Level[level])]
    plan, _ = planned(config)
    if plan is None:
        routes, _ = channels.configured(config.channels, config.folder)
        told = any(r.fits(Level[level], kind) for r in routes)
        return "\n".join([*by_level(routes, Level[level], kind), *called]), 0 if told else 1
    lines = list(explained(plan, whole, Level[level], kind, at))
    return "\n".join([*lines, *called]), 0 if heard(plan, whole, Level[level], kind, at) else 1
