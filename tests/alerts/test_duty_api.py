"""People and rosters over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from alerts.api import app
from alerts.desk import Desk, Settings
from alerts.duty import load
from alerts.duty.api import router
from alerts.route import Route
from alerts.tables import Database
from lifeline.catalog import Catalog
from lifeline.clock import FastClock, parse
from lifeline.model import NS
from tests.tokens import BEARER, TOKEN

ROOT = Path(__file__).parents[2]
T0: Final = parse("2026-12-01T12:00:00+08:00")
DAY = 86_400 * NS
GAS = "/api/v1/rosters/gas/duty"
EXCHANGE: Final = {
    "person": "feng-jie",
    "start": "2026-12-01T08:00:00+08:00",
    "until": "2026-12-02T08:00:00+08:00",
    "by": "yang-jun",
    "reason": "病假",
}
Answer = tuple[int, Any]


@pytest.fixture
def clock() -> FastClock:
    return FastClock(T0)


@pytest.fixture
def desk(database: Database, catalog: Catalog, clock: FastClock) -> Desk:
    duty = load(ROOT / "people.toml", ["duty", "record"], ZoneInfo("Asia/Shanghai"))
    return Desk.of(Settings("chengjiang", sources=(), token=TOKEN), database, catalog, [Route("phone")], {}, clock, duty=duty)


@asynccontextmanager
async def asked(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """A client; the desk's own tasks do not run."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app(desk)), base_url="http://desk", headers=BEARER) as http:
        yield http


def ask(desk: Desk, *requests: tuple[str, str, Any]) -> list[Answer]:
    """Each request in turn -> its status, and its JSON or its bytes."""

    async def all_of_them() -> list[Answer]:
        async with asked(desk) as http:
            found = []
            for method, path, body in requests:
                sent = {"content": body} if isinstance(body, bytes) else {"json": body}
                r = await http.request(method, path, **({} if body is None else sent))
                is_json = "json" in r.headers.get("content-type", "")
                found.append((r.status_code, r.json() if is_json else r.content))
            return found

    return asyncio.run(all_of_them())


def get(desk: Desk, path: str) -> Any:
    ((status, body),) = ask(desk, ("GET", path, None))
    assert status == 200
    return body


def test_everybody_sees_who_is_on_duty_now_and_next(desk: Desk) -> None:
    told = {f"{s['unit']}/{s['role']}": s for s in get(desk, "/api/v1/rosters")}
    assert len(told) == 17
    assert [p["id"] for p in told["gas/duty"]["now"]] == ["yang-jun"]
    assert told["gas/duty"]["until"] == "2026-12-01T12:00:00.000Z"
    assert [p["id"] for p in told["gas/duty"]["next"]] == ["yang-jun", "deng-chao"]
    one = get(desk, f"{GAS}?days=2")
    assert [len(s["persons"]) for s in one["shifts"]] == [1, 2, 1, 2, 1]
    assert (one["gaps"], one["handovers"]) == ([], [])


def test_somebody_takes_over_and_it_is_taken_back(desk: Desk) -> None:
    ((status, made),) = ask(desk, ("POST", f"{GAS}/overrides", EXCHANGE))
    assert status == 200
    assert [p["id"] for p in get(desk, GAS)["now"]] == ["feng-jie"]
    path = f"/api/v1/rosters/overrides/{made['id']}"
    answers = ask(
        desk,
        ("DELETE", f"{path}?by=me&reason=", None),
        ("DELETE", f"{path}?by=me&reason=well", None),
        ("DELETE", f"{path}?by=me&reason=well", None),
        ("DELETE", "/api/v1/rosters/overrides/99?by=me&reason=well", None),
    )
    assert [status for status, _ in answers] == [422, 200, 409, 404]
    assert [p["id"] for p in get(desk, GAS)["now"]] == ["yang-jun"]
    (kept,) = get(desk, f"{GAS}/overrides")
    assert (kept["person"], kept["by"], kept["reason"], kept["cancelled_by"]) == ("feng-jie", "yang-jun", "病假", "me")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"person": "nobody"}, 422),
        ({"start": "2026-12-01"}, 422),  # nobody knows in which zone
        ({"start": "soon"}, 422),
        ({"until": "2026-11-01T00:00:00Z"}, 422),
        ({"by": ""}, 422),
        ({"form": 1}, 422),
        ({"reason": "\ud800"}, 422),
        ({"until": "9999-12-31T23:59:59-12:00"}, 422),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(desk: Desk, change: dict[str, Any], status: int) -> None:
    ((found, body),) = ask(desk, ("POST", f"{GAS}/overrides", json.dumps(EXCHANGE | change).encode()))
    assert (found, bool(body["detail"])) == (status, True)
    assert get(desk, f"{GAS}/overrides") == []


