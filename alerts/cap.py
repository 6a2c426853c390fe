"""A notice as a message of the Common Alerting Protocol (OASIS CAP 1.2), for systems that warn the public.

Colours are mapped as in docs/channels.md; the colour itself stands in the parameter warnLevel, for consumers differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from alerts import texts
from alerts.judge import Why
from alerts.notice import Notice, Story, What
from alerts.routing.minder import AGAIN
from lifeline.model import NS, Domain, Level

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
ZONE: Final = ZoneInfo("Asia/Shanghai")
HOUR: Final = 3600 * NS  # [ns]
CATEGORIES: Final = {
    Domain.GAS: ("Safety", "Fire", "Infra"), Domain.WATER: ("Infra",), Domain.BRIDGE: ("Infra", "Transport"),
    Domain.ELEVATOR: ("Rescue", "Infra"),
}  # fmt: skip
CONFIRMED: Final = frozenset({Why.HARD, Why.SEVERAL, Why.AGREED})


class Grade(NamedTuple):
    """What a colour is in CAP."""

    severity: str
    urgency: str
    responses: tuple[str, ...]
    expires: int  # [ns] after it was sent


GRADES: Final = {
    "RED": Grade("Extreme", "Immediate", ("Evacuate", "Avoid", "Execute"), 2 * HOUR),
    "ORANGE": Grade("Severe", "Immediate", ("Avoid", "Execute"), 6 * HOUR),
    "YELLOW": Grade("Moderate", "Expected", ("Prepare", "Assess"), 24 * HOUR),
    "BLUE": Grade("Minor", "Future", ("Monitor",), 72 * HOUR),
}


@dataclass(frozen=True)
class Office:
    """Who speaks."""

    sender: str  # unique among all senders, such as an address of the office
    name: str
    status: str
    scope: str
    restriction: str
    contact: str
    radius: float  # [km] of the circle about the asset
    public_url: str


def publishable(notice: Notice) -> bool:
    """Whether it is news for others: a reminder is none, nor what is said again, nor the end of what was never published."""
    if AGAIN in notice.id:
        return False
    return notice.story.what is not What.OVERDUE and (notice.story.ended is None or bool(notice.earlier))


def identifier(warning: str, version: int) -> str:
    return f"{warning}.{version}"


def message(notice: Notice, office: Office) -> bytes:
    """The message as XML."""
    s, alert = notice.story, ET.Element("alert", xmlns=NAMESPACE)
    kind = ("Update" if s.ended is None else "Cancel") if notice.earlier else "Alert"
    head = [
        ("identifier", identifier(s.warning, s.version)), ("sender", office.sender), ("sent", when(s.made)),
        ("status", "Exercise" if notice.exercise else office.status), ("msgType", kind), ("source", "lifeline"),
        ("scope", office.scope), ("restriction", office.restriction), ("note", "演练 exercise" if notice.exercise else ""),
        ("references", references(notice, office)), ("incidents", s.warning),
    ]  # fmt: skip
    _put(alert, head)
    for i, language in enumerate(("zh-CN", "en-US")):
        _info(ET.SubElement(alert, "info"), notice, office, language, i)
    return written(alert)


def written(root: ET.Element) -> bytes:
    """A whole XML document."""
    ET.indent(root)
    body: bytes = ET.tostring(root, "utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def references(notice: Notice, office: Office) -> str:
    """All that was published of the warning before."""
    before = [(office.sender, identifier(notice.story.warning, e.version), when(e.made)) for e in notice.earlier]
    return " ".join(",".join(each) for each in before)


def certainty(s: Story) -> str:
    """A hard limit or several sensors observe; one alone makes it likely, or possible."""
    if s.ended is not None or (s.level == Level.RED.name and s.why in CONFIRMED):
        return "Observed"
    return "Possible" if s.level == Level.BLUE.name or (s.level == Level.YELLOW.name and s.voices < 2) else "Likely"


def when(t: int) -> str:
    """2026-01-02T03:04:05+08:00, never Z. t [ns] UTC"""
    return datetime.fromtimestamp(t // NS, UTC).astimezone(ZONE).isoformat(timespec="seconds").replace("+00:00", "-00:00")


def _info(info: ET.Element, notice: Notice, office: Office, language: str, i: int) -> None:
    """One language; i: its place in pairs of texts."""
    s, said = notice.story, notice.texts
    over = s.ended is not None
    grade = GRADES.get(s.before if over else s.level, GRADES["BLUE"])
    rows = [("language", language), *(("category", c) for c in CATEGORIES.get(Domain(s.domain), ("Infra",)))]
    rows += [("event", texts.hazard(s.hazard)[i]), *(("responseType", r) for r in (("AllClear",) if over else grade.responses))]
    rows += [("urgency", "Past" if over else grade.urgency), ("severity", grade.severity), ("certainty", certainty(s))]
    _put(info, rows)
    _pair(info, "eventCode", "lifeline:hazard", s.hazard)
    ends = s.made + (HOUR if over else grade.expires)
    rows = [("effective", when(s.made)), ("onset", when(s.onset)), ("expires", when(ends)), ("senderName", office.name)]
    rows += [("headline", (said.zh_title, said.en_title)[i]), ("description", (said.zh, said.en)[i])]
    rows += [("web", f"{office.public_url.rstrip('/')}/api/v1/warnings/{s.warning}"), ("contact", office.contact)]
    _put(info, rows)
    for name, value in _parameters(s):
        _pair(info, "parameter", name, value)
    places = ((s.city, s.district, s.asset), (s.asset, s.district, s.city))
    where = ("", ", ")[i].join(clean(p) for p in places[i] if clean(p)) or "-"
    _put(ET.SubElement(info, "area"), [("areaDesc", where), ("circle", f"{s.lat:.5f},{s.lon:.5f} {office.radius:g}")])


def _parameters(s: Story) -> Iterator[tuple[str, str]]:
    """What CAP has no element for."""
    yield from (("warnLevel", s.level), ("asset", s.asset), ("owner", s.owner), ("voices", str(s.voices)))
    if s.before != Level.NORMAL.name:
        yield "warnLevelBefore", s.before


def _put(into: ET.Element, rows: list[tuple[str, str]]) -> None:
    """Elements with text, without those that are empty."""
    for name, text in rows:
        if said := clean(text):
            ET.SubElement(into, name).text = said


def _pair(into: ET.Element, name: str, key: str, value: str) -> None:
    _put(ET.SubElement(into, name), [("valueName", key), ("value", clean(value) or "-")])


def clean(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return "".join(c for c in text if c in "\t\n" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff").strip()
