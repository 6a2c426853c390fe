"""`lifeline payload check`: what it says of a payload is what becomes of it; where the mistake is, and how to mend it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.codecs import Waveform, waveform
from ingest.decode import decode
from lifeline.model import NS
from lifeline.words import Unusable
from pipeline.contract import GOLDEN
from pipeline.hints import hint, hints
from pipeline.locate import find, spot
from pipeline.payload import Against, Checked, against, check, loaded, run

AT: Final = 1_790_000_000 * NS
MS: Final = AT // 1_000_000
TOPIC: Final = "lifeline/v1/c/gas/A-1/W-1/telemetry"
LINES: Final = """\
key,asset,device,domain,district,quantity,unit,step,low,high,lat,lon,owner
W-1/methane,A-1,W-1,gas,x,methane,%VOL,300,0,20,24.6745,102.9085,o
W-1/temperature,A-1,W-1,gas,x,temperature,Cel,300,-40,80,24.6745,102.9085,o
W-1/a,A-1,W-1,gas,x,acceleration,m/s2,0.02,-20,20,24.6745,102.9085,o
"""


@pytest.fixture(scope="module")
def by(tmp_path_factory: pytest.TempPathFactory) -> Against:
    path = tmp_path_factory.mktemp("catalog") / "catalog.csv"
    path.write_text(LINES)
    return against(path, TOPIC)


def said(payload: Any, by: Against) -> Checked:
    return check("x", payload if isinstance(payload, bytes) else json.dumps(payload).encode(), by, AT)


def test_a_good_payload_is_told_with_units_and_age(by: Against) -> None:
    found = said({"ts": MS - 2000, "values": {"methane": 0.31, "temperature": 18.4}}, by)
    assert found.well
    assert [(r.name, r.value, r.unit, r.si_unit, r.quality) for r in found.readings] == [
        ("W-1/methane", 0.31, "%VOL", "1", "GOOD"),
        ("W-1/temperature", 18.4, "Cel", "K", "GOOD"),
    ]
    assert [r.si for r in found.readings] == pytest.approx([0.0031, 291.55])
    assert [r.age_s for r in found.readings] == [2.0, 2.0]


def dated(ts: int) -> bytes:
    return json.dumps({"ts": ts, "values": {"methane": 1}}).encode()


@pytest.mark.parametrize(
    ("payload", "place", "reason", "line", "column", "mend"),
    [
        (b'{"methane": 0.3,\n "temperature": 18.4', "character 37", "not JSON", 2, 21, "closing bracket is missing"),
        (b'{"methane": 0.3,}', "character 16", "not JSON", 1, 17, "no comma"),
        (b'{"methane": NaN}', "methane", "a number that is not finite", 1, 13, "JSON has no NaN"),
        (b'[{"methane": 1}, {"methane": [1]}]', "[1].methane", "an array where", 1, 30, "one object for each instant"),
        (b'{"metane": 0.3}', "W-1/metane", "unknown series", 1, 2, "'W-1/methane'"),
        (b'[{"n": "W-1/methane", "v": "3"}]', "[0].v", "must be a number", 1, 28, "without quotes"),
        (b'[{"n": "W-1/methane", "u": "Cel", "v": 3}]', "W-1/methane", "unit does not fit", 1, 8, "%LEL"),
        (b'{"methane": "hi"}', "W-1/methane", "a word where", 1, 2, "send a number"),
        (b"\xff\xfe", "byte 0", "neither JSON nor SenML", 1, 1, "begin with {"),
        (b"", "payload", "empty", None, None, "says nothing"),
        (dated(MS // 1000), "W-1/methane", "a date older", 1, 31, "seconds where"),
        (dated(MS // 1000 - 90 * 86_400), "W-1/methane", "a date older", 1, 31, "seconds where"),
        (dated(MS + 28_800_000), "W-1/methane", "a date beyond", 1, 34, "local time"),
        (dated(MS * 1000), "ts", "ts must be milliseconds", 1, 8, "milliseconds"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_how_to_mend_it(
    by: Against, payload: bytes, place: str, reason: str, line: int | None, column: int | None, mend: str
) -> None:
    found = said(payload, by)
    assert not found.well
    (fault,) = found.faults
    assert fault.place == place
    assert fault.reason.startswith(reason)
    assert mend in fault.mend[0]
    assert fault.mend[1]
    if line is not None and not payload.startswith(b"\xff"):
        assert (fault.line, fault.column) == (line, column)


def test_what_is_taken_in_doubt_is_said_to_be(by: Against) -> None:
    found = said({"ts": MS + 10_000, "values": {"methane": 0.3}}, by)
    assert (found.readings[0].quality, found.readings[0].age_s, found.well) == ("CLOCK", -10.0, False)
    found = said({"temperature": 200.0}, by)
    assert (found.readings[0].quality, found.well) == ("BAD_RANGE", False)
    found = said({"methane": 19.9}, by)
    assert (found.readings[0].quality, found.well) == ("SATURATED", True)


def test_it_is_what_the_decoder_does(by: Against) -> None:
    """Every case of the decoder: as many readings, as many refusals."""
    assert by.catalog is not None
    for case in sorted(p.parent for p in GOLDEN.glob("*/topic.txt")):
        (path,) = case.glob("payload.*")
        payload, topic = loaded(str(path)), (case / "topic.txt").read_text().strip()
        found = check(case.name, payload, Against(by.terms, by.catalog, by.gate, "", topic), AT)
        real = decode([(topic, payload)], AT, by.catalog, by.terms)
        assert (len(found.readings), len(found.faults)) == (real.batch.n, sum(r.items for r in real.refused)), case.name


def test_waveforms_are_looked_at_whole(by: Against) -> None:
    samples = np.sin(np.arange(50.0))
    wave = Waveform("a", AT - NS, NS // 50, samples, "")
    topic = TOPIC.replace("telemetry", "waveform")
    found = check("x", waveform.encode(wave), Against(by.terms, by.catalog, by.gate, "", topic), AT)
    assert (found.samples, len(found.readings), found.well) == (50, 1, True)
    assert found.readings[0].unit == "m/s2"
    slow = check("x", waveform.encode(wave._replace(step=NS)), Against(by.terms, by.catalog, by.gate, "", topic), AT)
    assert slow.faults[0].reason.startswith("a step of")
    assert "dt" in slow.faults[0].mend[0]
    assert check("x", waveform.encode(wave), against(), AT).well  # without topic and catalog


def test_without_a_catalog_units_and_words_are_looked_at() -> None:
    plain = against()
    pack = [{"bn": "W-1/", "n": "methane", "u": "%VOL", "v": 0.3}, {"n": "x", "u": "%vol", "v": 1}, {"n": "door", "vs": "ajar"}]
    found = said(pack, plain)
    assert [r.name for r in found.readings] == ["W-1/methane"]
    assert found.readings[0].si == pytest.approx(0.003)
    assert "%VOL" in found.faults[0].mend[0]
    assert [f.place for f in found.faults] == ["W-1/x", "W-1/door"]
    assert said(b"online", plain).well
    assert not said(b"asleep", Against(plain.terms, topic=TOPIC.replace("telemetry", "status"))).well


@pytest.mark.parametrize("topic", ["a/b", "lifeline/v1/c/gas/A-1/W-1/telemetri", "lifeline/v2/c/gas/A-1/W-1/telemetry"])
def test_a_wrong_topic_is_a_fault(topic: str) -> None:
    (fault,) = check("x", b'{"a": 1}', Against(against().terms, topic=topic), AT).faults
    assert fault.place.startswith("topic")


@given(st.binary(max_size=200))
def test_junk_is_refused_and_never_crashes(junk: bytes) -> None:
    assert check("x", junk, against(), AT).size == len(junk)
    assert check("x", junk, against(topic=TOPIC), AT).size == len(junk)


tree = st.recursive(
    st.integers() | st.text() | st.none(),
    lambda x: (
        st.lists(x, min_size=1, max_size=3) | st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), x, min_size=1)
    ),
    max_leaves=12,
)


@given(tree, st.data())
def test_a_place_is_found_where_it_stands(whole: Any, data: st.DataObject) -> None:
    place, inner = "", whole
    while isinstance(inner, dict | list):
        key = data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        place += f"[{key}]" if isinstance(inner, list) else f".{key}"
        inner = inner[key]
    text = json.dumps(whole, indent=data.draw(st.sampled_from([None, 1])))
    at = find(text, place.lstrip("."))
    assert at is not None
    assert json.JSONDecoder().raw_decode(text, at)[0] == inner
    assert text.splitlines()[spot(text, at).line - 1][spot(text, at).column - 1] == text[at]


def test_every_hint_is_in_both_languages() -> None:
    for part, (en, zh) in hints():
        assert part
        assert en
        assert zh
    assert hint("something else") == ("", "")


def test_several_files_and_the_language(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}')
    (tmp_path / "b.hex").write_text("ff")
    text, code = run([str(tmp_path / "a.json"), str(tmp_path / "b.hex")], against(), "zh", as_json=False)
    assert code == 1
    assert "拒收: byte 0 (第 1 行第 1 列): 既不是 JSON，也不是 CBOR 编码的 SenML（neither JSON nor SenML in CBOR）" in text
    told, _ = run([str(tmp_path / "a.json")], against(), "en", as_json=True)
    assert json.loads(told)["ok"] is True
    with pytest.raises(Unusable, match="cannot be read"):
        loaded(str(tmp_path / "none.json"))
    (tmp_path / "c.hex").write_text("xy")
    with pytest.raises(Unusable, match="not hex"):
        loaded(str(tmp_path / "c.hex"))


def test_the_command_ends_with_what_it_found(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline.cli", "payload", "check", "-"]
    good = subprocess.run([*command, "-o", "json"], input=b'{"a": 1}', capture_output=True, check=False, timeout=60)
    assert (good.returncode, json.loads(good.stdout)["ok"]) == (0, True)
    bad = subprocess.run([*command, str(tmp_path / "no")], input=b'{"a": }', capture_output=True, check=False, timeout=60)
    assert bad.returncode == 2
