"""What becomes of a payload, before a device is built: `lifeline payload check`."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from ingest.admit import Bad, Joined, Terms, admit, clocked, conversion, untimely
from ingest.blocks import stack, wave
from ingest.codecs import BadPayload, Readings, Refusal, Waveform
from ingest.decode import read
from ingest.quality import Gate, combined, gate, settings
from lifeline.catalog import Catalog, load
from lifeline.clock import iso, now
from lifeline.config import Broker, Watch
from lifeline.model import NS, Quality
from lifeline.units import UNITS, WORDS
from lifeline.words import Unusable
from pipeline import contract
from pipeline.hints import Pair, chinese, hint, late
from pipeline.locate import Spot, find, named, spot

DOUBTED: Final = {
    Quality.SUSPECT: ("the device sent no number", "设备未给出数值"),
    Quality.BAD_RANGE: ("outside the range in the catalog", "超出目录中的量程"),
    Quality.SATURATED: ("at the end of the range: at least so much", "达到量程上限：至少如此"),
    Quality.CLOCK: ("dated ahead of our clock: taken as of its receipt", "时间超前：按接收时刻处理"),
}
CHARACTER: Final = re.compile(r"(character|byte) (\d+)")


@dataclass(frozen=True)
class Reading:
    """One that is taken."""

    name: str
    t: str  # RFC 3339
    age_s: float  # [s] before now; negative: ahead
    value: float | str  # as it was said
    unit: str  # as it was said, else the catalog's; "": not known
    si: float | None  # [SI]; None: not known without a catalog
    si_unit: str
    quality: str
    note: Pair = ("", "")


@dataclass(frozen=True)
class Fault:
    """Something that is refused."""

    place: str
    reason: str  # as it stands among the dead letters
    line: int | None = None
    column: int | None = None
    offset: int | None = None
    mend: Pair = ("", "")


@dataclass(frozen=True)
class Checked:
    """A payload, looked at."""

    file: str
    size: int  # [byte]
    topic: str
    format: str
    samples: int = 0  # of a waveform
    readings: list[Reading] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether every reading is taken, and none is in doubt."""
        fine = {Quality.GOOD.name, Quality.SATURATED.name}
        return not self.faults and all(r.quality in fine for r in self.readings)


@dataclass(frozen=True)
class Against:
    """What payloads are looked at with."""

    terms: Terms
    catalog: Catalog | None = None
    gate: Gate | None = None
    city: str = ""
    topic: str = ""


def against(catalog: Path | None = None, topic: str = "", city: str = "") -> Against:
    """Terms as they are by default; Unusable where the catalog is."""
    terms = Terms(Watch.skew, Watch.oldest, Broker.max_payload)
    if catalog is None:
        return Against(terms, city=city, topic=topic)
    known = load(catalog)
    return Against(terms, known, gate(known, settings()), city, topic)


def guessed(payload: bytes, catalog: Catalog | None) -> str:
    """A topic for a payload that came without: of the form it looks like."""
    word = payload.strip()
    form = "telemetry"
    if word in (b"online", b"offline") or re.match(rb'\{\s*"status"\s*:', word):
        form = "status"
    elif word[:1] and 0xA0 <= word[0] < 0xC0:  # major type 5: a CBOR map
        form = "waveform"
    domain, asset, device = "other", "asset", "device"
    if catalog is not None and catalog.n:
        at = next((i for i, key in enumerate(catalog.key.tolist()) if key.rpartition("/")[2].encode() in payload), 0)
        domain, asset, device = catalog.domain[at], catalog.asset[at], catalog.device[at]
    return f"lifeline/v1/city/{domain}/{asset}/{device}/{form}"


