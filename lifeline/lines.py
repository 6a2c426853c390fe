"""Where a key stands in a TOML file: the parser keeps no line numbers, and people want them."""

import re
from collections import Counter
from typing import Final

HEADER: Final = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
LONG: Final = re.compile(r'("""|\'\'\')(?:\\.|.)*?\1', re.DOTALL)  # text over several lines, in which anything may stand
KEY: Final = re.compile(r"^\s*([A-Za-z0-9_.\"'-]+)\s*=")


def lines(text: str) -> dict[str, int]:
    """Line of each table and key by its place, such as `fault[1].hole`; the first line is 1. Inline tables have their key's."""
    found: dict[str, int] = {}
    seen: Counter[str] = Counter()
    table = ""
    for number, line in enumerate(LONG.sub(_blank, text).split("\n"), 1):
        if header := HEADER.match(line):
            table = _place(header[2], seen, many=header[1] == "[[")
            found.setdefault(table, number)
        elif key := KEY.match(line):
            found.setdefault(".".join(filter(None, (table, _plain(key[1])))), number)
    return found


def _blank(long: re.Match[str]) -> str:
    """A long text without what it says, but over as many lines."""
    return '""' + "\n" * long[0].count("\n")


def line(found: dict[str, int], place: str) -> int:
    """Line of a place, or of the nearest table around it; 1 where there is none."""
    while place:
        if place in found:
            return found[place]
        place = place[: max(place.rfind("."), place.rfind("["), 0)]
    return 1


def _place(header: str, seen: Counter[str], *, many: bool) -> str:
    """A header's place: every list of tables in it stands at its latest item."""
    parts = [_plain(part) for part in header.split(".")]
    place = ""
    for i, part in enumerate(parts):
        place = f"{place}.{part}" if place else part
        if many and i == len(parts) - 1:
            seen[place] += 1
        if seen[place]:
            place = f"{place}[{seen[place] - 1}]"
    return place


def _plain(key: str) -> str:
    return key.strip().strip("\"'")
