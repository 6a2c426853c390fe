"""docs/asyncapi.yaml: what may be published under which topic, and what is told, made from the codecs (AsyncAPI 3.0)."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import cbor2
import msgspec
import numpy as np
import yaml

from alerts.channels.mqtt import Mqtt
from alerts.notice import Story, Texts
from ingest import topic
from ingest.codecs import REACH, Waveform, senml, senml_cbor, status, waveform
from ingest.codecs.text import load
from lifeline.model import NS, Domain
from lifeline.units import UNITS, WORDS

VERSION: Final = "1.0.0"  # of the contract: the first number is that of the topics, the second grows with what is added
GOLDEN: Final = Path(__file__).parents[1] / "tests/ingest/golden"  # cases of the decoder; the examples are taken from them
COMPONENTS: Final = "#/components/schemas/{name}"

Schema = dict[str, Any]
INTO: Final = {  # form of the topic -> messages it may carry
    "telemetry": ("flatJson", "senmlJson", "senmlCbor"),
    "event": ("flatJson", "senmlJson", "senmlCbor"),
    "waveform": ("waveformCbor",),
    "status": ("statusWord", "statusJson"),
}
TYPES: Final = {"Json": "application/json", "Cbor": "application/cbor", "Word": "text/plain"}
TITLES: Final = {
    "flatJson": "Flat JSON, as ThingsBoard devices send it",
    "senmlJson": "SenML, RFC 8428, as JSON",
    "senmlCbor": "SenML, RFC 8428, as CBOR; labels are small integers",
    "waveformCbor": "A packed waveform: a CBOR map; samples as a typed array of RFC 8746",
    "statusWord": "Whether a device is online, as a bare word; leave `offline` as the last will",
    "statusJson": "Whether a device is online, as an object",
    "warning": "A change of a warning's level, as channels of type mqtt tell it; retained, it is empty once that is over",
}


def reading() -> Schema:
    """A value in flat JSON."""
    words = sorted({word for table in WORDS.values() for word in table})
    return {
        "description": f"A number in the unit of the catalog, true or false (1 and 0), or a word: {', '.join(words)}.",
        "type": ["number", "boolean", "string"],
    }


def flat() -> Schema:
    """{"k": v}, {"ts": ms, "values": {...}}, or an array of either."""
    values = {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/reading"}}
    ts = {
        "type": "number", "exclusiveMinimum": -REACH // 1_000_000, "exclusiveMaximum": REACH // 1_000_000,
        "description": "Milliseconds since 1970 UTC, when it was measured.",
    }  # fmt: skip
    dated = {
        "type": "object", "title": "dated", "required": ["ts", "values"], "properties": {"ts": ts, "values": values},
    }  # fmt: skip
    record = {"anyOf": [dated, {**values, "title": "dated as received", "minProperties": 1}]}
    return {"anyOf": [record, {"type": "array", "items": record, "minItems": 1}]}


def _senml() -> Schema:
    """A pack: an array of records; bases hold for all after them."""
    number, text = {"type": "number"}, {"type": "string"}
    seconds = {"type": "number", "description": "Seconds; since 1970 UTC, or from now where below 2**28."}
    fields = {
        "bn": {**text, "description": "Goes before every name."}, "bt": seconds, "bu": {**text, "description": "Unit."},
        "bv": number, "bver": {"type": "number", "exclusiveMinimum": 0, "maximum": senml.VERSION},
        "n": {**text, "description": "Key of the series, or channel of the topic's device."},
        "u": {**text, "description": f"Unit, one that measures the same: {', '.join(sorted(UNITS))}."}, "t": seconds,
        "v": number, "vb": {"type": "boolean"}, "vs": {**text, "description": "A word."},
        "s": number, "bs": number, "ut": number,
    }  # fmt: skip
    values = ("v", "vb", "vs")
    said = [{"required": [v], "not": {"anyOf": [{"required": [o]} for o in values if o != v]}} for v in values]
    only_base = {"not": {"anyOf": [{"required": [f]} for f in ("n", "u", "t", "s", *values)]}}
    return {
        "type": "array", "minItems": 1,
        "items": {
            "type": "object", "properties": fields, "patternProperties": {"_$": False}, "not": {"required": ["vd"]},
            "anyOf": [*said, only_base],
        },
    }  # fmt: skip


def _waveform() -> Schema:
    """Evenly spaced samples of one series."""
    instant = {"type": ["integer", "number"], "description": "Integers are nanoseconds, floats are seconds."}
    typed = {
        "type": "object", "title": "typed array of RFC 8746, here as its tag and its bytes in hex",
        "required": ["tag", "bytes"],
        "properties": {"tag": {"enum": sorted(waveform.TYPES)}, "bytes": {"type": "string", "pattern": "^([0-9a-f]{2})*$"}},
    }  # fmt: skip
    plain = {
        "type": "array", "items": {"type": "number"}, "minItems": waveform.LEAST, "maxItems": waveform.MOST, "title": "numbers",
    }  # fmt: skip
    longest = f"Between samples, above 0 and at most {waveform.LONGEST // NS} s. {instant['description']}"
    fields = {
        "n": {"type": "string", "minLength": 1, "description": "Key of the series, or channel of the topic's device."},
        "t": {**instant, "description": f"Of the first sample, since 1970 UTC. {instant['description']}"},
        "dt": {"type": ["integer", "number"], "exclusiveMinimum": 0, "maximum": waveform.LONGEST, "description": longest},
        "v": {
            "oneOf": [typed, plain],
            "description": f"{waveform.LEAST} to {waveform.MOST} samples; not a number: missing. Tags: "
            + ", ".join(f"{tag} {kind.str}" for tag, kind in sorted(waveform.TYPES.items())),
        },
        "u": {"type": "string", "minLength": 1, "description": "Unit."},
        "s": {"type": "number", "description": "Scale: a value is v * s + o."},
        "o": {"type": "number", "description": "Offset."},
    }  # fmt: skip
    return {"type": "object", "required": ["n", "t", "dt", "v"], "properties": fields}


def schemas() -> dict[str, Schema]:
    """By name of the message, and those of the structs that the desk tells."""
    word = {"enum": list(status.WORDS)}
    pack = _senml()
    labels = {name: number for number, name in senml_cbor.LABELS.items()}
    (story, texts), structs = msgspec.json.schema_components([Story, Texts], ref_template=COMPONENTS)
    told = {"type": "object", "properties": {"id": {"type": "string"}, "exercise": {"type": "boolean"}, "texts": texts}}
    return {
        "reading": reading(), "flatJson": flat(), "senmlJson": pack,
        "senmlCbor": {**pack, "description": "Labels on the wire: " + ", ".join(f"{k} {v}" for k, v in labels.items())},
        "waveformCbor": _waveform(), "statusWord": {"type": "string", **word},
        "statusJson": {"type": "object", "required": ["status"], "properties": {"status": word}},
        "warning": {"allOf": [told, story]}, **structs,
    }  # fmt: skip


def tree(message: str, payload: bytes) -> Any:
    """A payload as its schema speaks of it: parsed, CBOR labels by their names, typed arrays as tag and bytes."""
    if message == "statusWord":
        return payload.decode("ascii").strip()
    if not message.endswith("Cbor"):
        return load(payload)
    found = cbor2.loads(payload)
    if message == "senmlCbor":
        return [{senml_cbor.LABELS.get(k, k): v for k, v in record.items()} for record in found]
    return {k: _tagged(v) for k, v in found.items()}


def _tagged(value: Any) -> Any:
    return {"tag": value.tag, "bytes": value.value.hex()} if isinstance(value, cbor2.CBORTag) else value


def which(form: str, payload: bytes) -> str:
    """The message that a payload is, under a topic of this form."""
    first = payload.lstrip()[:1]
    if form in ("waveform", "status"):
        return INTO[form][0] if form == "waveform" or first != b"{" else INTO[form][1]
    if first == b"{":
        return "flatJson"
    if first == b"[":
        return "senmlJson" if senml.is_pack(load(payload)) else "flatJson"
    return "senmlCbor"


@cache
def golden() -> dict[str, list[tuple[str, str, bytes]]]:
    """Message -> (name, form, payload) of every case that is taken whole."""
    found: dict[str, list[tuple[str, str, bytes]]] = {}
    for case in sorted(p.parent for p in GOLDEN.glob("*/topic.txt")):
        if json.loads((case / "expected.json").read_text("utf-8"))["bad"]:
            continue
        (path,) = case.glob("payload.*")
        payload = bytes.fromhex(path.read_text()) if path.suffix == ".hex" else path.read_bytes()
        form = topic.parse((case / "topic.txt").read_text().strip()).form
        found.setdefault(which(form, payload), []).append((case.name, form, payload))
    t = 1_790_000_000 * NS
    wave = Waveform("B-1/a", t, NS // 50, 0.01 * np.sin(np.arange(8.0)), "m/s2")
    counts = [waveform.encode(wave), waveform.encode(wave, tag=77, scale=0.0005)]
    found["waveformCbor"] = [(name, "waveform", said) for name, said in zip(("floats", "counts"), counts, strict=True)]
    return found


def _example(message: str, name: str, payload: bytes) -> Schema:
    shown = {"name": name, "payload": tree(message, payload)}
    return {**shown, "summary": f"on the wire, in hex: {payload.hex()}"} if message.endswith("Cbor") else shown


def _message(name: str) -> Schema:
    kind = next(t for end, t in TYPES.items() if name.endswith(end)) if name != "warning" else "application/json"
    examples = [_example(name, case, payload) for case, _, payload in golden().get(name, [])]
    made = {"name": name, "title": TITLES[name], "contentType": kind, "payload": {"$ref": COMPONENTS.format(name=name)}}
    return {**made, "examples": examples} if examples else made


def _channel(form: str, messages: Mapping[str, Schema]) -> Schema:
    names = {
        "city": "As `[city] name` says",
        "asset": "What is watched",
        "device": "That sends it: its series begin with its name",
    }
    parameters: dict[str, Schema] = {name: {"description": f"{text}; without / + # and NUL."} for name, text in names.items()}
    parameters["domain"] = {"enum": [d.value for d in Domain], "description": "Of the asset."}
    root = "/".join(topic.ROOT)
    return {
        "address": f"{root}/{{city}}/{{domain}}/{{asset}}/{{device}}/{form}", "messages": dict(messages),
        "parameters": {name: parameters[name] for name in topic.NAMES[2:-1]},
    }  # fmt: skip


def _refs(names: tuple[str, ...]) -> dict[str, Schema]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def document() -> Schema:
    """The whole, as AsyncAPI 3.0 has it."""
    channels = {form: _channel(form, _refs(INTO[form])) for form in topic.FORMS}
    told = {"city": "", "domain": "", "asset": "", "hazard": ""}
    channels["warning"] = {
        "address": Mqtt.topic, "messages": _refs(("warning",)),
        "parameters": {name: {"description": f"Of the warning: its {name}."} for name in told},
    }  # fmt: skip
    bound = {"mqtt": {"qos": 1, "retain": False, "bindingVersion": "0.2.0"}}
    operations = {
        f"take{form.capitalize()}": {
            "action": "receive", "channel": {"$ref": f"#/channels/{form}"}, "bindings": bound,
            "messages": [{"$ref": f"#/channels/{form}/messages/{name}"} for name in INTO[form]],
        }
        for form in topic.FORMS
    }  # fmt: skip
    operations["tellWarning"] = {
        "action": "send", "channel": {"$ref": "#/channels/warning"}, "bindings": {"mqtt": {**bound["mqtt"]}},
        "messages": [{"$ref": "#/channels/warning/messages/warning"}],
    }  # fmt: skip
    about = (
        "What devices publish to the broker of City Lifeline, and what it publishes. Made from the codecs by `lifeline payload "
        "schema`; docs/payloads.md says the same in words, `lifeline payload check` tries a payload."
    )
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "City Lifeline", "version": VERSION, "description": about, "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/json", "channels": channels, "operations": operations,
        "components": {"messages": {name: _message(name) for name in TITLES}, "schemas": schemas()},
    }  # fmt: skip


class _Plain(yaml.SafeDumper):
    """Without anchors: who reads it should not have to look them up."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the library's signature
        return True


def text() -> str:
    """The document as YAML."""
    head = "# Made from the codecs by `lifeline payload schema --out docs/asyncapi.yaml`; a test compares the two.\n"
    return head + yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
