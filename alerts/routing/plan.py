"""An Alertmanager configuration, read as the desk uses it."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final, TypeVar

from alerts.routing import intervals
from alerts.routing.document import BadDuration, Part, Problems, duration, opened, scalars
from alerts.routing.inhibit import Rule
from alerts.routing.intervals import BadInterval, Spec
from alerts.routing.matchers import BadMatcher, Matcher, Sign, matcher, parse
from alerts.routing.receivers import Table, channels
from alerts.routing.tree import Node, Way
from lifeline.config import ConfigRefused
from lifeline.words import suggestion

T = TypeVar("T")

TOP: Final = ("global", "route", "receivers", "inhibit_rules", "time_intervals", "mute_time_intervals", "templates", "tracing")
ROUTE: Final = (
    "receiver", "group_by", "group_wait", "group_interval", "repeat_interval", "matchers", "match", "match_re", "continue",
    "mute_time_intervals", "active_time_intervals", "routes", "labels",
)  # fmt: skip
SIDES: Final = ("matchers", "match", "match_re")
INHIBIT: Final = ("name", "equal", *(f"{side}_{key}" for side in ("source", "target") for key in SIDES))
SPEC: Final = ("times", "weekdays", "days_of_month", "months", "years", "location")
EVERY: Final = "..."
SECRET: Final = re.compile(r"(password|secret|token|credentials|api_key|service_key|routing_key|user_key)$")
LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True)
class Plan:
    """Who hears of what."""

    root: Node
    ways: Mapping[str, tuple[Way, ...]]  # receiver -> its channels
    tables: Mapping[str, Table]  # channels that the file itself describes
    rules: tuple[Rule, ...] = ()
    times: Mapping[str, tuple[Spec, ...]] = field(default_factory=dict)
    resolve_timeout: float = 300.0  # [s] after which an alert that came without an end is over
    text: str = ""  # the file, with its secrets hidden
    notes: tuple[str, ...] = ()  # what is taken otherwise than Alertmanager takes it


def load(path: Path, ours: Collection[str] = ()) -> Plan:
    """Read a file; ConfigRefused with all that is wrong. ours: names under [channels] of the configuration."""
    try:
        text = path.read_text("utf-8")
    except OSError as why:
        raise ConfigRefused([f"{path}: cannot be read: {why.strerror}"]) from why
    except UnicodeDecodeError as why:
        raise ConfigRefused([f"{path}: is not UTF-8 (byte {why.start}); save it as UTF-8"]) from why
    return read(path, text, ours)


def read(path: Path, text: str, ours: Collection[str] = ()) -> Plan:
    """The same, from its text."""
    document = opened(path, text)
    if isinstance(document, Problems):
        raise ConfigRefused(document.found)
    top, problems = document.entries(TOP), document.problems
    glob = top["global"].entries() if "global" in top else {}
    ways, tables = channels(top["receivers"], glob, ours) if "receivers" in top else ({}, {})
    times = _times(top)
    root = Node("route", "")
    if "route" not in top:
        document.refuse("route: is missing")
    else:
        root = _route(top["route"], None, ways, times)
    rules = tuple(_rule(p) for p in top["inhibit_rules"].items()) if "inhibit_rules" in top else ()
    if "templates" in top:
        top["templates"].note("not used: the desk has words of its own, in both languages")
    timeout = glob["resolve_timeout"].read(duration, BadDuration, 300.0) if "resolve_timeout" in glob else 300.0
    if problems.found:
        raise ConfigRefused(problems.found)
    return Plan(root, ways, tables, rules, times, timeout, hidden(document, text), tuple(problems.notes))


def _route(part: Part, above: Node | None, ways: Mapping[str, object], times: Mapping[str, object]) -> Node:
    has = part.entries(ROUTE)
    receiver = has["receiver"].text() if "receiver" in has else above.receiver if above else ""
    if not receiver:
        part.refuse("receiver: is missing; the first route needs one")
    elif "receiver" in has and receiver not in ways:
        has["receiver"].refuse(f"there is no receiver {receiver!r}; {suggestion(receiver, ways)}")
    base = above or Node("", "")
    made = Node(
        path=part.path,
        receiver=receiver,
        group_by=_group_by(has["group_by"]) if "group_by" in has else base.group_by,
        group_wait=_seconds(has, "group_wait", base.group_wait, zero=True),
        group_interval=_seconds(has, "group_interval", base.group_interval),
        repeat_interval=_seconds(has, "repeat_interval", base.repeat_interval),
        matchers=_matchers(has, ""),
        goes_on="continue" in has and has["continue"].flag(),
        mute=_names(has, "mute_time_intervals", times),
        active=_names(has, "active_time_intervals", times),
        labels={**base.labels, **({k: p.text() for k, p in has["labels"].entries().items()} if "labels" in has else {})},
    )
    if above is None:
        for key in ("matchers", "match", "match_re", "mute_time_intervals", "active_time_intervals"):
            if key in has:
                has[key].refuse("the first route must take everything at all times")
        if made.goes_on:
            has["continue"].refuse("the first route has no siblings to go on to")
    below = tuple(_route(p, made, ways, times) for p in has["routes"].items()) if "routes" in has else ()
    return Node(**{**made.__dict__, "routes": below})


def _seconds(has: Mapping[str, Part], key: str, default: float, *, zero: bool = False) -> float:
    if key not in has:
        return default
    value = has[key].read(duration, BadDuration, default)
    if value == 0 and not zero:
        has[key].refuse("must be longer than 0")
    return value


def _group_by(part: Part) -> tuple[str, ...] | None:
    names = part.texts()
    if len(set(names)) < len(names):
        part.refuse("a label stands there twice")
    if EVERY in names:
        if len(names) > 1:
            part.refuse(f"{EVERY!r} stands for all labels, so it stands alone")
        return None
    return tuple(names)


def _names(has: Mapping[str, Part], key: str, times: Mapping[str, object]) -> tuple[str, ...]:
    if key not in has:
        return ()
    parts = has[key].items()
    for p in parts:
        if p.text() not in times:
            p.refuse(f"there is no time interval {p.text()!r}; {suggestion(p.text(), times)}")
    return tuple(p.text() for p in parts if p.text() in times)


def _matchers(has: Mapping[str, Part], prefix: str) -> tuple[Matcher, ...]:
    """In all three spellings."""
    made: list[Matcher] = []
    for key, sign in ((f"{prefix}match", Sign.IS), (f"{prefix}match_re", Sign.LIKE)):
        for name, part in has[key].entries().items() if key in has else ():
            if not LABEL.fullmatch(name):
                part.refuse(f"{name!r} is no name of a label")
            made += _try(part, lambda text, n=name, s=sign: (matcher(n, s, text),))  # type: ignore[misc]
    if listed := has.get(f"{prefix}matchers"):
        for part in listed.items():
            made += _try(part, parse)
    return tuple(sorted(made))


def _try(part: Part, how: Callable[[str], Sequence[Matcher]]) -> Sequence[Matcher]:
    return part.read(how, BadMatcher, ())


def _rule(part: Part) -> Rule:
    has = part.entries(INHIBIT)
    source, target = _matchers(has, "source_"), _matchers(has, "target_")
    if not target and not part.empty:
        part.refuse("target_matchers: are missing; such a rule would inhibit everything")
    if not source and not part.empty:
        part.refuse("source_matchers: are missing; anything at all would inhibit")
    name = has["name"].text() if "name" in has else part.path
    return Rule(name, source, target, tuple(has["equal"].texts()) if "equal" in has else ())


def _times(top: Mapping[str, Part]) -> dict[str, tuple[Spec, ...]]:
    made: dict[str, tuple[Spec, ...]] = {}
    for key in ("time_intervals", "mute_time_intervals"):
        for part in top[key].items() if key in top else ():
            has = part.entries(("name", "time_intervals"))
            name = has["name"].text() if "name" in has else ""
            if not name:
                part.refuse("a time interval needs a name")
            elif name in made:
                has["name"].refuse(f"there is another time interval {name!r}")
            else:
                made[name] = tuple(spec(p) for p in has["time_intervals"].items()) if "time_intervals" in has else ()
    return made


def spec(part: Part) -> Spec:
    """One description of times."""
    has = part.entries(SPEC)

    def ranges(key: str, how: Callable[[str], intervals.Range]) -> tuple[intervals.Range, ...]:
        read = [p.read(how, BadInterval, None) for p in has[key].items()] if key in has else []
        return tuple(r for r in read if r is not None)

    zone: tzinfo = has["location"].read(intervals.place, BadInterval, UTC) if "location" in has else UTC
    return Spec(
        tuple(_hours(p) for p in has["times"].items()) if "times" in has else (),
        ranges("weekdays", intervals.weekdays),
        ranges("days_of_month", intervals.days),
        ranges("months", intervals.months),
        ranges("years", intervals.years),
        zone,
    )


def _hours(part: Part) -> intervals.Range:
    has = part.entries(("start_time", "end_time"))
    start, end = (has[k].text() if k in has else "" for k in ("start_time", "end_time"))
    try:
        return intervals.hours(start, end)
    except BadInterval as why:
        part.refuse(str(why))
        return 0, intervals.DAY


def hidden(document: Part, text: str) -> str:
    """The file as it may be shown: secrets replaced, passwords in URLs too."""
    places = {node.start_mark.index: (key, node) for key, node in scalars(document.node)}  # an alias stands in one place
    for _, (key, node) in sorted(places.items(), reverse=True):
        begin, end = node.start_mark.index, node.end_mark.index
        if SECRET.search(key) and node.value:
            text = text[:begin] + "<secret>" + text[end:]
        elif key.endswith("url") and re.search(r"//[^/@\s]+@", node.value):
            text = text[:begin] + re.sub(r"//([^/@:\s]*)(:[^/@\s]*)?@", r"//\1:hidden@", text[begin:end]) + text[end:]
    return text
