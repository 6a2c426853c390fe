"""What a CAP 1.2 message must be: the schema's elements, their order, number and values, and the rules that no schema can say.

OASIS Common Alerting Protocol Version 1.2 (2010), section 3.2 and 3.4. Nothing that breaks one of them is published.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from alerts.cap import NAMESPACE

TIME: Final = re.compile(r"\d\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
LANGUAGE: Final = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")
FURTHEST: Final = 14 * 60  # [min] that XML Schema lets a zone lie from UTC
DECIMAL: Final = re.compile(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)\s*")
URI: Final = re.compile(r"[a-zA-Z][-+.a-zA-Z0-9]*:(//\[[0-9a-fA-F:.]+\])?([-\w.~:/?#@!$&'()*+,;=]|%[0-9a-fA-F]{2})+")
INTEGER: Final = re.compile(r"\s*[-+]?\d+\s*")
NUMBER: Final = r"-?\d+(\.\d+)?"
POINT: Final = re.compile(rf"{NUMBER},{NUMBER}")
CIRCLE: Final = re.compile(rf"({NUMBER},{NUMBER}) \d+(\.\d+)?")
NAME: Final = re.compile(r"[^\s,<&]+")
REFERENCE: Final = re.compile(rf"{NAME.pattern},{NAME.pattern},{TIME.pattern}")


class Rule(NamedTuple):
    """One element within its parent."""

    name: str
    least: int = 0
    most: int | None = 1  # None: any number
    values: str = ""  # allowed, with spaces between; "": any text
    form: re.Pattern[str] | None = None  # of its text; None: any


PAIR: Final = (Rule("valueName", 1), Rule("value", 1))
CHILDREN: Final[dict[str, tuple[Rule, ...]]] = {
    "alert": (
        Rule("identifier", 1), Rule("sender", 1), Rule("sent", 1), Rule("status", 1, 1, "Actual Exercise System Test Draft"),
        Rule("msgType", 1, 1, "Alert Update Cancel Ack Error"), Rule("source"),
        Rule("scope", 1, 1, "Public Restricted Private"),
        Rule("restriction"), Rule("addresses"), Rule("code", 0, None), Rule("note"), Rule("references"), Rule("incidents"),
        Rule("info", 0, None),
    ),
    "info": (
        Rule("language"),
        Rule("category", 1, None, "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other"),
        Rule("event", 1),
        Rule("responseType", 0, None, "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None"),
        Rule("urgency", 1, 1, "Immediate Expected Future Past Unknown"),
        Rule("severity", 1, 1, "Extreme Severe Moderate Minor Unknown"),
        Rule("certainty", 1, 1, "Observed Likely Possible Unlikely Unknown"), Rule("audience"), Rule("eventCode", 0, None),
        Rule("effective"), Rule("onset"), Rule("expires"), Rule("senderName"), Rule("headline"), Rule("description"),
        Rule("instruction"), Rule("web", form=URI), Rule("contact"), Rule("parameter", 0, None), Rule("resource", 0, None),
        Rule("area", 0, None),
    ),
    "eventCode": PAIR, "parameter": PAIR, "geocode": PAIR,
    "resource": (
        Rule("resourceDesc", 1), Rule("mimeType", 1), Rule("size", form=INTEGER), Rule("uri", form=URI),
        Rule("derefUri"), Rule("digest"),
    ),
    "area": (
        Rule("areaDesc", 1), Rule("polygon", 0, None), Rule("circle", 0, None), Rule("geocode", 0, None),
        Rule("altitude", form=DECIMAL),
        Rule("ceiling", form=DECIMAL),
    ),
}  # fmt: skip


def problems(xml: bytes) -> list[str]:
    """All that is wrong with a message; empty when it may be published."""
    try:
        alert = ET.fromstring(xml)  # noqa: S314  our own writing, checked before anybody else reads it
    except ET.ParseError as why:
        return [f"not XML: {why}"]
    if alert.tag != f"{{{NAMESPACE}}}alert":
        return [f"the root is {alert.tag}, not alert of {NAMESPACE}"]
    return [*_structure(alert), *_meaning(alert)]


def _structure(parent: ET.Element) -> Iterator[str]:
    """Against the schema: names, order, numbers, values; nothing beside them."""
    name = _local(parent)
    rules = {r.name: (i, r) for i, r in enumerate(CHILDREN[name])}
    at = 0
    yield from _alone(parent)
    for child in parent:
        tag = _local(child)
        if tag not in rules:
            yield f"{name}: no element {tag} is allowed"
            continue
        place, rule = rules[tag]
        if place < at:
            yield f"{name}: {tag} stands too late"
        at = max(at, place)
        yield from _structure(child) if tag in CHILDREN else _leaf(child, name, rule)
    for rule in CHILDREN[name]:
        n = len(_all(parent, rule.name))
        if n < rule.least or (rule.most is not None and n > rule.most):
            yield f"{name}: {n} times {rule.name}"


def _alone(parent: ET.Element) -> Iterator[str]:
    """What holds elements holds neither text nor attributes."""
    name = _local(parent)
    yield from (f"{name}: no attribute {a} is allowed" for a in parent.attrib)
    if any((text or "").strip() for text in (parent.text, *(child.tail for child in parent))):
        yield f"{name}: holds text beside its elements"


def _leaf(leaf: ET.Element, parent: str, rule: Rule) -> Iterator[str]:
    """What holds text holds no elements."""
    name, text = f"{parent}.{rule.name}", leaf.text or ""
    if len(leaf) or leaf.attrib:
        yield f"{name}: holds more than text"
    if rule.values and text not in rule.values.split():
        yield f"{name}: {leaf.text!r} is none of {rule.values}"
    if rule.form is not None and not rule.form.fullmatch(text):
        yield f"{name}: {leaf.text!r} is not written as it must be"


def _meaning(alert: ET.Element) -> Iterator[str]:
    """What the schema leaves to the text."""
    for name in ("identifier", "sender"):
        if not NAME.fullmatch(_text(alert, name)):
            yield f"{name}: {_text(alert, name)!r} is empty or holds a space, a comma, < or &"
    if not _instant(_text(alert, "sent")):
        yield f"sent: {_text(alert, 'sent')!r} is no time with an offset"
    refers = _text(alert, "references").split()
    if _text(alert, "msgType") != "Alert" and not refers:
        yield f"references: missing in a message of type {_text(alert, 'msgType')}"
    yield from (f"references: {r!r} is not sender,identifier,sent" for r in refers if not REFERENCE.fullmatch(r))
    if _text(alert, "scope") == "Restricted" and not _text(alert, "restriction"):
        yield "restriction: missing where the scope is Restricted"
    if _text(alert, "scope") == "Private" and not _text(alert, "addresses"):
        yield "addresses: missing where the scope is Private"
    for info in _all(alert, "info"):
        yield from _info(info)


def _info(info: ET.Element) -> Iterator[str]:
    language = _text(info, "language")
    if language and not LANGUAGE.fullmatch(language):
        yield f"language: {language!r} is none"
    for name in ("effective", "onset", "expires"):
        yield from (f"{name}: {e.text!r} is no time with an offset" for e in _all(info, name) if not _instant(e.text or ""))
    for area in _all(info, "area"):
        yield from (f"circle: {c.text!r} is no circle" for c in _all(area, "circle") if not _circle(c.text or ""))
        yield from (f"polygon: {p.text!r} is not closed" for p in _all(area, "polygon") if not _polygon(p.text or ""))


def _instant(text: str) -> bool:
    if not TIME.fullmatch(text):
        return False
    try:
        offset = datetime.fromisoformat(text).utcoffset()
    except ValueError:
        return False
    return offset is not None and abs(offset.total_seconds()) <= FURTHEST * 60


def _circle(text: str) -> bool:
    found = CIRCLE.fullmatch(text)
    return found is not None and _on_earth(found[1])


def _polygon(text: str) -> bool:
    points = text.split()
    return len(points) >= 4 and points[0] == points[-1] and all(POINT.fullmatch(p) and _on_earth(p) for p in points)


def _on_earth(point: str) -> bool:
    lat, lon = map(float, point.split(","))
    return abs(lat) <= 90 and abs(lon) <= 180


def _local(element: ET.Element) -> str:
    """The name of an element of CAP; others keep their namespace, and so are not allowed."""
    return element.tag.removeprefix(f"{{{NAMESPACE}}}")


def _all(parent: ET.Element, name: str) -> list[ET.Element]:
    return parent.findall(f"{{{NAMESPACE}}}{name}")


def _text(parent: ET.Element, name: str) -> str:
    return parent.findtext(f"{{{NAMESPACE}}}{name}") or ""
