"""docs/asyncapi.yaml is what the codecs do: made from them, its examples are decoded, what they encode fits its schemas."""

import json
from pathlib import Path
from typing import Any, Final

import jsonschema
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ingest import topic
from ingest.admit import Terms
from ingest.codecs import Readings, Waveform, flat_json, senml_cbor, senml_json, status, waveform
from ingest.decode import CODECS, read
from lifeline.model import NS
from pipeline import contract

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs/asyncapi.yaml"
AT: Final = 1_790_000_000 * NS
TERMS: Final = Terms(300.0, 1e9, 1_000_000)
DOCUMENT: Final[dict[str, Any]] = yaml.safe_load(PAGE.read_text("utf-8"))
EXAMPLES: Final = [(message, *case) for message, cases in contract.golden().items() for case in cases]


def fits(message: str, tree: Any) -> bool:
    """Whether a tree is valid by the schema of a message."""
    schema = {"$ref": f"#/components/schemas/{message}", "components": DOCUMENT["components"]}
    return bool(jsonschema.Draft7Validator(schema).is_valid(tree))


def test_the_document_is_made_from_the_codecs() -> None:
    assert PAGE.read_text("utf-8") == contract.text()


def test_it_has_what_asyncapi_3_asks_for() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft7Validator.check_schema(schema)
    for name, channel in DOCUMENT["channels"].items():
        assert {f"{{{p}}}" for p in channel["parameters"]} == {x for x in channel["address"].split("/") if x.startswith("{")}, (
            name
        )
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}


def refs(tree: Any) -> set[str]:
    if isinstance(tree, dict):
        own = {tree["$ref"]} if isinstance(tree.get("$ref"), str) else set()
        return own.union(*map(refs, tree.values()))
    return set().union(*map(refs, tree)) if isinstance(tree, list) else set()


def test_every_reference_leads_somewhere() -> None:
    for ref in refs(DOCUMENT):
        place = DOCUMENT
        for step in ref.removeprefix("#/").split("/"):
            place = place[step]
        assert place, ref


def test_every_form_of_topic_is_a_channel_and_its_address_is_one_we_take() -> None:
    assert set(DOCUMENT["channels"]) - {"warning"} == set(topic.FORMS) == set(CODECS)
    for form in topic.FORMS:
        address = DOCUMENT["channels"][form]["address"].format(city="c", domain="gas", asset="a", device="d")
        assert topic.parse(address).form == form


def test_every_message_has_an_example_of_every_case_of_the_decoder() -> None:
    cases = {p.parent.name for p in contract.GOLDEN.glob("*/expected.json") if not json.loads(p.read_text())["bad"]}
    assert {name for _, name, form, _ in EXAMPLES if form != "waveform"} == cases
    for name, message in DOCUMENT["components"]["messages"].items():
        assert message.get("examples") or name == "warning"


@pytest.mark.parametrize(("message", "name", "form", "payload"), EXAMPLES, ids=[f"{m}-{n}" for m, n, *_ in EXAMPLES])
def test_an_example_fits_its_schema_and_is_decoded(message: str, name: str, form: str, payload: bytes) -> None:
    assert fits(message, contract.tree(message, payload)), name
    _, said = read(f"lifeline/v1/c/gas/a/d/{form}", payload, AT, TERMS)
    assert isinstance(said, Waveform) or (said.name and not said.bad)
    shown = {e["name"]: e["payload"] for e in DOCUMENT["components"]["messages"][message]["examples"]}
    assert shown[name] == contract.tree(message, payload)


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        ("flatJson", b'{"methane": null}'),
        ("flatJson", b'{"ts": "now", "values": {"methane": 1}}'),
        ("flatJson", b'[{"a": [1]}]'),
        ("flatJson", b"[]"),
        ("senmlJson", b'[{"n": "a", "v": "3"}]'),
        ("senmlJson", b'[{"n": "a", "v": 1, "vb": true}]'),
        ("senmlJson", b'[{"n": "a", "s": 1}]'),
        ("senmlJson", b'[{"n": "a", "vd": "AAAA"}]'),
        ("senmlJson", b'[{"bver": 11, "n": "a", "v": 1}]'),
        ("senmlJson", b'[{"n": "a", "v": 1, "must_": 1}]'),
        ("statusJson", b'{"status": "asleep"}'),
        ("statusWord", b"asleep"),
    ],
)
def test_what_is_refused_does_not_fit(message: str, payload: bytes) -> None:
    assert not fits(message, contract.tree(message, payload))
    form = "status" if message.startswith("status") else "telemetry"
    try:
        _, said = read(f"lifeline/v1/c/gas/a/d/{form}", payload, AT, TERMS)
    except ValueError:
        return
    assert isinstance(said, Readings)
    assert said.bad


names = st.sampled_from(["d/a", "d/b", "d/methane"])
cells = st.lists(
    st.tuples(names, st.integers(2**28 * 1000, 4 * 10**12), st.floats(-1e9, 1e9) | st.sampled_from(["open"])), min_size=1
)


@given(cells)
def test_what_the_codecs_encode_fits(rows: list[tuple[str, int, float | str]]) -> None:
    said = Readings([r[0] for r in rows], [r[1] * 1_000_000 for r in rows], [r[2] for r in rows], [""] * len(rows), [])
    assert fits("flatJson", contract.tree("flatJson", flat_json.encode(said, "d")))
    assert fits("senmlJson", contract.tree("senmlJson", senml_json.encode(said)))
    assert fits("senmlCbor", contract.tree("senmlCbor", senml_cbor.encode(said)))


@given(st.sampled_from(sorted(waveform.TYPES)), st.integers(waveform.LEAST, 64))
def test_what_is_encoded_of_waveforms_fits(tag: int, k: int) -> None:
    wave = Waveform("d/a", AT, NS // 50, np.arange(float(k)), "m/s2")
    assert fits("waveformCbor", contract.tree("waveformCbor", waveform.encode(wave, tag=tag)))
    assert not fits("waveformCbor", {**contract.tree("waveformCbor", waveform.encode(wave)), "dt": 0})


@pytest.mark.parametrize("word", status.WORDS)
def test_words_of_status_fit(word: str) -> None:
    assert fits("statusWord", contract.tree("statusWord", status.encode(word)))
