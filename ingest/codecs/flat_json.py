"""The flat JSON of ThingsBoard's device API: {"k": v}, {"ts": ms, "values": {"k": v}}, or an array of either.

A channel k of device d is the series "d/k". Values are numbers, true and false (1 and 0), and words; anything else is refused
by itself.
"""

from typing import Any

import msgspec

from ingest.codecs import REACH, BadPayload, Readings, Refusal, quoted
from ingest.codecs.text import Unfinite, load

MS = 1_000_000  # [ns]
_AS_THEY_ARE = {float, str}


def decode(payload: bytes, device: str, at: int) -> Readings:
    return read(load(payload), device, at)


def read(tree: Any, device: str, at: int) -> Readings:
    """Of JSON already parsed. at [ns]"""
    if type(tree) is dict:
        return _record(tree, device + "/", at, "")
    out, dated = Readings.none(), True
    for i, record in enumerate(tree):
        if type(record) is dict:
            said = _record(record, device + "/", at, f"[{i}].")
            out.extend(said)
            dated &= said.dated
        else:
            out.bad.append(Refusal(f"[{i}]", f"{_kind(record)} where an object belongs"))
    return out._replace(dated=dated)


def _record(record: dict[str, Any], prefix: str, at: int, place: str) -> Readings:
    """place: what comes before the key in a refusal."""
    t, values, bad = at, record, list[Refusal]()
    dated = "values" in record and "ts" in record
    if dated:
        t, values, place = _dated(record, place, bad), record["values"], f"{place}values."
        if bad:
            return Readings([], [], [], [], bad)
    if not _AS_THEY_ARE.issuperset(map(type, values.values())):
        values = _fit(values, place, bad)
    n = len(values)
    return Readings([prefix + k for k in values], [t] * n, [*values.values()], [""] * n, bad, dated)


def _dated(record: dict[str, Any], place: str, bad: list[Refusal]) -> int:
    """The instant of {"ts": ms, "values": {...}}. [ns]"""
    values, ts = record["values"], record["ts"]
    if type(values) is not dict:
        bad.append(Refusal(f"{place}values", f"{_kind(values)} where an object belongs"))
    elif type(ts) is float and abs(ts) < REACH / MS:
        return int(ts) * MS if ts.is_integer() else round(ts * MS)
    else:
        bad.extend([Refusal(f"{place}ts", "ts must be milliseconds since 1970")] * max(len(values), 1))
    return 0


def _fit(values: dict[str, Any], place: str, bad: list[Refusal]) -> dict[str, Any]:
    """The values that can be readings; the others are refused, each by its place."""
    fit = {k: float(v) if type(v) is bool else v for k, v in values.items() if type(v) in {float, str, bool}}
    bad.extend(Refusal(place + k, f"{_kind(v)} where a number or a word belongs") for k, v in values.items() if k not in fit)
    return fit


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case dict():
            return "an object"
        case list():
            return "an array"
        case Unfinite():
            return "a number that is not finite"
    return f"a {type(value).__name__}"


def encode(readings: Readings, device: str) -> bytes:
    """One object per instant, in the order of `readings`; times to the millisecond, units as the catalog says."""
    prefix, records = device + "/", list[dict[str, Any]]()
    for name, t, value, unit in zip(*readings[:4], strict=True):
        channel = name.removeprefix(prefix)
        if unit or channel == name:
            raise BadPayload("flat JSON has no place for a unit or for another device's series", quoted(name))
        if not records or records[-1]["ts"] != t // MS or channel in records[-1]["values"]:
            records.append({"ts": t // MS, "values": {}})
        records[-1]["values"][channel] = value
    return msgspec.json.encode(records[0] if len(records) == 1 else records)
