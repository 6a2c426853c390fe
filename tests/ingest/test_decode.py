"""From messages to columns."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import numpy as np
import pytest

from ingest import decode as module
from ingest.admit import FOREIGN, Terms, conversion
from ingest.codecs import Readings, Waveform, waveform
from ingest.decode import Decoded, decode
from lifeline.catalog import Catalog, load
from lifeline.clock import parse
from lifeline.model import NS, Quality
from lifeline.units import WATER_HEAD, G

AT = parse("2026-11-23T08:00:00Z")
STEP = NS // 100  # [ns] as in the catalog
TERMS = Terms(skew=300.0, oldest=30 * 86400.0, max_payload=1_000_000)
W1 = "lifeline/v1/cj/gas/A-1/W-1/telemetry"
B1 = "lifeline/v1/cj/bridge/B-1/B-1/waveform"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Path(__file__).parent / "catalog.csv")


def flat(values: dict[str, Any], t: int = AT) -> bytes:
    return json.dumps({"ts": t // 10**6, "values": values}).encode()


def wave(name: str = "B-1/a", k: int = 100, t: int = AT - NS, first: float = 0.0, unit: str = "") -> bytes:
    return waveform.encode(Waveform(name, t, STEP, first + np.arange(float(k)), unit))


def keys(catalog: Catalog, said: Decoded) -> list[str]:
    return [str(k) for k in catalog.key[said.batch.row]]


def one(catalog: Catalog, payload: bytes, topic: str = W1) -> Decoded:
    return decode([(topic, payload)], AT, catalog, TERMS)


def test_readings_become_si_in_the_order_of_arrival(catalog: Catalog) -> None:
    said = decode(
        [
            (W1, flat({"methane": 1.5, "temperature": 20})),
            ("lifeline/v1/cj/gas/A-2/W-2/telemetry", b'[{"n":"W-2/methane","v":10,"t":-5}]'),
            ("lifeline/v1/cj/elevator/L-1/E-1/event", flat({"door": "open"})),
            ("lifeline/v1/cj/elevator/L-1/E-1/status", b"offline"),
        ],
        AT, catalog, TERMS,
    )  # fmt: skip
    assert keys(catalog, said) == ["W-1/methane", "W-1/temperature", "W-2/methane", "E-1/door", "E-1/online"]
    np.testing.assert_allclose(said.batch.value, [0.015, 293.15, 0.005, 1.0, 0.0])
    assert said.batch.t.tolist() == [AT, AT, AT - 5 * NS, AT, AT]
    assert said.message.tolist() == [0, 0, 1, 2, 3]
    assert (said.batch.quality == Quality.GOOD).all()
    assert not said.refused
    assert not said.blocks


def test_no_messages_are_nothing(catalog: Catalog) -> None:
    said = decode([], AT, catalog, TERMS)
    assert (said.batch.n, said.message.size, said.blocks, said.refused) == (0, 0, [], [])


def test_where_that_is_asked_for_a_device_speaks_of_its_own_series_only(catalog: Catalog) -> None:
    own = replace(TERMS, own=True)
    said = decode([(W1, b'[{"n":"W-2/methane","v":1},{"n":"methane","v":2},{"n":"nothing","v":3}]')], AT, catalog, own)
    assert keys(catalog, said) == ["W-1/methane"]
    (refused,) = said.refused
    assert refused.items == 2
    assert FOREIGN in refused.reason
    for topic, taken in ((B1, 1), (B1.replace("/B-1/waveform", "/W-1/waveform"), 0)):
        waves = decode([(topic, wave("B-1/a"))], AT, catalog, own)
        assert (len(waves.blocks), len(waves.refused)) == (taken, 1 - taken)
    assert decode([], AT, catalog, own).batch.n == 0
    assert decode([(W1, b"junk")], AT, catalog, own).batch.n == 0


def test_a_name_is_a_whole_key_first_and_a_channel_of_the_device_else(catalog: Catalog) -> None:
    said = one(catalog, b'[{"n":"W-2/methane","v":1},{"n":"methane","v":2}]')
    assert keys(catalog, said) == ["W-2/methane", "W-1/methane"]


@pytest.mark.parametrize(
    ("name", "unit", "value", "si"),
    [
        ("W-1/methane", "%LEL", 20.0, 0.01), ("W-1/methane", "ppm", 1e4, 0.01), ("W-1/methane", "/", 0.01, 0.01),
        ("P-1/pressure", "kPa", 100.0, 1e5), ("P-1/pressure", "", 10.0, 10 * WATER_HEAD),
        ("W-1/temperature", "Cel", 0.0, 273.15), ("W-1/temperature", "K", 280.0, 280.0),
        ("B-1/tilt", "rad", 0.1, 0.1), ("B-1/b", "", 1.0, G), ("P-1/ph", "pH", 7.0, 7.0),
    ],
)  # fmt: skip
def test_a_unit_of_the_same_dimension_is_converted(catalog: Catalog, name: str, unit: str, value: float, si: float) -> None:
    said = one(catalog, json.dumps([{"n": name, "u": unit, "v": value}]).encode())
    assert not said.refused
    np.testing.assert_allclose(said.batch.value, [si])


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("W-1/methane", "kPa"),
        ("W-1/methane", "pH"),
        ("P-1/ph", "%"),
        ("B-1/tilt", "%"),
        ("W-1/methane", "furlong"),
        ("P-1/pressure", "m"),
    ],
)
def test_a_unit_that_measures_something_else_is_refused_and_its_neighbour_is_not(
    catalog: Catalog, name: str, unit: str
) -> None:
    said = one(catalog, json.dumps([{"n": "W-2/methane", "v": 1}, {"n": name, "u": unit, "v": 1}]).encode())
    assert keys(catalog, said) == ["W-2/methane"]
    assert (said.refused[0].items, said.refused[0].places) == (1, name)
    assert "unit" in said.refused[0].reason


def test_a_unit_outside_the_table_fits_itself() -> None:
    assert conversion("furlong", "furlong") is not None
    assert conversion("furlong", "m") is None


def test_a_word_is_a_number_inside_and_an_unknown_one_is_told_the_right_ones(catalog: Catalog) -> None:
    topic = "lifeline/v1/cj/elevator/L-1/E-1/event"
    assert one(catalog, flat({"door": "closed"}), topic).batch.value.tolist() == [0.0]
    assert one(catalog, flat({"door": True}), topic).batch.value.tolist() == [1.0]
    [refused] = one(catalog, flat({"door": "ajar"}), topic).refused
    assert refused.places == "E-1/door"
    assert refused.reason == "unknown word; allowed: closed, open, opening, closing"


def test_a_word_where_a_number_belongs_is_refused(catalog: Catalog) -> None:
    [refused] = one(catalog, flat({"methane": "12.5"})).refused
    assert (refused.places, refused.reason) == ("W-1/methane", "a word where a number belongs")


def test_several_refused_readings_of_a_message_are_one_refusal_that_counts_them(catalog: Catalog) -> None:
    said = decode(
        [
            (W1, flat({"methane": 1, "a": 1, "b": 2, "c": 3, "d": 4, "temperature": None})),
            (W1, b"junk"),
            (W1, flat({"methane": 2})),
        ],
        AT, catalog, TERMS,
    )  # fmt: skip
    assert said.batch.value.tolist() == [0.01, 0.02]
    assert said.message.tolist() == [0, 2]
    first, second = said.refused
    assert (first.message, first.items, first.places) == (0, 5, "values.temperature; W-1/a; W-1/b")
    assert "unknown series" in first.reason
    assert (second.message, second.items) == (1, 1)


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("1970-01-01T00:00:00Z", "older"),
        ("2100-01-01T00:00:00Z", "skew"),
        ("2026-11-23T08:05:01Z", "skew"),
        ("2026-10-24T07:59:59Z", "older"),
    ],
)
def test_a_date_out_of_reach_is_refused_before_it_can_move_anything(catalog: Catalog, when: str, reason: str) -> None:
    for topic, payload in ((W1, flat({"methane": 1}, parse(when))), (B1, wave(t=parse(when)))):
        said = decode([(topic, payload), (W1, flat({"temperature": 1}))], AT, catalog, TERMS)
        assert keys(catalog, said) == ["W-1/temperature"]
        assert not said.blocks
        assert reason in said.refused[0].reason


def test_a_clock_slightly_ahead_is_noted_and_not_refused(catalog: Catalog) -> None:
    said = decode([(W1, flat({"methane": 1}, AT + s * NS)) for s in (0, 2, 3, 300)], AT, catalog, TERMS)
    assert said.batch.quality.tolist() == [Quality.GOOD, Quality.GOOD, Quality.CLOCK, Quality.CLOCK]
    ahead = one(catalog, wave(t=AT + 3 * NS), B1).blocks[0]
    assert (ahead.quality == Quality.CLOCK).all()


@pytest.mark.parametrize(
    ("payload", "reason", "place"),
    [
        (b"", "empty", "payload"), (b" ", "empty", "byte 0"), (b"{}", "no reading", "payload"),
        (b"[]", "no reading", "payload"), (b"\x80", "no reading", "payload"), (b'[{"bn":"x"}]', "no reading", "payload"),
        (b'{"methane":1', "not JSON", "character"), (b'{"methane":1}}', "not JSON", "character 13"),
        (b'{"a\xff":1}', "UTF-8", "byte"), (b"\xff\xfe\x00", "neither", "byte 0"), (b"42", "neither", "byte 0"),
        (b"\x81\xa1", "too early", "byte"), (b"\x9b\x7f" + b"\xff" * 7, "too early", "byte"),
        (b"[" * 100_000, "nested", "payload"), (b"\x81" * 5000, "not CBOR", "byte"), (b"[1,2]", "a float", "[0]"),
        (b'{"methane":' + b"9" * 5000 + b"}", "not finite", "methane"), (b'{"a":"\\ud800"}', "unknown series", "W-1/a"),
        (b'{"methane":1}' + b" " * 10_000_000, "larger than", "payload"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_its_place_and_costs_no_other_message(
    catalog: Catalog, payload: bytes, reason: str, place: str
) -> None:
    said = decode([(W1, flat({"methane": 1})), (W1, payload), (W1, flat({"methane": 2}))], AT, catalog, TERMS)
    assert said.batch.value.tolist() == [0.01, 0.02]
    assert [r.message for r in said.refused] == [1]
    assert reason in said.refused[0].reason
    assert place in said.refused[0].places


def test_a_refusal_is_one_short_line_that_any_database_takes(catalog: Catalog) -> None:
    name = "\\ud800\\n\\u0000" + "x" * 1000
    [refused] = one(catalog, f'{{"{name}": 1}}'.encode()).refused
    assert refused.places.encode().decode().isprintable()
    assert len(refused.places) <= module.WIDTH
    assert refused.places.startswith("W-1/\\ud800\\n\\x00x")


def test_an_unknown_topic_is_refused(catalog: Catalog) -> None:
    [refused] = one(catalog, flat({"methane": 1}), "lifeline/v1/cj/oil/A-1/W-1/telemetry").refused
    assert refused.places == "topic domain 'oil'"


def test_a_message_of_another_city_is_refused_where_the_city_is_known(catalog: Catalog) -> None:
    said = [(W1.replace("/cj/", f"/{city}/"), flat({"methane": 1})) for city in ("cj", "km")]
    ours = decode(said, AT, catalog, TERMS, "cj")
    assert (ours.batch.n, decode(said, AT, catalog, TERMS).batch.n) == (1, 2)
    assert [(r.message, r.reason, r.places) for r in ours.refused] == [(1, "another city's", "topic city 'km'")]


def test_a_defect_of_ours_costs_one_message(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(payload: bytes, device: str, at: int) -> Readings:
        raise ZeroDivisionError(payload, device, at)

    monkeypatch.setitem(module.CODECS, "status", broken)
    said = decode([("lifeline/v1/cj/gas/A-1/W-1/status", b"online"), (W1, flat({"methane": 1}))], AT, catalog, TERMS)
    assert said.batch.n == 1
    assert said.refused[0].reason == f"{module.DEFECT}: ZeroDivisionError"


# waveforms


def blocks(catalog: Catalog, payloads: Sequence[bytes]) -> Decoded:
    return decode([(B1, p) for p in payloads], AT, catalog, TERMS)


def test_waveforms_of_equal_shape_are_one_block_in_si(catalog: Catalog) -> None:
    said = blocks(catalog, [wave("B-1/b"), wave("a"), wave("B-1/tilt", k=50)])
    assert [b.value.shape for b in said.blocks] == [(2, 100), (1, 50)]
    assert catalog.key[said.blocks[0].row].tolist() == ["B-1/b", "B-1/a"]
    np.testing.assert_allclose(said.blocks[0].value, [np.arange(100) * G, np.arange(100)])
    np.testing.assert_allclose(said.blocks[1].value[0], np.radians(np.arange(50)))
    assert [m.tolist() for m in said.block_message] == [[0, 1], [2]]
    assert said.blocks[0].t.tolist() == [AT - NS] * 2
    assert said.blocks[0].step == NS // 100


def test_a_row_is_once_in_a_block_and_its_blocks_follow_in_order_of_arrival(catalog: Catalog) -> None:
    said = blocks(catalog, [wave(first=0), wave(first=1, k=50), wave("B-1/b"), wave(first=2), wave("B-1/b", first=1)])
    for block in said.blocks:
        assert len(set(block.row.tolist())) == len(block.row)
    row = catalog.row["B-1/a"]
    mine = [float(block.value[block.row == row][0, 0]) for block in said.blocks if row in block.row]
    assert mine == [0.0, 1.0, 2.0]
    assert sorted(np.concatenate(said.block_message).tolist()) == [0, 1, 2, 3, 4]


def test_a_waveform_may_name_its_unit(catalog: Catalog) -> None:
    np.testing.assert_allclose(blocks(catalog, [wave("B-1/a", unit="mm/s²")]).blocks[0].value[0], np.arange(100) / 1000)
    [refused] = blocks(catalog, [wave("B-1/a", unit="Pa")]).refused
    assert (refused.places, "unit" in refused.reason) == ("B-1/a", True)


@pytest.mark.parametrize(("step", "fits"), [(NS // 100, True), (10_090_000, True), (10_110_000, False), (NS // 50, False)])
def test_a_waveform_must_have_the_step_of_the_catalog(catalog: Catalog, step: int, *, fits: bool) -> None:
    said = blocks(catalog, [waveform.encode(Waveform("B-1/a", AT - NS, step, np.arange(8.0), "")), wave("B-1/b")])
    assert sum(b.row.size for b in said.blocks) == 1 + fits
    assert [(r.places, r.reason) for r in said.refused] == (
        [] if fits else [("B-1/a", f"a step of {step / NS:g} s, and in the catalog of 0.01 s")]
    )


def test_an_unknown_waveform_is_refused_by_its_name(catalog: Catalog) -> None:
    said = blocks(catalog, [wave("B-9/x"), wave()])
    assert (said.refused[0].places, len(said.blocks)) == ("B-9/x", 1)


def test_samples_that_are_not_finite_are_missing_and_cost_no_neighbour(catalog: Catalog) -> None:
    value = np.arange(10.0)
    value[3], value[5] = np.nan, np.inf
    empty = Waveform("B-1/b", AT - NS, STEP, np.full(10, np.nan), "")
    said = blocks(catalog, [waveform.encode(Waveform("B-1/a", AT - NS, STEP, value, "")), waveform.encode(empty)])
    [block] = said.blocks
    assert np.flatnonzero(np.isnan(block.value[0])).tolist() == [3, 5]
    assert np.flatnonzero(block.quality[0]).tolist() == [3, 5]
    assert [(r.message, r.items, r.places) for r in said.refused] == [(0, 1, "v[5]"), (1, 1, "B-1/b")]


def test_a_plain_array_is_a_waveform_too(catalog: Catalog) -> None:
    payload = cbor2.dumps({"n": "a", "t": AT - NS, "dt": STEP, "v": [1, 2.5, 3, 4, 5, 6, 7, 8]})
    assert blocks(catalog, [payload]).blocks[0].value.tolist() == [[1, 2.5, 3, 4, 5, 6, 7, 8]]


def test_an_empty_catalog_knows_nothing_and_breaks_nothing(catalog: Catalog) -> None:
    nothing = Catalog(*(getattr(catalog, f)[:0] for f in Catalog.__dataclass_fields__))
    said = decode([(W1, flat({"methane": 1, "door": "open"})), (B1, wave())], AT, nothing, TERMS)
    assert (said.batch.n, [r.items for r in said.refused]) == (0, [2, 1])


# the page that devices are built from

PAGE = (Path(__file__).parents[2] / "docs" / "payloads.md").read_text()
EXAMPLES = [block.split("```")[0] for block in PAGE.split("```json\n")[1:]]
REFUSALS = [
    [cell.strip(" `") for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith(("| `{", "| `["))
]


@pytest.mark.parametrize("payload", EXAMPLES)
def test_every_example_of_the_documentation_is_taken_whole(catalog: Catalog, payload: str) -> None:
    device, form = ("E-1", "status") if "status" in payload else ("E-1", "event") if "door" in payload else ("W-1", "telemetry")
    at = 1_790_000_100 * NS
    said = decode([(f"lifeline/v1/chengjiang/gas/A-1/{device}/{form}", payload.encode())], at, catalog, TERMS)
    assert said.batch.n == len(
        [1 for word in ("methane", "temperature", "door", "status") for _ in range(payload.count(f'"{word}"'))]
    )
    assert not said.refused


@pytest.mark.parametrize(("payload", "reason", "place"), REFUSALS)
def test_every_refusal_of_the_documentation_is_said_so(catalog: Catalog, payload: str, reason: str, place: str) -> None:
    said = one(catalog, payload.encode())
    assert [(r.reason, r.places) for r in said.refused] == [(reason, place)]
    assert keys(catalog, said) == ([] if "JSON" in reason else ["W-1/temperature"])


def test_the_documentation_names_every_quality_that_is_given_here() -> None:
    assert len(REFUSALS) == 5
    assert len(EXAMPLES) == 6
    assert all(q.name in PAGE for q in Quality if q not in {Quality.CAL, Quality.MAINT, Quality.STALE})