def check(name: str, payload: bytes, by: Against, at: int) -> Checked:
    """Look at one payload as if it were received now. at [ns]"""
    topic = by.topic or guessed(payload, by.catalog)
    text = payload.decode("utf-8", "replace")
    form = topic.rpartition("/")[2]
    try:
        kind = contract.which(form, payload) if form in contract.INTO else ""
    except BadPayload:
        kind = ""
    made = Checked(name, len(payload), topic, contract.TITLES.get(kind, "unknown"))
    try:
        where, said = read(topic, payload, at, by.terms, by.city)
        if isinstance(said, Waveform):
            return _waveform(replace(made, samples=int(said.value.size)), said, where.device, by, at)
    except BadPayload as why:
        return replace(made, faults=[_fault(Refusal(why.place, why.reason), text, by)])
    bad = [(0, r) for r in said.bad]
    readings = _known(said, where.device, by, at, bad) if by.catalog else _alone(said, at, by.terms, bad)
    return replace(made, readings=readings, faults=[_fault(r, text, by, said, at) for _, r in bad])


def _fault(refusal: Refusal, text: str, by: Against, said: Readings | None = None, at: int = 0) -> Fault:
    """Where it stands, and how it is mended."""
    place, reason = refusal
    i = said.name.index(place) if said is not None and place in said.name else None
    unit, value, t = (said.unit[i], said.value[i], said.t[i]) if said is not None and i is not None else ("", None, at)
    dated = reason.startswith("a date")
    mend = late(t, at) if dated else hint(reason, place, unit=unit, said=value, catalog=by.catalog)
    line, column, offset = _spot(text, place, reason) or (None, None, None)
    return Fault(place, reason, line, column, offset, mend)


def _spot(text: str, place: str, reason: str) -> Spot | None:
    if not text.isprintable() and "�" in text:  # CBOR has no lines
        return None
    at = int(m[2]) if (m := CHARACTER.fullmatch(place)) else None
    if at is None and place and not place.startswith(("topic", "payload")):
        at = named(text, place) if reason.startswith(("unknown", "unit", "a date", "a word")) else find(text, place)
        at = named(text, place) if at is None else at
    return None if at is None else spot(text, at)


def _known(said: Readings, device: str, by: Against, at: int, bad: Bad) -> list[Reading]:
    """As the catalog takes them; refusals are added to `bad`."""
    joined, more = Joined.none(), Bad()
    joined.add(0, said, device)
    assert by.catalog is not None
    assert by.gate is not None
    cat = by.catalog
    batch, *_ = admit(joined, at, cat, by.terms, more)
    bad.extend(more)
    refused = [r.place for _, r in more]
    taken = [i for i, name in enumerate(said.name) if name not in refused]
    out = []
    for j, i in enumerate(taken[: batch.n]):
        row = batch.row[j : j + 1]
        x = batch.value[j : j + 1, None]
        _, codes = by.gate.step(by.gate.init(1), row, batch.t[j : j + 1, None], x)
        code = Quality(int(combined(batch.quality[j : j + 1, None], codes)[0, 0]))
        unit = said.unit[i] or cat.unit[row[0]]
        out.append(_reading(said, i, at, unit, (float(x[0, 0]), UNITS[cat.unit[row[0]]].si), code))
    return out


def _alone(said: Readings, at: int, terms: Terms, bad: Bad) -> list[Reading]:
    """Without a catalog: what can be said of them all the same."""
    out = []
    t = np.array(said.t, np.int64)
    ahead, old = untimely(t, t, at, terms)
    codes = clocked(t, at)
    words = {w for table in WORDS.values() for w in table}
    for i, name in enumerate(said.name):
        reason = "a date beyond the permitted skew" if ahead[i] else "a date older than permitted" if old[i] else ""
        if isinstance(said.value[i], str) and said.value[i] not in words:
            reason = f"unknown word; allowed: {', '.join(sorted(words))}"
        if said.unit[i] and said.unit[i] not in UNITS:
            reason = f"unit does not fit one declared in {said.unit[i]}"
        if reason:
            bad.append((0, Refusal(name, reason)))
            continue
        out.append(_reading(said, i, at, said.unit[i], _si(said.value[i], said.unit[i]), Quality(int(codes[i]))))
    return out


def _si(value: float | str, unit: str) -> tuple[float | None, str]:
    line = conversion(unit, unit) if unit in UNITS else None
    if line is None or isinstance(value, str):
        return None, ""
    return UNITS[unit].to_si(value), UNITS[unit].si


