"""JSON as it comes from devices: strict and quick where it is valid, patient where one number of many is not."""

import json
from typing import Any, NamedTuple

import msgspec

from ingest.codecs import BadPayload

Plain = float | bool | str | dict[str, Any] | list[Any] | None
Record = dict[str, float | bool | str | dict[str, Plain] | list[Any] | None]
_quick = msgspec.json.Decoder(Record | list[Record])


class Unfinite(NamedTuple):
    """NaN, Infinity, or a number beyond double precision, as it stood in the text."""

    text: str


def load(payload: bytes) -> Any:
    """Give the tree of an object or an array; numbers are floats."""
    try:
        return _quick.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _patient(payload)


def _patient(payload: bytes) -> Any:
    """Many devices print NaN, which JSON has no word for: only that value is lost, not the message."""
    try:
        tree = json.loads(payload.decode(), parse_float=_number, parse_int=_number, parse_constant=Unfinite)
    except UnicodeDecodeError as why:
        raise BadPayload("not UTF-8", f"byte {why.start}") from why
    except RecursionError as why:
        raise BadPayload("JSON nested too deeply", "payload") from why
    except json.JSONDecodeError as why:
        raise BadPayload(f"not JSON: {why.msg}", f"character {why.pos}") from why
    if not isinstance(tree, dict | list):
        raise BadPayload("JSON must be an object or an array here", "payload")
    return tree


def _number(text: str) -> float | Unfinite:
    value = float(text)
    return value if abs(value) < float("inf") else Unfinite(text[:20])
