"""Rules with changed limits, for asking what another limit would have cost: RULE.LEVEL=VALUE and the like.

What is changed is the row as it is written, so that all that the loader checks of a row is checked of the changed one.
"""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from detectors import rulebook
from detectors.rulebook import HERE, LEVELS, BadRules
from lifeline.model import Domain, Rule
from lifeline.words import Unusable, suggestion

FORMS: Final = "RULE.LEVEL=VALUE, RULE.LEVEL.hold=N, RULE.LEVEL.leave=VALUE, RULE.KEY=VALUE, RULE.parameters.NAME=VALUE"


class Limit(NamedTuple):
    """One change of one rule."""

    rule: str
    place: tuple[str, ...]  # keys of the row, outermost first
    value: Any
    text: str  # as it was given


def limits(given: Sequence[str], folder: Path | None) -> list[Limit]:
    """What is to be changed; Unusable where it names no rule or no level, with the nearest that there is."""
    known = {row["id"]: row for _, rows in books(folder) for row in rows if "id" in row}
    return [_limit(text, known) for text in given]


def _limit(text: str, known: dict[str, dict[str, Any]]) -> Limit:
    left, equals, right = text.partition("=")
    if not equals or not right.strip():
        raise Unusable(f"what-if {text!r}: write {FORMS}")
    rule = max((r for r in known if left.startswith(f"{r}.")), key=len, default="")
    if not rule:
        raise Unusable(f"what-if {text!r}: no such rule; {suggestion(_stem(left), known)}")
    return Limit(rule, _place(left[len(rule) + 1 :].split("."), known[rule], text), _value(right.strip()), text)


def _stem(left: str) -> str:
    """The part of a mistyped name that was meant to be the rule."""
    words = left.split(".")
    while len(words) > 1 and words[-1] in {*LEVELS, "hold", "leave"}:
        words.pop()
    return ".".join(words)


def _place(words: list[str], row: dict[str, Any], text: str) -> tuple[str, ...]:
    keys = [k for k in rulebook.Row.__struct_fields__ if k != "id"]
    if words[0] in LEVELS:
        if words[0] not in row["enter"]:
            raise Unusable(f"what-if {text!r}: the rule has no {words[0]}; it has {', '.join(row['enter'])}")
        if words[1:] in ([], ["hold"], ["leave"]):
            return (words[1] if words[1:] else "enter", words[0])
    elif words[0] in keys and len(words) <= 2:
        return tuple(words)
    raise Unusable(f"what-if {text!r}: {words[-1]}: {suggestion(words[-1], [*row['enter'], *keys])}")


def _value(text: str) -> Any:
    """As TOML has it; a bare word is text."""
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def revised(folder: Path | None, changes: Iterable[Limit]) -> list[Rule]:
    """The rules of a folder with some limits changed; BadRules where a changed rule is none."""
    wanted = list(changes)
    if not wanted:
        return rulebook.rules(folder)
    made: list[Rule] = []
    faults: list[str] = []
    for domain, rows in books(folder):
        for row in rows:
            mine = [x for x in wanted if x.rule == row.get("id")]
            found = _made(_changed(row, mine), None if domain == "any" else Domain(domain))
            if isinstance(found, Rule):
                made.append(found)
            else:
                faults += [f"what-if {', '.join(x.text for x in mine)}: {why}" for why in found]
    if faults:
        raise BadRules("\n".join(faults))
    return made


def books(folder: Path | None) -> list[tuple[str, list[dict[str, Any]]]]:
    """(domain, rows) of each file, as written; BadRules where they are no rules as they stand."""
    rulebook.rules(folder)
    tables = [tomllib.loads(p.read_text("utf-8")) for p in sorted((folder or HERE / "rules").glob("*.toml"))]
    return [(t["domain"], t.get("rule", [])) for t in tables]


def _changed(row: dict[str, Any], changes: Sequence[Limit]) -> dict[str, Any]:
    row = dict(row)
    for x in changes:
        key, *inner = x.place
        if not inner:
            row[key] = x.value
            continue
        whole = row.get(key, {})
        if key == "hold" and not isinstance(whole, dict):
            whole = dict.fromkeys(row["enter"], whole)
        row[key] = {**whole, inner[0]: x.value}
    return row


def _made(row: dict[str, Any], domain: Domain | None) -> Rule | list[str]:
    typed, faults = rulebook.typed(row)
    return rulebook.made_of(typed, domain) if typed else faults
