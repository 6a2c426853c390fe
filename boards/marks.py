"""What stands about values: colours, texts for values and for none, links, columns by other names."""

from collections.abc import Sequence
from typing import Any

from boards.words import ABSENT, COLOURS, NAMES, PLAIN, RANKS, UNKNOWN, Language

JSON = dict[str, Any]


def thresholds(steps: Sequence[Any]) -> JSON:
    return {"mode": "absolute", "steps": list(steps)}


def plain(colour: str = PLAIN) -> JSON:
    return thresholds([{"value": None, "color": colour}])


def of_levels(say: Language) -> list[JSON]:
    """Level names as texts on their colours, and what is not there as UNKNOWN."""
    names = {n: {"text": say.of(p), "color": COLOURS[n], "index": i} for i, (n, p) in enumerate(NAMES.items())}
    return [{"type": "value", "options": names}, nothing(say)]


def of_ranks(say: Language) -> list[JSON]:
    """Ranks of levels as texts on their colours."""
    names = {
        str(r): {"text": say.of(NAMES[n]), "color": COLOURS[n], "index": i} for i, (r, n) in enumerate(sorted(RANKS.items()))
    }
    return [{"type": "value", "options": names}, nothing(say)]


def nothing(say: Language) -> JSON:
    """No value is UNKNOWN: never zero, never green."""
    result = {"text": say.of(ABSENT), "color": COLOURS[UNKNOWN], "index": 9}
    return {"type": "special", "options": {"match": "null+nan", "result": result}}


def words(pairs: Sequence[tuple[float, str, str]]) -> list[JSON]:
    """States: value, text, colour."""
    return [{"type": "value", "options": {f"{v:g}": {"text": t, "color": c, "index": i} for i, (v, t, c) in enumerate(pairs)}}]


def rank_steps() -> list[JSON]:
    """Colours by rank, from UNKNOWN up."""
    (_, first), *rest = sorted(RANKS.items())
    return [{"value": None, "color": COLOURS[first]}, *({"value": r, "color": COLOURS[n]} for r, n in rest)]


def override(column: str, **properties: Any) -> JSON:
    """How one column of a table, or one series, differs."""
    return {
        "matcher": {"id": "byName", "options": column},
        "properties": [{"id": k.replace("__", "."), "value": v} for k, v in properties.items()],
    }


def link(title: str, url: str, *, new: bool = False) -> JSON:
    return {"title": title, "url": url, "targetBlank": new}


def joined(column: str) -> JSON:
    """Several tables side by side, by a column of theirs."""
    return {"id": "joinByField", "options": {"byField": column, "mode": "outer"}}


def only(columns: Sequence[str]) -> JSON:
    """No other columns but these."""
    return {"id": "filterFieldsByName", "options": {"include": {"names": list(columns)}}}


def renamed(names: dict[str, str], order: Sequence[str] = (), hidden: Sequence[str] = ()) -> JSON:
    """Columns by other names, in an order, without some."""
    options = {
        "renameByName": names,
        "indexByName": {c: i for i, c in enumerate(order)},
        "excludeByName": dict.fromkeys(hidden, True),
    }
    return {"id": "organize", "options": options}