def _reading(said: Readings, i: int, at: int, unit: str, si: tuple[float | None, str], code: Quality) -> Reading:
    age, note = (at - said.t[i]) / NS, DOUBTED.get(code, ("", ""))
    return Reading(said.name[i], iso(said.t[i]), round(age, 3), said.value[i], unit, *si, code.name, note)


def _waveform(made: Checked, said: Waveform, device: str, by: Against, at: int) -> Checked:
    """A block: its first sample stands for it."""
    bad, code = Bad(), Quality.GOOD
    if by.catalog is not None:
        blocks, _ = stack([wave(0, said, device, by.catalog)], at, by.terms, bad)
        code = Quality(int(blocks[0].quality.max())) if blocks else code
    else:
        first, last = np.array([said.t]), np.array([said.t + said.step * (said.value.size - 1)])
        ahead, old = untimely(first, last, at, by.terms)
        bad += [(0, Refusal(said.name, "a date beyond the permitted skew"))] * bool(ahead[0])
        bad += [(0, Refusal(said.name, "a date older than permitted"))] * bool(old[0])
    faults = [Fault(r.place, r.reason, mend=_mended(r, said.t, at)) for _, r in bad]
    finite = said.value[np.isfinite(said.value)]
    if not finite.size or any(f.place == said.name for f in faults):
        return replace(made, faults=faults)
    unit = said.unit or (by.catalog.unit[_row(by.catalog, said, device)] if by.catalog else "")
    one = Readings([said.name], [said.t], [float(finite[0])], [unit], [])
    return replace(made, readings=[_reading(one, 0, at, unit, _si(float(finite[0]), unit), code)], faults=faults)


def _mended(refusal: Refusal, t: int, at: int) -> Pair:
    return late(t, at) if refusal.reason.startswith("a date") else hint(refusal.reason, refusal.place)


def _row(catalog: Catalog, said: Waveform, device: str) -> int:
    return catalog.row.get(said.name, catalog.row.get(f"{device}/{said.name}", -1))


def loaded(name: str) -> bytes:
    """The bytes of a file, or of standard input; Unusable where there is none. NAME.hex holds hex digits."""
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return bytes.fromhex(raw.decode()) if name.endswith(".hex") else raw
    except OSError as why:
        raise Unusable(f"{name}: cannot be read: {why.strerror}") from why
    except ValueError as why:
        raise Unusable(f"{name}: not hex digits: {why}") from why


def run(names: Sequence[str], by: Against, lang: str, *, as_json: bool) -> tuple[str, int]:
    """What there is to say, and the exit code: 0 all is taken, 1 something is refused or in doubt."""
    checked = [check(name, loaded(name), by, now()) for name in names]
    code = 0 if all(c.well for c in checked) else 1
    if as_json:
        told = [{**asdict(c), "ok": c.well} for c in checked]
        return json.dumps(told if len(told) != 1 else told[0], ensure_ascii=False, indent=1), code
    return "\n".join(line for c in checked for line in _lines(c, 1 if lang == "zh" else 0)), code


def _lines(c: Checked, lang: int) -> Iterable[str]:
    """For people. lang: 0 English, 1 Chinese"""
    words = (
        (
            "bytes",
            "as received under",
            "samples of which the first is",
            "refused",
            "line {} column {}",
        ),
        ("字节", "视作收自主题", "个采样，首个为", "拒收", "第 {} 行第 {} 列"),
    )[lang]
    yield f"{c.file}: {c.format}; {c.size} {words[0]}; {words[1]} {c.topic}"
    if c.samples:
        yield f"  {c.samples} {words[2]}:"
    for r in c.readings:
        said = f"{r.value:g}" if isinstance(r.value, float) else str(r.value)
        si = "" if r.si is None else f" = {r.si:g} {r.si_unit}"
        note = f": {r.note[lang]}" if r.note[lang] else ""
        yield f"  {r.name:24} {said} {r.unit}{si}  {r.t} ({-r.age_s:+.1f} s)  {r.quality}{note}"
    for f in c.faults:
        where = f" ({words[4].format(f.line, f.column)})" if f.line else ""
        reason = chinese(f.reason) if lang else f.reason
        yield f"  {words[3]}: {f.place}{where}: {reason}" + (f"\n      -> {f.mend[lang]}" if f.mend[lang] else "")
