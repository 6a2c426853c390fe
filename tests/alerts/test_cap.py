"""CAP 1.2: what is published is valid, in order, and refers to what went before."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import cap, cap_rules, channels
from alerts.api import app
from alerts.channels.cap import Cap
from alerts.desk import Desk, Settings
from alerts.notice import EXERCISE, Drop, Earlier, Notice, Retry, Sent, What
from alerts.outbox import Patience, rescue_of
from alerts.route import Route
from alerts.routing.minder import AGAIN
from alerts.tables import Database
from bench.receiver import Receiver, Reply
from lifeline.catalog import Catalog
from lifeline.clock import WallClock
from lifeline.config import ConfigRefused
from lifeline.model import NS, Change, Level
from tests.alerts.sending import done, run, until
from tests.alerts.story import PLAIN, ended, noticed, send, told
from tests.tokens import BEARER, TOKEN

N, B, Y, O, R = Level
Say = Callable[..., Change]
URL = "https://desk.example"
OFFICE = Cap("desk@city.example", "澄江监测中心", public_url=URL)
CAP = f"{{{cap.NAMESPACE}}}"


def parsed(notice: Notice, way: Cap = OFFICE) -> ET.Element:
    xml = cap.message(notice, way.office)
    assert cap_rules.problems(xml) == []
    return ET.fromstring(xml)  # noqa: S314  our own


def text(alert: ET.Element, path: str) -> str:
    return alert.findtext("/".join(f"{CAP}{part}" for part in path.split("/"))) or ""


def texts(alert: ET.Element, path: str) -> list[str]:
    return [e.text or "" for e in alert.findall("/".join(f"{CAP}{part}" for part in path.split("/")))]


@pytest.mark.parametrize(
    ("level", "severity", "urgency", "responses", "hours"),
    [
        ("RED", "Extreme", "Immediate", ["Evacuate", "Avoid", "Execute"], 2),
        ("ORANGE", "Severe", "Immediate", ["Avoid", "Execute"], 6),
        ("YELLOW", "Moderate", "Expected", ["Prepare", "Assess"], 24), ("BLUE", "Minor", "Future", ["Monitor"], 72),
    ],
)  # fmt: skip
def test_a_colour_is_what_the_table_says(level: str, severity: str, urgency: str, responses: list[str], hours: int) -> None:
    story = told(PLAIN, level=level, why="lone", voices=1, lat=24.67, lon=102.91)
    alert = parsed(noticed(story))
    assert text(alert, "info/severity") == severity
    assert text(alert, "info/urgency") == urgency
    assert texts(alert, "info/responseType")[: len(responses)] == responses
    assert text(alert, "info/expires") == cap.when(story.made + hours * 3600 * NS)
    parameters = {text(p, "valueName"): text(p, "value") for p in alert.findall(f"{CAP}info/{CAP}parameter")}
    assert parameters["warnLevel"] == level
    assert texts(alert, "info/category")[:3] == ["Safety", "Fire", "Infra"]
    assert text(alert, "info/area/circle") == "24.67000,102.91000 0.2"


@pytest.mark.parametrize(
    ("level", "why", "voices", "said"),
    [
        ("RED", "hard", 1, "Observed"), ("RED", "agreed", 2, "Observed"), ("RED", "lone", 1, "Likely"),
        ("ORANGE", "hard", 1, "Likely"),
        ("YELLOW", "several", 2, "Likely"), ("YELLOW", "capped", 1, "Possible"), ("BLUE", "several", 2, "Possible"),
    ],
)  # fmt: skip
def test_how_certain_it_is_follows_from_its_grounds(level: str, why: str, voices: int, said: str) -> None:
    assert text(parsed(noticed(told(PLAIN, level=level, why=why, voices=voices))), "info/certainty") == said


def test_times_are_those_of_the_city_and_never_z() -> None:
    xml = cap.message(noticed(told(PLAIN)), OFFICE.office).decode()
    times = re.findall(r"\d{4}-\d\d-\d\dT[^<, ]+", xml)
    assert len(times) >= 7
    assert all(t.endswith("+08:00") for t in times)
    assert cap.when(1_767_000_000 * NS) == "2025-12-29T17:20:00+08:00"


def test_updates_and_the_end_name_all_that_went_before() -> None:
    story = told(PLAIN)
    first = parsed(noticed(msgspec.structs.replace(story, what=What.RAISED, version=1)))
    assert (text(first, "msgType"), text(first, "references")) == ("Alert", "")
    before = (Earlier(1, story.made - 60 * NS), Earlier(2, story.made))
    update = parsed(noticed(msgspec.structs.replace(story, version=3), earlier=before))
    assert text(update, "msgType") == "Update"
    one = "desk@city.example,0123456789abcdef.1,2025-12-29T17:19:00+08:00"
    two = "desk@city.example,0123456789abcdef.2,2025-12-29T17:20:00+08:00"
    assert text(update, "references") == f"{one} {two}"
    over = parsed(noticed(ended(story), earlier=before))
    assert text(over, "msgType") == "Cancel"
    assert texts(over, "info/responseType") == ["AllClear", "AllClear"]
    assert text(over, "info/urgency") == "Past"
    assert text(over, "info/severity") == "Extreme"


def test_an_exercise_says_so_whatever_the_office_says() -> None:
    assert text(parsed(noticed(told(PLAIN), trial=True)), "status") == "Exercise"
    drill = parsed(noticed(told(PLAIN, hazard=f"{EXERCISE}gas_accumulation")))
    assert text(drill, "status") == "Exercise"
    assert text(drill, "info/headline").startswith("【演练】")
    assert text(parsed(noticed(told(PLAIN))), "status") == "Actual"
    public = Cap("a@b", "x", scope="Public", status="Test")
    alert = parsed(noticed(told(PLAIN)), public)
    assert (text(alert, "status"), text(alert, "scope"), text(alert, "restriction")) == ("Test", "Public", "")


@given(
    name=st.text(max_size=40),
    level=st.sampled_from(["RED", "ORANGE", "YELLOW", "BLUE"]),
    domain=st.sampled_from(["gas", "water", "bridge", "elevator", "other"]),
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    over=st.booleans(),
    before=st.lists(st.integers(1, 9), max_size=3),
)
def test_whatever_is_told_becomes_a_valid_message(
    name: str,
    level: str,
    domain: str,
    lat: float,
    lon: float,
    over: bool,  # noqa: FBT001
    before: list[int],
) -> None:
    place = {"asset": name, "district": name, "owner": name, "city": name}
    story = told(PLAIN, level=level, domain=domain, lat=lat, lon=lon, **place)
    earlier = tuple(Earlier(v, story.made) for v in before)
    notice = noticed(ended(story) if over else story, earlier=earlier)
    if cap.publishable(notice):
        parsed(notice)


BREAKS: list[tuple[str, str, str]] = [
    ("<status>Actual</status>", "<status>Maybe</status>", "none of"),
    ("<scope>Restricted</scope>", "", "0 times scope"),
    ("<sender>desk@city.example</sender>", "<sender>the desk</sender>", "sender"),
    ("+08:00</sent>", "Z</sent>", "sent"),
    ("2025-12-29T17:20:00+08:00</sent>", "2025-13-29T17:20:00+08:00</sent>", "sent"),
    ("cap:1.2", "cap:1.1", "root"),
    ("<language>zh-CN</language>", "<language>中文</language>", "language"),
    ("<event>", "<event>a</event><event>", "2 times event"),
    ("<urgency>Immediate</urgency>", "", "0 times urgency"),
    ("<category>Safety</category>", "<category>Sea</category>", "none of"),
    ("<circle>24.67000,102.91000 0.2</circle>", "<circle>91,0 1</circle>", "circle"),
    ("</alert>", "<b/></alert>", "no element b"),
    ("<circle>24.67000,102.91000 0.2</circle>", "<polygon>0,0 0,1 1,1</polygon>", "polygon"),
    ("</alert>", "", "not XML"),
    ("<msgType>Alert</msgType>", "<msgType>Update</msgType>", "references"),
    ("</scope>", "</scope><references>x</references>", "references"),
    ("<restriction>有关部门 / authorities</restriction>", "", "restriction"),
    ("<areaDesc>", "<circle>0,0 1</circle><areaDesc>", "too late"),
    ("<scope>Restricted</scope>", "<scope>Private</scope>", "addresses"),
    ("<status>", '<status x="1">', "more than text"),
    ("<info>", '<info x="1">', "no attribute"),
    ("</scope>", "</scope>and", "beside its elements"),
    ("<event>", "<event><value>x</value>", "more than text"),
    ("<value>", "<value><b/>", "more than text"),
    ("<onset>2025-12-29T17:20:00+08:00</onset>", "<onset/>", "onset"),
    ("+08:00</onset>", "+15:00</onset>", "onset"),
    ("</circle>", "</circle><altitude>high</altitude>", "altitude"),
    ("<web>https:", "<web>", "web"),
    ("<web>", "<web>http://[", "web"),
]


@pytest.mark.parametrize(("old", "new", "said"), BREAKS)
def test_a_message_that_breaks_a_rule_is_known_to_be_wrong(old: str, new: str, said: str) -> None:
    xml = cap.message(noticed(told(PLAIN)), OFFICE.office).decode()
    assert old in xml
    broken = xml.replace(old, new, 1)
    assert any(said in p for p in cap_rules.problems(broken.encode())), cap_rules.problems(broken.encode())


def test_messages_are_written_whole_and_posted(tmp_path: Path) -> None:
    with Receiver([Reply(202), Reply(500), Reply(415)]) as authority:
        way = Cap("a@b", "x", folder=tmp_path / "cap", url=authority.url, public_url=URL)
        sent, later, never = send(way, *[noticed(told(PLAIN))] * 3)
        assert authority.got[0].headers["content-type"] == "application/cap+xml"
        posted = authority.got[0].body
    assert isinstance(sent, Sent)
    assert isinstance(later, Retry)
    assert isinstance(never, Drop)
    (file,) = (tmp_path / "cap").iterdir()
    assert file.name == "0123456789abcdef.2.xml"
    assert file.read_bytes() == posted
    (tmp_path / "file").write_text("in the way", "utf-8")
    (full,) = send(Cap("a@b", "x", folder=tmp_path / "file"), noticed(told(PLAIN)))
    assert isinstance(full, Retry)
    assert full.reason == "disk"


def test_persons_reminders_and_ends_of_nothing_are_not_published(tmp_path: Path) -> None:
    way = Cap("a@b", "x", folder=tmp_path)
    same = noticed(told(PLAIN), id=f"0123456789abcdef.2.public{AGAIN}1")
    person, reminder, end, again = send(
        way, noticed(told(PLAIN), person="li"), noticed(told(PLAIN, what=What.OVERDUE)), noticed(ended(told(PLAIN))), same
    )
    assert isinstance(again, Sent)
    assert isinstance(person, Drop)
    assert isinstance(reminder, Sent)
    assert isinstance(end, Sent)
    assert list(tmp_path.iterdir()) == []


def test_a_sender_that_cap_cannot_hold_is_refused_and_its_channel_hears_of_no_troubles() -> None:
    with pytest.raises(ConfigRefused, match="sender"):
        channels.configured({"c": {"type": "cap", "sender": "the desk", "name": "x"}})
    ways: dict[str, Any] = {"cap": OFFICE, "log": object(), "other": object()}
    assert rescue_of("log", ways) == "other"
    assert rescue_of("cap", {"cap": OFFICE}) is None
    assert rescue_of("log", {"log": object(), "cap": OFFICE}) is None  # type: ignore[dict-item]


def test_a_warning_from_its_beginning_to_its_end_in_the_feed(database: Database, catalog: Catalog, say: Say) -> None:
    async def work() -> None:
        settings = Settings("c", URL, sources=(), token=TOKEN, patience=Patience(poll=0.02))
        desk = Desk.of(settings, database, catalog, [Route("public")], {"public": OFFICE}, WallClock())
        task = asyncio.create_task(desk.outbox.run())
        try:
            for change in (say(Y), say(R, 1), say(N, 2)):
                desk.take([change])
                desk.outbox.wake()
                await until(done(database, "public"))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app(desk)), base_url=URL) as http:
            assert (await http.get("/f/public/cap.atom")).status_code == 401
            http.headers.update(BEARER)
            atom = await http.get("/f/public/cap.atom")
            assert atom.status_code == 200
            root = ET.fromstring(atom.content)  # noqa: S314  our own
            space = {"a": "http://www.w3.org/2005/Atom"}
            urls = [link.attrib["href"] for link in root.findall("a:entry/a:link", space)]
            assert [c.attrib["term"] for c in root.findall("a:entry/a:category", space)] == ["NORMAL", "RED", "YELLOW"]
            alerts = []
            for url in urls:
                answer = await http.get(url.removeprefix(URL))
                assert answer.headers["content-type"] == "application/cap+xml"
                assert cap_rules.problems(answer.content) == []
                alerts.append(ET.fromstring(answer.content))  # noqa: S314  our own
            for missing in ("/f/none/cap.atom", "/f/public/nothing.1.xml", "/f/public/x.xml"):
                assert (await http.get(missing)).status_code == 404
        assert [text(a, "msgType") for a in alerts] == ["Cancel", "Update", "Alert"]
        known = {",".join(text(a, n) for n in ("sender", "identifier", "sent")) for a in alerts}
        assert set(text(alerts[0], "references").split()) < known
        assert len(text(alerts[0], "references").split()) == 2

    run(work())