def test_what_is_not_there_is_404(desk: Desk) -> None:
    answers = ask(
        desk,
        ("GET", "/api/v1/rosters/gas/night", None),
        ("GET", "/api/v1/rosters/gas/night.ics", None),
        ("GET", "/api/v1/rosters/gas/night/overrides", None),
        ("POST", "/api/v1/rosters/gas/night/overrides", EXCHANGE),
        ("GET", "/api/v1/people/nobody.ics", None),
        ("POST", "/api/v1/rosters/gas/night/handover", {"by": "x", "text": "x"}),
    )
    assert {status for status, _ in answers} == {404}
    assert all("gas/night" in body["detail"] or "nobody" in body["detail"] for _, body in answers)


def test_a_desk_without_people_says_so(database: Database, catalog: Catalog, clock: FastClock) -> None:
    desk = Desk.of(Settings("chengjiang", token=TOKEN), database, catalog, [], {}, clock)
    for route in router.routes:
        assert isinstance(route, APIRoute)
        path = route.path.replace("{override}", "1").replace("{", "").replace("}", "") + "?by=x&reason=x&name=x"
        if "overrides/1" not in path:
            ((status, body),) = ask(desk, (min(route.methods or ()), path, {"by": "x"}))
            assert (status, "[desk] people" in body["detail"]) == (404, True), path


def test_calendars_are_served_by_role_and_by_person(desk: Desk) -> None:
    role = Calendar.from_ical(get(desk, f"{GAS}.ics")).walk("VEVENT")
    assert {str(e["X-LIFELINE-PERSON"]) for e in role} == {"yang-jun", "chen-hao", "tang-yu", "feng-jie", "deng-chao"}
    own = Calendar.from_ical(get(desk, "/api/v1/people/feng-jie.ics")).walk("VEVENT")
    assert {str(e["X-LIFELINE-PERSON"]) for e in own} == {"feng-jie"}
    assert len(own) == sum(e["X-LIFELINE-PERSON"] == "feng-jie" for e in role) > 30


def test_somebody_who_takes_over_where_there_is_no_roster_finds_it_in_their_calendar(desk: Desk) -> None:
    assert Calendar.from_ical(get(desk, "/api/v1/people/he-ping.ics")).walk("VEVENT")
    before = len(Calendar.from_ical(get(desk, "/api/v1/people/yang-jun.ics")).walk("VEVENT"))
    ask(desk, ("POST", "/api/v1/rosters/water/leader/overrides", EXCHANGE | {"person": "yang-jun"}))
    assert len(Calendar.from_ical(get(desk, "/api/v1/people/yang-jun.ics")).walk("VEVENT")) == before + 1


def test_a_calendar_that_is_served_can_be_imported_again(desk: Desk) -> None:
    content = get(desk, f"{GAS}.ics")
    before = get(desk, f"{GAS}?days=60")["shifts"]
    query = "import?by=me&reason=plan&name=x&days=60"
    answers = ask(desk, ("POST", f"{GAS}/{query}", content), ("POST", f"{GAS}/{query}", content))
    assert [(status, body["new"] > 0, body["cancelled"]) for status, body in answers] == [(200, True, 0), (200, False, 0)]
    after = get(desk, f"{GAS}?days=60")["shifts"]
    assert [(s["start"], {p["id"] for p in s["persons"]}) for s in after] == [
        (s["start"], {p["id"] for p in s["persons"]}) for s in before
    ]


