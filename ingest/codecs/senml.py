"""Sensor Measurement Lists: records with base fields, resolved as RFC 8428 (Jennings et al., 2018), sections 4.1 to 4.6, says.

Departures, all on the side of refusing: data values (vd) and sums alone (s) are no readings; a record with two values is
refused; from a base field of the wrong type on, nothing can be resolved, so that record and all after it are refused.
Times are exact to the microsecond, as a double of seconds is in this century.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, NamedTuple

from ingest.codecs import REACH, BadPayload, Readings, Refusal, quoted
from lifeline.model import NS

VERSION: Final = 10
ABSOLUTE: Final = 2**28 * NS  # [ns] times below are relative to now
VALUES: Final = ("v", "vb", "vs", "vd", "s")
_FIELDS: Final = {"n", "u", "t", *VALUES}
_PLAIN: Final = {"n", "u", "t", "v"}  # of nearly every record there is
_TEXTS: Final = {str}
_NUMBERS: Final = {int, float}
_TICK: Final = 1_000_000  # [µs] in a second
TEXT: Final[Mapping[Any, str]] = {}  # labels that need no translation

Record = dict[str, Any]


class BadBase(BadPayload):
    """A base field that leaves everything after it without name, time or unit."""


class Base(NamedTuple):
    """What earlier records said once for all after them."""

    bn: str = ""
    bt: int = 0  # [ns]
    bu: str = ""
    bv: float = 0.0  # [unit]


def is_pack(records: list[Any]) -> bool:
    """Whether a JSON array is SenML: some record has a name among the base fields, or a name beside a value."""
    return any(
        type(r) is dict and (type(r.get("bn")) is str or (type(r.get("n")) is str and any(v in r for v in VALUES)))
        for r in records
    )


def resolve(records: list[Any], at: int, labels: Mapping[Any, str] = TEXT) -> Readings:
    """Apply base fields and times. at: what "now" means [ns]; labels: as they are on the wire -> as this file calls them."""
    out, base = Readings.none(), Base()
    for i, r in enumerate(records):
        if i == 1 and _alike(records[1:], base, labels, out):
            break
        try:
            base = _record(r, base, i, labels, out)
        except BadBase as why:
            out.bad.append(Refusal(why.place, why.reason))
            out.bad.extend(
                Refusal(f"[{j}]", "cannot be resolved: a base field before it is bad") for j in range(i + 1, len(records))
            )
            break
    if min(out.t, default=ABSOLUTE) >= ABSOLUTE:
        return out
    return out._replace(t=[t if t >= ABSOLUTE else at + t for t in out.t], dated=False)


def _alike(rest: list[Any], base: Base, labels: Mapping[Any, str], out: Readings) -> bool:
    """Take the usual pack quickly: plain records of one shape, sound values, absolute times. False: not that, nothing taken."""
    if set(map(type, rest)) != {dict} or len(set(map(len, rest))) != 1 or base.bv:
        return False
    wire = {labels.get(k, k): k for k in rest[0]}
    if "v" not in wire or not _PLAIN.issuperset(wire):
        return False
    try:
        n, u, t, v = ([r[wire[k]] for r in rest] if k in wire else [] for k in ("n", "u", "t", "v"))
    except KeyError:
        return False
    if not (_sound(t) and _sound(v) and _TEXTS.issuperset(map(type, n)) and _TEXTS.issuperset(map(type, u))):
        return False
    t = t or [0.0]
    first, last = (base.bt + nanoseconds(x, "t") if abs(x) < REACH / NS else 0 for x in (min(t), max(t)))
    if not ABSOLUTE <= first <= last < REACH:
        return False
    bn, bt, bu, _ = base
    out.name.extend([bn + name for name in n] if n else [bn] * len(v))
    out.t.extend([bt + round(x * _TICK) * 1000 for x in t] if len(t) == len(v) else [first] * len(v))
    out.value.extend(map(float, v))
    out.unit.extend([unit or bu for unit in u] if u else [bu] * len(v))
    return True


def _sound(numbers: list[Any]) -> bool:
    return _NUMBERS.issuperset(map(type, numbers)) and all(map(isfinite, numbers))


def _record(r: Any, base: Base, i: int, labels: Mapping[Any, str], out: Readings) -> Base:
    """One record into `out`, and the base for those after it."""
    if type(r) is not dict:
        out.bad.append(Refusal(f"[{i}]", "not a SenML record"))
        return base
    if labels is not TEXT:
        r = {labels.get(k, k): v for k, v in r.items()}
    if not _PLAIN.issuperset(r):
        _understood(r, i)
        base = _based(base, r, i)
        if not _FIELDS.intersection(r):
            return base  # only says what holds for those after it
    try:
        reading = base.bn + _text(r, "n", i), _time(base, r, i), _value(base, r, i), _text(r, "u", i) or base.bu
    except BadPayload as why:
        out.bad.append(Refusal(why.place, why.reason))
    else:
        out.name.append(reading[0])
        out.t.append(reading[1])
        out.value.append(reading[2])
        out.unit.append(reading[3])
    return base


def _understood(r: Record, i: int) -> None:
    """A pack of a later version, or with a label that must be understood and is not, may not be used at all (4.4)."""
    version = r.get("bver", VERSION)
    if type(version) not in {int, float} or not 0 < version <= VERSION:
        raise BadPayload(f"SenML version must be 1 to {VERSION}", f"[{i}].bver")
    for label in r:
        if type(label) is str and label.endswith("_"):
            raise BadPayload("a SenML label that ends in _ must be understood, and is not", f"[{i}].{quoted(label)}")


def _based(base: Base, r: Record, i: int) -> Base:
    bn, bt, bu, bv = base
    try:
        return Base(
            _text(r, "bn", i) if "bn" in r else bn,
            nanoseconds(number(r["bt"], f"[{i}].bt"), f"[{i}].bt") if "bt" in r else bt,
            _text(r, "bu", i) if "bu" in r else bu,
            number(r["bv"], f"[{i}].bv") if "bv" in r else bv,
        )
    except BadPayload as why:
        raise BadBase(why.reason, why.place) from why


def _text(r: Record, label: str, i: int) -> str:
    value = r.get(label, "")
    if type(value) is not str:
        raise BadPayload("must be a text", f"[{i}].{label}")
    return value


def _time(base: Base, r: Record, i: int) -> int:
    """[ns]; below ABSOLUTE: relative to now."""
    t = base.bt + nanoseconds(number(r["t"], f"[{i}].t"), f"[{i}].t") if "t" in r else base.bt
    if abs(t) > REACH:
        raise BadPayload("time out of reach", f"[{i}].t")
    return t


def _value(base: Base, r: Record, i: int) -> float | str:
    held = [k for k in VALUES[:4] if k in r]
    if held == ["v"]:
        return number(base.bv + number(r["v"], f"[{i}].v"), f"[{i}].v")
    if held == ["vb"] and type(r["vb"]) is bool:
        return float(r["vb"])
    if held == ["vs"] and type(r["vs"]) is str:
        return r["vs"]
    if held == ["vd"]:
        raise BadPayload("binary data (vd) is not a reading", f"[{i}].vd")
    if not held:
        raise BadPayload("a sum (s) alone is not a reading" if "s" in r else "no value", f"[{i}]")
    raise BadPayload("more than one value" if len(held) > 1 else "wrong type", f"[{i}].{held[0]}")


def number(value: Any, place: str) -> float:
    """A finite number; true and false are none."""
    if type(value) is float or (type(value) is int and abs(value) < 2**64):
        if isfinite(value):
            return value
        raise BadPayload("a number that is not finite", place)
    raise BadPayload("must be a number", place)


def nanoseconds(seconds: float, place: str) -> int:
    """[s] -> [ns], to the microsecond."""
    if abs(seconds) > REACH / NS:
        raise BadPayload("time out of reach", place)
    return round(seconds * _TICK) * 1000


def records(readings: Readings) -> list[Record]:
    """The pack that says the same: one base time in whole seconds, offsets after it."""
    start = min(readings.t, default=0) // NS * NS
    pack: list[Record] = [{"bt": start // NS}] if readings.t else []
    for name, t, value, unit in zip(*readings[:4], strict=True):
        r: Record = {"n": name, "t": (t - start) / NS, "vs" if type(value) is str else "v": value}
        pack.append(r | {"u": unit} if unit else r)
    return pack
