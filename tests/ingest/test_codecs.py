"""Codecs: examples that others printed, and decode undoes encode."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ingest.admit import Terms
from ingest.codecs import BadPayload, Readings, Waveform, flat_json, senml_cbor, senml_json, status, telemetry, waveform
from ingest.decode import read
from lifeline.model import NS, Floats

GOLDEN = sorted(p.parent for p in (Path(__file__).parent / "golden").glob("*/topic.txt"))
AT = 1_600_000_000 * NS
TERMS = Terms(skew=300.0, oldest=1e9, max_payload=1_000_000)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda p: p.name)
def test_examples_decode_as_their_documents_say(case: Path) -> None:
    [path] = case.glob("payload.*")
    payload = bytes.fromhex(path.read_text()) if path.suffix == ".hex" else path.read_bytes()
    expected = json.loads((case / "expected.json").read_text())
    _, said = read((case / "topic.txt").read_text().strip(), payload, expected["at"], TERMS)
    assert isinstance(said, Readings)
    names = ("name", "t", "value", "unit")
    assert [dict(zip(names, row, strict=True)) for row in zip(*said[:4], strict=True)] == expected["readings"]
    assert [{"place": b.place, "reason": b.reason} for b in said.bad] == expected["bad"]


# decode undoes encode

NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="-_.:/ "), min_size=1, max_size=12)
VALUES = st.floats(allow_nan=False, allow_infinity=False, width=64) | st.sampled_from(["open", "closed", "停止", ""])
SECONDS = st.integers(2**28, 4 * 10**9)


@dataclass(frozen=True)
class Wire:
    """A codec of readings, and what it can carry."""

    encode: Callable[[Readings], bytes]
    decode: Callable[[bytes], Readings]
    tick: int  # [ns]
    prefix: str
    units: bool


WIRES = {
    "flat": Wire(
        lambda r: flat_json.encode(r, "W-1"), lambda p: telemetry.decode(p, "W-1", AT), 1_000_000, "W-1/", units=False
    ),
    "senml+json": Wire(senml_json.encode, lambda p: telemetry.decode(p, "W-1", AT), 1_000, "", units=True),
    "senml+cbor": Wire(senml_cbor.encode, lambda p: telemetry.decode(p, "W-1", AT), 1_000, "", units=True),
}


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
@given(data=st.data())
def test_decode_undoes_encode(wire: Wire, data: st.DataObject) -> None:
    unit = st.sampled_from(["", "Cel", "%VOL", "m/s²"]) if wire.units else st.just("")
    tick = st.integers(0, NS // wire.tick - 1).map(lambda i: i * wire.tick)
    start = data.draw(SECONDS) * NS
    row = st.tuples(NAMES.map(lambda n: wire.prefix + n), tick.map(lambda t: start + t), VALUES, unit)
    rows = data.draw(st.lists(row, min_size=1, max_size=6))
    said = Readings([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows], [])
    assert wire.decode(wire.encode(said)) == said


@pytest.mark.parametrize("tag", waveform.TYPES)
@given(data=st.data())
def test_a_waveform_survives_every_type_of_sample(tag: int, data: st.DataObject) -> None:
    kind = waveform.TYPES[tag]
    size = data.draw(st.integers(waveform.LEAST, 40))
    finite: dict[str, Any] = {} if kind.kind in "iu" else {"elements": {"allow_nan": False, "allow_infinity": False}}
    value: Floats = data.draw(arrays(kind, size, **finite)).astype(np.float64)
    if kind.kind in "iu":
        value[np.abs(value) >= 2**53] = 0.0  # beyond, a double does not hold every integer
    wave = Waveform(
        data.draw(NAMES),
        data.draw(SECONDS) * NS + 7,
        data.draw(st.integers(1, NS)),
        value,
        data.draw(st.sampled_from(["", "g"])),
    )
    back = waveform.decode(waveform.encode(wave, tag), "", AT)
    assert (back.name, back.t, back.step, back.unit) == (wave.name, wave.t, wave.step, wave.unit)
    np.testing.assert_array_equal(back.value, wave.value)


def test_counts_with_scale_and_offset_become_the_values_they_stand_for() -> None:
    wave = Waveform("B-1/a", AT, NS // 50, np.arange(-8.0, 8.0) * 0.5 + 3.0, "")
    payload = waveform.encode(wave, tag=77, scale=0.5, offset=3.0)
    np.testing.assert_array_equal(waveform.decode(payload, "", AT).value, wave.value)


@pytest.mark.parametrize("word", status.WORDS)
def test_a_status_survives(word: str) -> None:
    assert status.decode(status.encode(word), "W-1", AT) == Readings(["W-1/online"], [AT], [word], [""], [], dated=False)


# SenML, rule by rule


def senml(*records: object) -> Readings:
    """Decode as JSON and as CBOR with text labels: both must say the same."""
    said = senml_json.decode(json.dumps(records).encode(), "", AT)
    assert senml_cbor.decode(cbor2.dumps(list(records)), "", AT) == said
    return said


@pytest.mark.parametrize(
    "record", [{"bver": 11, "n": "a", "v": 1}, {"n": "a", "v": 1, "law_": 1}, {"bver": "10", "n": "a", "v": 1}]
)
def test_a_pack_that_must_be_understood_and_is_not_is_refused_whole(record: dict[str, Any]) -> None:
    with pytest.raises(BadPayload) as refused:
        senml({"n": "b", "v": 2}, record)
    assert refused.value.place.startswith("[1].")


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ({"n": "b", "v": "2"}, "[1].v"),
        ({"n": "b", "v": True}, "[1].v"),
        ({"n": "b", "vb": 1}, "[1].vb"),
        ({"n": "b", "vs": 1}, "[1].vs"),
        ({"n": "b", "v": 1, "vb": True}, "[1].v"),
        ({"n": "b", "vd": "aGk"}, "[1].vd"),
        ({"n": "b", "s": 1}, "[1]"),
        ({"n": "b"}, "[1]"),
        ({"n": 3, "v": 1}, "[1].n"),
        ({"n": "b", "v": 1, "u": 3}, "[1].u"),
        ({"n": "b", "v": 1, "t": "now"}, "[1].t"),
        ({"n": "b", "v": 1, "t": 1e30}, "[1].t"),
        (17, "[1]"),
        (None, "[1]"),
    ],
)
def test_a_bad_record_costs_only_itself(record: object, place: str) -> None:
    said = senml({"n": "a", "v": 1}, record, {"n": "c", "v": 3})
    assert said.name == ["a", "c"]
    assert said.value == [1.0, 3.0]
    assert [b.place for b in said.bad] == [place]


def test_what_is_not_finite_in_cbor_costs_only_itself() -> None:
    said = senml_cbor.decode(cbor2.dumps([{0: "a", 2: float("nan")}, {0: "b", 2: 1}, {0: "c", 2: float("inf")}]), "", AT)
    assert (said.name, [b.place for b in said.bad]) == (["b"], ["[0].v", "[2].v"])


def test_base_value_and_value_that_overflow_together_are_refused() -> None:
    said = senml({"bv": 1.7e308, "n": "a", "v": 1.7e308}, {"n": "b", "v": 0})
    assert (said.name, said.bad[0].place) == (["b"], "[0].v")


def test_times_below_2_to_the_28_are_relative_to_now() -> None:
    said = senml({"n": "a", "v": 1, "t": 2**28 - 1}, {"n": "a", "v": 1, "t": 2**28}, {"n": "a", "v": 1, "t": -5})
    assert said.t == [AT + (2**28 - 1) * NS, 2**28 * NS, AT - 5 * NS]


def test_a_pack_of_like_records_reads_as_it_would_one_by_one() -> None:
    like = [{"n": f"c{i}", "t": i, "v": i / 8} for i in range(5)]
    base = {"bn": "d/", "bt": 1.5e9, "bu": "V"}
    quick, slow = senml(base, *like), senml(base, *like, {"u": "V", "n": "c5", "t": 5, "v": 5 / 8})
    assert quick == Readings(slow.name[:5], slow.t[:5], slow.value[:5], slow.unit[:5], [])


def test_a_decimal_fraction_in_cbor_is_a_number() -> None:
    assert senml_cbor.decode(bytes.fromhex("81a2006161 02c48221196ab3".replace(" ", "")), "", AT).value == [273.15]


@pytest.mark.parametrize("payload", [b"{}", b"3", b"\xa0", b"\x03"])
def test_senml_must_be_an_array(payload: bytes) -> None:
    decode = senml_cbor.decode if payload[0] in {0xA0, 3} else senml_json.decode
    with pytest.raises(BadPayload):
        decode(payload, "", AT)


# what is not a waveform

WAVE: dict[str, Any] = {"n": "a", "t": AT, "dt": NS, "v": [0.0] * 8}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"n": 3}, "n"), ({"n": ""}, "n"), ({"t": None}, "t"), ({"t": "now"}, "t"), ({"t": 2**63}, "t"), ({"t": True}, "t"),
        ({"t": float("nan")}, "t"), ({"dt": 0}, "dt"), ({"dt": -1}, "dt"), ({"dt": 3601 * NS}, "dt"), ({"u": 1}, "u"),
        ({"s": "x"}, "s"), ({"o": float("inf")}, "o"), ({"v": None}, "v"), ({"v": [0.0] * 7}, "v"), ({"v": [0.0] * 4097}, "v"),
        ({"v": ["x"] * 8}, "v"), ({"v": [True] * 8}, "v"), ({"v": b"12345678"}, "v"),
        ({"v": cbor2.CBORTag(85, [1.0] * 8)}, "v"), ({"v": cbor2.CBORTag(76, bytes(8))}, "v"),
        ({"v": cbor2.CBORTag(85, bytes(33))}, "v"), ({"v": cbor2.CBORTag(83, bytes(256))}, "v"),
    ],
)  # fmt: skip
def test_a_bad_waveform_is_refused_by_the_place_that_is_bad(change: dict[str, Any], place: str) -> None:
    waveform.decode(cbor2.dumps(WAVE), "", AT)
    with pytest.raises(BadPayload) as refused:
        waveform.decode(cbor2.dumps(WAVE | change), "", AT)
    assert refused.value.place == place


def test_times_of_a_waveform_may_be_seconds() -> None:
    wave = waveform.decode(cbor2.dumps(WAVE | {"t": 1.6e9 + 0.25, "dt": 0.02}), "", AT)
    assert (wave.t, wave.step) == (AT + NS // 4, NS // 50)


@pytest.mark.parametrize("missing", ["n", "t", "dt", "v"])
def test_nothing_of_a_waveform_is_guessed(missing: str) -> None:
    with pytest.raises(BadPayload) as refused:
        waveform.decode(cbor2.dumps({k: v for k, v in WAVE.items() if k != missing}), "", AT)
    assert refused.value.place == missing


def test_bytes_after_the_end_are_refused() -> None:
    with pytest.raises(BadPayload, match="after the end"):
        waveform.decode(cbor2.dumps(WAVE) + b"\0", "", AT)


@pytest.mark.parametrize(
    "hexed", ["d823622828", "c24101", "d81c81d81d00", "c5821b7fffffffffffffff01", "c4821a0fffffff01", "c100"]
)
def test_tags_that_make_work_for_the_reader_are_refused(hexed: str) -> None:
    with pytest.raises(BadPayload):
        waveform.decode(bytes.fromhex("a1" + "6176" + hexed), "", AT)


# flat JSON


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (b'{"a":1,"b":null}', "b"), (b'{"a":1,"b":[1]}', "b"), (b'[{"a":1},7]', "[1]"), (b'[{"a":1},{"b":{}}]', "[1].b"),
        (b'[{"a":1},{"ts":"x","values":{"b":1}}]', "[1].ts"), (b'[{"a":1},{"ts":1e30,"values":{"b":1}}]', "[1].ts"),
        (b'[{"a":1},{"ts":1,"values":3}]', "[1].values"), (b'{"a":1,"b":-Infinity}', "b"),
    ],
)  # fmt: skip
def test_a_bad_value_costs_only_itself(payload: bytes, place: str) -> None:
    said = telemetry.decode(payload, "W-1", AT)
    assert (said.name, said.value) == (["W-1/a"], [1.0])
    assert [b.place for b in said.bad] == [place]


def test_flat_json_refuses_to_drop_a_unit_or_to_speak_for_another_device() -> None:
    for name, unit in (("W-1/a", "Pa"), ("W-2/a", "")):
        with pytest.raises(BadPayload):
            flat_json.encode(Readings([name], [AT], [1.0], [unit], []), "W-1")