def test_a_calendar_that_cannot_be_read_is_refused_whole(desk: Desk) -> None:
    bad = get(desk, f"{GAS}.ics").replace(b"PERSON:tang-yu", b"PERSON:nobody")
    ((status, body),) = ask(desk, ("POST", f"{GAS}/import?by=me&reason=plan&name=x", bad))
    assert (status, {p.split(": ")[-1] for p in body["problems"]}) == (422, {"nobody has the id 'nobody'"})
    assert get(desk, f"{GAS}/overrides") == []


def test_a_note_is_left_at_the_hand_over(desk: Desk) -> None:
    ((status, _),) = ask(desk, ("POST", f"{GAS}/handover", {"by": "yang-jun", "text": "3 号井正在检修"}))
    assert status == 200
    assert [n["text"] for n in get(desk, f"{GAS}/handover")] == ["3 号井正在检修"]
    assert [n["by"] for n in get(desk, GAS)["handovers"]] == ["yang-jun"]


def test_a_person_is_taken_off_and_given_another_address_which_is_not_shown(desk: Desk) -> None:
    edit = {"by": "me", "reason": "left", "contacts": {"duty": "+86-000-0000-9999"}, "active": False}
    ((status, person),) = ask(desk, ("PUT", "/api/v1/people/he-ping", edit))
    assert (status, person["active"], person["channels"]) == (200, False, ["duty"])
    listed = {p["id"]: p for p in get(desk, "/api/v1/people")["persons"]}
    assert (listed["he-ping"]["active"], len(listed)) == (False, 36)
    assert "9999" not in str(listed)
    assert "0000" not in str(get(desk, "/api/v1/people"))
    ((status, _),) = ask(desk, ("PUT", "/api/v1/people/he-ping", edit | {"contacts": {"x": "1"}}))
    assert status == 422


def test_a_gap_makes_the_desk_unready_and_is_warned_of_and_an_override_mends_it(desk: Desk) -> None:
    assert ask(desk, ("GET", "/-/ready", None)) == [(200, b"ready")]
    away = EXCHANGE | {"person": "", "instead": "yang-jun"}
    ask(desk, ("POST", f"{GAS}/overrides", away))
    ((status, why),) = ask(desk, ("GET", "/-/ready", None))
    assert (status, why.decode().startswith("gas/duty: ")) == (503, True)
    (warning,) = get(desk, "/api/v1/warnings?live=true")
    assert (warning["asset"], warning["hazard"], warning["level"], warning["owner"]) == (
        "gas/duty", "duty_gap", "ORANGE", "澄江燃气公司",
    )  # fmt: skip
    assert [p["id"] for p in get(desk, GAS)["now"]] == ["yang-jun"]  # the fallback
    found = get(desk, "/api/v1/rosters/check?days=2")
    assert [(t["flaw"], t["unit"], t["start"]) for t in found] == [
        ("gap", "gas", "2026-12-01T04:00:00.000Z"),
    ]
    ask(desk, ("POST", f"{GAS}/overrides", EXCHANGE))
    assert ask(desk, ("GET", "/-/ready", None)) == [(200, b"ready")]
    assert [w["level"] for w in get(desk, "/api/v1/warnings?live=true")] in ([], ["NORMAL"])


def test_every_route_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "duty.md").read_text("utf-8")
    for route in router.routes:
        assert isinstance(route, APIRoute)
        path = route.path.replace("{override}", "{id}").replace("{person}", "{id}")
        assert f"{path}`" in manual, path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(body=st.binary(max_size=60) | st.builds(lambda s: s.encode(), st.text(max_size=60)))
def test_junk_is_refused_and_never_crashes(desk: Desk, body: bytes) -> None:
    answers = ask(
        desk,
        ("POST", f"{GAS}/overrides", body),
        ("POST", f"{GAS}/handover", body),
        ("PUT", "/api/v1/people/he-ping", body),
    )
    assert {status for status, _ in answers} == {422}
