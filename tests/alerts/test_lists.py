"""Lists in pages, and entity tags."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import update

from alerts.api import app
from alerts.desk import Desk, Settings
from alerts.roles import Role
from alerts.route import Route
from alerts.tables import Database, outbox, warnings
from lifeline.catalog import Catalog
from lifeline.clock import FastClock
from lifeline.model import NS, Change, Domain, Kind, Level
from tests.tokens import BEARER, TOKEN

N, B, Y, O, R = Level
T0 = 1_767_000_000 * NS
Say = Callable[..., Change]
Ask = Callable[..., httpx.Response]
FAR = 1.0  # [°] apart, so that nothing is joined


@pytest.fixture
def desk(database: Database, catalog: Catalog) -> Desk:
    return Desk.of(Settings("chengjiang", token=TOKEN), database, catalog, [Route("phone")], {}, FastClock(T0))


@pytest.fixture
def ask(desk: Desk) -> Ask:
    """One request."""
    served = app(desk)

    def asked(method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        async def work() -> httpx.Response:
            transport = httpx.ASGITransport(served)
            async with httpx.AsyncClient(transport=transport, base_url="http://desk", headers={**BEARER, **headers}) as http:
                return await http.request(method, path, content=msgspec.json.encode(body) if body is not None else None)

        return asyncio.run(work())

    return asked


def pages(ask: Ask, path: str, between: Callable[[], object] = lambda: None) -> list[list[Any]]:
    """Every page of a list, by its links."""
    found: list[list[Any]] = []
    while path:
        answer = ask("GET", path)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        path = answer.links["next"]["url"] if "next" in answer.links else ""
        between()
    return found


def test_pages_hold_each_warning_once_whatever_comes_in_meanwhile(desk: Desk, ask: Ask, say: Say) -> None:
    desk.take([say(Y, i // 2, f"d{i}", f"A-{i:02}", lat=FAR * i) for i in range(11)])  # two begin at the same instant
    younger = iter(range(100, 200))

    def more() -> None:
        i = next(younger)
        desk.take([say(Y, i, f"d{i}", f"B-{i}", lat=-60.0)])

    found = pages(ask, "/api/v1/warnings?limit=4&domain=gas", more)
    assert [len(page) for page in found] == [4, 4, 3]
    seen = [w["asset"] for page in found for w in page]
    assert sorted(seen) == [f"A-{i:02}" for i in range(11)]
    assert [w["onset"] for page in found for w in page] == sorted((w["onset"] for page in found for w in page), reverse=True)


CHOICES = [
    ("", "ABCD"), ("live=true", "ABC"), ("level=ORANGE", "B"), ("peak=RED", "B"), ("domain=water", "C"),
    ("domain=water&domain=gas", "ABCD"), ("district=Longjie", "A"), ("kind=ticket", "C"), ("asset=A&asset=D", "AD"),
    ("hazard=gas_accumulation", "ABCD"), ("hazard=x", ""), ("state=quiet", "D"), (f"since={T0 + 2 * NS}", "CD"),
    (f"until={T0 + 2 * NS}", "AB"), (f"since={T0 + NS}&until={T0 + 2 * NS}&live=true", "B"),
]  # fmt: skip


def test_warnings_are_chosen_by_what_they_are(desk: Desk, ask: Ask, say: Say) -> None:
    desk.take(
        [
            say(Y, 0, "a", "A", district="Longjie", lat=1.0),
            say(R, 1, "b", "B", lat=2.0),
            say(Y, 2, "c", "C", domain=Domain.WATER, kind=Kind.TICKET, lat=3.0),
            say(Y, 3, "d", "D", lat=4.0),
            say(N, 4, "d", "D", lat=4.0),
        ]
    )
    for query, assets in CHOICES:
        assert sorted(w["asset"] for w in ask("GET", f"/api/v1/warnings?{query}").json()) == list(assets), query


NOWHERE = ("x", "W10", "bnVsbA", "WyJ4IiwxXQ", "WzEsMSwxXQ", "%C3%A9", "WzE4NDQ2NzQ0MDczNzA5NTUxNjE2LCJ4Il0")


def test_what_is_no_place_in_a_list_is_refused(ask: Ask) -> None:
    for path in ("/api/v1/warnings", "/api/v1/incidents", "/api/v1/audit", "/api/v1/dangers"):
        for after in NOWHERE:
            answer = ask("GET", f"{path}?after={after}")
            assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json"), (path, after)


def test_incidents_come_with_their_members_and_are_found_by_any_of_them(desk: Desk, ask: Ask, say: Say) -> None:
    desk.take([say(Y, 0, "a", "A"), say(R, 60, "b", "B", district="Longjie")])  # at one place
    desk.take([say(Y, 5, "c", "C", lat=40.0), say(N, 6, "c", "C", lat=40.0)])
    (one,), (other,) = pages(ask, "/api/v1/incidents?limit=1")
    assert (one["live"], [m["asset"] for m in one["members"]]) == (False, ["C"])
    assert (other["live"], other["peak"], [m["asset"] for m in other["members"]]) == (True, "RED", ["A", "B"])
    found = ask("GET", "/api/v1/incidents?district=Longjie").json()
    assert [len(i["members"]) for i in found] == [2]
    assert found[0]["lead"] == other["lead"] == found[0]["members"][0]["id"]
    assert ask("GET", "/api/v1/incidents?peak=ORANGE&domain=water").json() == []


def test_the_audit_trail_in_pages_hides_what_was_done_to_users_from_others_than_admins(desk: Desk, ask: Ask, say: Say) -> None:
    desk.take([say(Y), say(O, 1), say(R, 2)])
    desk.access.add("li", Role.OPERATOR, "", "root", T0)
    token = desk.access.token("li", "root", T0, days=1)
    rows = [r for page in pages(ask, "/api/v1/audit?limit=2") for r in page]
    assert [r["act"] for r in rows] == ["token_made", "user_added", "worse", "worse", "raised"]
    assert rows[0]["detail"]["user"] == "li"
    as_li = ask("GET", "/api/v1/audit", Authorization=f"Bearer {token}").json()
    assert [r["act"] for r in as_li] == ["worse", "worse", "raised"]
    assert [r["act"] for r in ask("GET", "/api/v1/audit?act=raised&act=user_added").json()] == ["user_added", "raised"]
    assert len(ask("GET", f"/api/v1/audit?warning={as_li[0]['warning']}&by=gas.methane.limit").json()) == 3


def test_dangers_in_pages(ask: Ask) -> None:
    for i in range(5):
        said = {"place": f"p{i}", "description": "d", "finder": "f", "by": "Li", "source": "patrol"}
        assert ask("POST", "/api/v1/dangers", said).status_code == 201
    found = pages(ask, "/api/v1/dangers?limit=2")
    assert [len(page["dangers"]) for page in found] == [2, 2, 1]  # type: ignore[call-overload]
    assert len({d["id"] for page in found for d in page["dangers"]}) == 5  # type: ignore[call-overload]


def test_who_has_it_already_is_not_sent_it_again(desk: Desk, ask: Ask, say: Say) -> None:
    desk.take([say(Y)])
    (warning,) = ask("GET", "/api/v1/warnings").json()
    for path in ("/api/v1/warnings", f"/api/v1/warnings/{warning['id']}", "/api/v1/map", "/api/v1/incidents", "/api/v1/users"):
        first = ask("GET", path)
        tag = first.headers["etag"]
        again = ask("GET", path, **{"If-None-Match": f'"other", W/{tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), path
        assert ask("GET", path, **{"If-None-Match": '"other"'}).content == first.content
    tag = ask("GET", "/api/v1/warnings").headers["etag"]
    desk.take([say(O, 1)])
    assert ask("GET", "/api/v1/warnings", **{"If-None-Match": tag}).status_code == 200
    assert "etag" not in ask("GET", "/api/v1/warnings/none").headers
    assert "etag" not in ask("GET", "/-/healthy").headers


def test_an_act_on_what_has_changed_meanwhile_is_refused_where_that_was_asked(desk: Desk, ask: Ask, say: Say) -> None:
    desk.take([say(R)])
    path = f"/api/v1/warnings/{ask('GET', '/api/v1/warnings').json()[0]['id']}"
    tag = ask("GET", path).headers["etag"]
    desk.take([say(Y, 1)])
    late = ask("POST", f"{path}/ack", {"by": "Li"}, **{"If-Match": tag})
    assert (late.status_code, late.headers["content-type"]) == (412, "application/problem+json")
    assert "YELLOW" in late.json()["detail"]
    assert ask("POST", f"{path}/stages/prevent", {"by": "Li"}, **{"If-Match": tag}).status_code == 412
    assert ask("POST", f"{path}/close", {"by": "Li"}, **{"If-Match": tag}).status_code == 412
    assert ask("POST", f"{path}/ack", {"by": "Li"}, **{"If-Match": "nonsense"}).status_code == 412
    tag = ask("GET", path).headers["etag"]
    done = ask("POST", f"{path}/ack", {"by": "Li"}, **{"If-Match": f'"x", W/{tag}'})
    assert done.status_code == 200
    assert ask("POST", f"{path}/stages/prevent", {"by": "Li"}, **{"If-Match": done.headers["etag"]}).status_code == 200
    assert ask("POST", f"{path}/ack", {"by": "Li"}, **{"If-Match": "*"}).status_code == 200
    assert ask("POST", f"{path}/ack", {"by": "Li"}).status_code == 200


def test_that_a_notice_was_delivered_stands_in_nobodys_way(desk: Desk, ask: Ask, say: Say) -> None:
    desk.take([say(R)])
    path = f"/api/v1/warnings/{ask('GET', '/api/v1/warnings').json()[0]['id']}"
    before = ask("GET", path).headers["etag"]
    with desk.database.write() as db:
        db.execute(update(outbox).values(state="sent", attempts=3))
        db.execute(update(warnings).values(pushed=T0, latency=1.0))
    assert ask("GET", path).headers["etag"] != before
    assert ask("POST", f"{path}/ack", {"by": "Li"}, **{"If-Match": before}).status_code == 200


def test_a_danger_that_was_changed_meanwhile_is_not_changed_blindly(ask: Ask) -> None:
    said = {"place": "p", "description": "d", "finder": "f", "by": "Li", "source": "patrol"}
    path = f"/api/v1/dangers/{ask('POST', '/api/v1/dangers', said).json()['id']}"
    tag = ask("GET", path).headers["etag"]
    assess = {"by": "Wang", "grade": "general", "colour": "YELLOW", "cause": "c"}
    first = ask("POST", f"{path}/assess", assess, **{"If-Match": tag})
    assert first.status_code == 200, first.text
    assert ask("POST", f"{path}/log", {"by": "Wang", "note": "n"}, **{"If-Match": tag}).status_code == 412
