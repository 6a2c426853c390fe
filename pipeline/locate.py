"""Where in a text a place of JSON stands, such as [1].v or values.methane."""

import json
import re
from json.decoder import JSONDecoder
from typing import Final, NamedTuple

STEP: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
SPACE: Final = re.compile(r"[ \t\n\r]*")
_whole: Final = JSONDecoder()


class Spot(NamedTuple):
    """A place in a text, counted from 1 as editors do, and from 0 in characters."""

    line: int
    column: int
    offset: int


def spot(text: str, offset: int) -> Spot:
    """Line and column of a character."""
    before = text[:offset]
    return Spot(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1, offset)


def steps(place: str) -> list[int | str]:
    """The way to a place: [1].v is 1, then v."""
    return [int(i) if i else name for i, name in STEP.findall(place)]


def find(text: str, place: str) -> int | None:
    """Offset of the value at a place, as far as the way there leads; None where the text is not JSON that far."""
    at = _space(text, 0)
    for step in steps(place):
        try:
            inner = _element(text, at, step) if isinstance(step, int) else _member(text, at, step)
        except (ValueError, IndexError, StopIteration):
            return None
        if inner is None:
            return None
        at = inner
    return at


def _space(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    return found.end() if found else at


def _after(text: str, at: int) -> int:
    """Behind the value that begins here, and the space after it."""
    return _space(text, _whole.raw_decode(text, at)[1])


def _element(text: str, at: int, i: int) -> int | None:
    if text[at] != "[":
        return None
    at = _space(text, at + 1)
    for _ in range(i):
        at = _after(text, at)
        if text[at] != ",":
            return None
        at = _space(text, at + 1)
    return at


def _member(text: str, at: int, name: str) -> int | None:
    """The last member of this name, as the decoder takes it."""
    if text[at] != "{":
        return None
    at, found = _space(text, at + 1), None
    while text[at] == '"':
        key, at = _whole.raw_decode(text, at)
        at = _space(text, _space(text, at) + 1)
        if key == name:
            found = at
        at = _after(text, at)
        if text[at] != ",":
            break
        at = _space(text, at + 1)
    return found


def named(text: str, name: str) -> int | None:
    """Where a series or a channel is first named."""
    for wanted in (name, name.rpartition("/")[2]):
        at = text.find(json.dumps(wanted, ensure_ascii=False))
        if at >= 0:
            return at
    return None
