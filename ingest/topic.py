"""Topics: `lifeline/v1/{city}/{domain}/{asset}/{device}/{telemetry|waveform|event|status}`."""

from typing import Final, NamedTuple

from ingest.codecs import BadPayload, quoted
from lifeline.model import Domain

ROOT: Final = ("lifeline", "v1")
FORMS: Final = ("telemetry", "waveform", "event", "status")
NAMES: Final = ("root", "version", "city", "domain", "asset", "device", "form")
_DOMAINS: Final = {d.value: d for d in Domain}


class BadTopic(BadPayload):
    """A message under a topic that is not ours."""


class Topic(NamedTuple):
    city: str
    domain: Domain
    asset: str
    device: str
    form: str  # one of FORMS

    def __str__(self) -> str:
        return "/".join((*ROOT, *self))


def parse(topic: str) -> Topic:
    """The segments of a topic; BadTopic names the one that is wrong."""
    parts = topic.split("/")
    if len(parts) != len(NAMES):
        raise BadTopic(f"a topic has {len(NAMES)} segments, this one {len(parts)}", "topic")
    root, version, city, domain, asset, device, form = parts
    found = _DOMAINS.get(domain)
    if (root, version) != ROOT or found is None or form not in FORMS or not (city and asset and device) or _unfit(topic):
        raise _why(parts)
    return Topic(city, found, asset, device, form)


def _unfit(topic: str) -> bool:
    return "+" in topic or "#" in topic or "\0" in topic


def _why(parts: list[str]) -> BadTopic:
    """The first wrong segment and what it may be."""
    allowed = dict(zip(NAMES, ((ROOT[0],), (ROOT[1],), (), tuple(_DOMAINS), (), (), FORMS), strict=True))
    for (name, choice), part in zip(allowed.items(), parts, strict=True):
        if choice and part not in choice:
            return BadTopic(f"{name} must be {' or '.join(choice)}", f"topic {name} {quoted(part)}")
        if not part or _unfit(part):
            return BadTopic(f"{name} must be a name without +, # and NUL", f"topic {name} {quoted(part)}")
    raise AssertionError(parts)
