"""The desk over HTTP."""

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from alerts.api import app, router
from alerts.case import Case
from alerts.case import moved as case_moved
from alerts.channels.webhook import Webhook
from alerts.desk import Desk, Settings
from alerts.lifecycle import Refused
from alerts.notice import Channel
from alerts.route import Route
from alerts.tables import Database, audit, changes, outbox
from bench.receiver import Receiver
from lifeline.catalog import Catalog
from lifeline.clock import FastClock, WallClock, now
from lifeline.model import NS, Change, Kind, Level
from tests.tokens import BEARER, TOKEN

N, B, Y, O, R = Level
T0 = 1_767_000_000 * NS
Say = Callable[..., Change]


@pytest.fixture
def clock() -> FastClock:
    return FastClock(T0)


@pytest.fixture
def desk(database: Database, catalog: Catalog, clock: FastClock) -> Desk:
    return Desk.of(Settings("chengjiang", token=TOKEN), database, catalog, [Route("phone")], {}, clock)


@asynccontextmanager
async def asked(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """A client; the desk's own tasks do not run."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app(desk)), base_url="http://desk", headers=BEARER) as http:
        yield http


def ask(desk: Desk, *requests: tuple[str, str, Any]) -> list[httpx.Response]:
    """Each request in turn; a body that is not bytes is sent as JSON."""

    async def work() -> list[httpx.Response]:
        async with asked(desk) as http:
            sent = [(m, p, b if isinstance(b, bytes) else msgspec.json.encode(b)) for m, p, b in requests]
            return [await http.request(m, p, content=b or None) for m, p, b in sent]

    return asyncio.run(work())


def get(desk: Desk, path: str) -> Any:
    (answer,) = ask(desk, ("GET", path, b""))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_changes_are_on_disk_when_the_answer_is_200_and_may_be_said_again(desk: Desk, say: Say) -> None:
    said = [say(Y), say(O, 1)]
    first, second = ask(desk, ("POST", "/changes", said), ("POST", "/changes", said))
    assert first.json() == {"accepted": 2, "duplicates": 0, "out_of_order": 0, "notices": 2}
    assert second.json() == {"accepted": 0, "duplicates": 2, "out_of_order": 0, "notices": 0}


def test_a_bad_change_is_refused_with_its_place_and_its_neighbours_are_taken(desk: Desk, say: Say) -> None:
    good, bad = msgspec.to_builtins(say(Y)), msgspec.to_builtins(say(O, 1)) | {"new": "PINK"}
    worse = {k: v for k, v in good.items() if k != "asset"}
    last = msgspec.to_builtins(say(Y, 2, "d2"))
    (answer,) = ask(desk, ("POST", "/changes", [good, bad, worse, last]))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert [p["place"] for p in body["problems"]] == ["$[1]", "$[2]"]
    assert "'PINK' is no level" in body["problems"][0]["reason"]
    assert "asset" in body["problems"][1]["reason"]
    assert body["taken"]["accepted"] == 2
    with desk.database.read() as db:
        assert len(db.execute(select(changes.c.id)).all()) == 2
        assert db.execute(select(audit.c.act).where(audit.c.act == "refused")).scalars().all() == ["refused", "refused"]


def test_a_change_that_cannot_be_judged_is_named_and_its_neighbours_are_taken(
    desk: Desk, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(case: Case, *rest: Any) -> Any:
        if case.asset == "W-2":
            raise Refused("no such act")
        return case_moved(case, *rest)

    monkeypatch.setattr("alerts.book.moved", moved)
    junk = {"t": 1}
    items = [junk, *map(msgspec.to_builtins, (say(Y), say(O, 1, "d3", "W-2"), say(R, 2, "d4", "W-3")))]
    (answer,) = ask(desk, ("POST", "/changes", items))
    assert (answer.status_code, answer.json()["taken"]["accepted"]) == (422, 2)
    assert [p["place"] for p in answer.json()["problems"]] == ["$[0]", "$[2]"]
    assert "no such act" in answer.json()["problems"][1]["reason"]
    assert {w["asset"] for w in get(desk, "/api/v1/warnings")} == {"W-1", "W-3"}
    page = ask(desk, ("GET", "/metrics", b""))[0].text
    assert "lifeline_desk_refused_total 2.0" in page


@pytest.mark.parametrize(
    "junk", [b"", b"{", b"null", b'"x"', b"{}", b"\xff\xfe", b'[{"t": 1}]', b"[1]", b"[[[[", b'[{"asset": "\\ud800"}]']
)
def test_junk_is_refused_and_never_crashes(desk: Desk, junk: bytes) -> None:
    (answer,) = ask(desk, ("POST", "/changes", junk))
    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize("odd", [{"t": 2**63}, {"t": -1}, {"t": 1e300}, {"new": 4}, {"lat": "north"}, {"extra": 1}])
def test_a_field_out_of_bounds_is_named(desk: Desk, say: Say, odd: dict[str, Any]) -> None:
    item = msgspec.to_builtins(say(Y)) | odd
    (answer,) = ask(desk, ("POST", "/changes", json.dumps([item]).encode()))
    assert answer.status_code == 422, answer.text
    assert len(answer.json()["problems"]) == 1


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=200))
def test_random_bytes_are_refused(desk: Desk, junk: bytes) -> None:
    (answer,) = ask(desk, ("POST", "/changes", junk))
    assert answer.status_code == 422


def test_a_request_too_large_is_refused_before_it_is_read(desk: Desk) -> None:
    (answer,) = ask(desk, ("POST", "/changes", b"[" + b" " * 33_000_000 + b"]"))
    assert answer.status_code == 413


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # whose errors it makes
def test_a_database_that_refuses_is_said_and_the_change_can_be_said_again(desk: Desk, say: Say) -> None:
    broken = [True]

    @event.listens_for(desk.database.engine, "before_cursor_execute")
    def fail(*args: Any) -> None:
        if broken[0] and "INSERT" in args[2]:
            raise sqlite3.OperationalError("disk I/O error")

    refused, ready, healthy = ask(desk, ("POST", "/changes", [say(Y)]), ("GET", "/-/ready", b""), ("GET", "/-/healthy", b""))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert (ready.status_code, "disk I/O error" in ready.text) == (503, True)
    assert healthy.status_code == 200
    broken[0] = False
    assert ask(desk, ("POST", "/changes", [say(Y)]))[0].json()["accepted"] == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # whose errors it makes
def test_a_full_disk_answers_503_and_takes_nothing(desk: Desk, say: Say) -> None:
    @event.listens_for(desk.database.engine, "begin")
    def limit(db: Any) -> None:
        db.exec_driver_sql("PRAGMA max_page_count = 1")

    (answer,) = ask(desk, ("POST", "/changes", [say(Y, i, f"d{i}", f"W-{i}") for i in range(300)]))
    assert answer.status_code == 503
    assert "full" in answer.json()["detail"]
    assert get(desk, "/api/v1/warnings") == []


def test_alerts_have_alertmanagers_shape(desk: Desk, say: Say) -> None:
    ask(desk, ("POST", "/changes", [say(O), say(Y, 5, "d3", "W-2")]))
    red, yellow = get(desk, "/api/v2/alerts")
    assert set(red) == {
        "labels", "annotations", "startsAt", "endsAt", "updatedAt", "generatorURL", "fingerprint", "receivers", "status",
    }  # fmt: skip
    assert red["status"] == {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []}
    assert (red["labels"]["alertname"], red["labels"]["severity"]) == ("gas_accumulation", "ORANGE")
    assert red["startsAt"] == "2025-12-29T09:20:00.000Z"
    assert red["endsAt"] > red["updatedAt"]
    assert red["receivers"] == [{"name": "phone"}]
    assert yellow["labels"]["asset"] == "W-2"


@pytest.mark.parametrize(
    ("query", "assets"),
    [
        ("", ["W-1", "W-2"]),
        ('?filter=asset="W-2"', ["W-2"]),
        ("?filter=asset=W-2", ["W-2"]),
        ('?filter=asset!="W-2"', ["W-1"]),
        ('?filter=severity=~"RED|ORANGE"', ["W-1"]),
        ('?filter=severity!~"RED|ORANGE"&filter=district="Fenglu"', ["W-2"]),
        ('?filter=nothing=""', ["W-1", "W-2"]),
        ("?active=false", []),
        ("?receiver=pho.*", ["W-1", "W-2"]),
        ("?receiver=duty", []),
    ],
)
def test_alerts_are_filtered_as_amtool_asks(desk: Desk, say: Say, query: str, assets: list[str]) -> None:
    ask(desk, ("POST", "/changes", [say(O), say(Y, 5, "d3", "W-2")]))
    assert [a["labels"]["asset"] for a in get(desk, f"/api/v2/alerts{query}")] == assets


@pytest.mark.parametrize("bad", ["asset", "=x", 'asset=~"("', "a b=c"])
def test_a_filter_nobody_can_read_is_refused(desk: Desk, bad: str) -> None:
    (answer,) = ask(desk, ("GET", f"/api/v2/alerts?filter={bad}", b""))
    assert answer.status_code == 400


def test_a_closed_warning_is_no_alert_and_an_unanswered_red_one_still_is(desk: Desk, say: Say) -> None:
    ask(desk, ("POST", "/changes", [say(Y), say(N, 1), say(R, 2, "d3", "W-2"), say(N, 3, "d3", "W-2")]))
    (alert,) = get(desk, "/api/v2/alerts")
    assert (alert["labels"]["asset"], alert["annotations"]["state"], alert["labels"]["severity"]) == ("W-2", "gone", "NORMAL")
    assert [w["asset"] for w in get(desk, "/api/v1/warnings")] == ["W-2", "W-1"]
    assert [w["asset"] for w in get(desk, "/api/v1/warnings?live=true")] == ["W-2"]
    assert len(get(desk, "/api/v1/warnings?limit=1")) == 1


def test_somebody_acknowledges(desk: Desk, say: Say) -> None:
    ask(desk, ("POST", "/changes", [say(O)]))
    (warning,) = get(desk, "/api/v1/warnings")
    path = f"/api/v1/warnings/{warning['id']}"
    empty, good, unknown = ask(
        desk,
        ("POST", f"{path}/ack", {"by": ""}),
        ("POST", f"{path}/ack", {"by": "Li Na", "comment": "on my way"}),
        ("POST", "/api/v1/warnings/none/ack", {"by": "Li Na"}),
    )
    assert (empty.status_code, good.status_code, unknown.status_code) == (422, 200, 404)
    known = get(desk, path)
    assert (known["state"], known["acknowledged_by"], known["comment"]) == ("taken", "Li Na", "on my way")
    assert known["audit"][-1]["detail"]["level"] == "ORANGE"
    ask(desk, ("POST", "/changes", [say(N, 9)]))
    (late,) = ask(desk, ("POST", f"{path}/ack", {"by": "Li Na"}))
    assert late.status_code == 409
    assert "quiet" in late.json()["detail"]
    assert ask(desk, ("GET", "/api/v1/warnings/none", b""))[0].status_code == 404


def test_the_map_counts_every_asset_once_and_silence_is_unknown(desk: Desk, say: Say) -> None:
    silent = {"rule": "any.silence", "hazard": "silence", "kind": Kind.TICKET}
    ask(desk, ("POST", "/changes", [say(O), say(Y, 1, "d2", **silent), say(B, 1, "d3", "W-2", **silent)]))
    told = get(desk, "/api/v1/map")
    assert told["assets"] == {
        "W-1": "ORANGE",
        "W-2": "UNKNOWN",
        "W-3": "NORMAL",
    }  # active stays active while a series is silent
    fenglu, longjie = told["districts"]
    assert (fenglu["total"], fenglu["levels"]["ORANGE"], fenglu["levels"]["UNKNOWN"], fenglu["levels"]["NORMAL"]) == (
        2,
        1,
        1,
        0,
    )
    assert (longjie["total"], longjie["levels"]["NORMAL"]) == (1, 1)
    ask(desk, ("POST", "/changes", [say(N, 9, "d3", "W-2", **silent)]))
    assert get(desk, "/api/v1/map")["assets"]["W-2"] == "NORMAL"


def beat(source: str, **said: Any) -> tuple[str, str, Any]:
    return ("POST", "/heartbeat", {"source": source, **said})


def test_nobody_watching_turns_the_quiet_map_unknown_and_is_a_warning(desk: Desk, clock: FastClock, say: Say) -> None:
    ask(desk, ("POST", "/changes", [say(O)]), ("POST", "/heartbeat", {"source": "watch", "lag_s": 0.5, "offset": 7}))
    asyncio.run(clock.until(T0 + 29 * NS))
    ask(desk, beat("receive"))
    assert len(get(desk, "/api/v1/warnings")) == 1
    asyncio.run(clock.until(T0 + 31 * NS))
    asyncio.run(desk.look())
    asyncio.run(desk.look())
    assert get(desk, "/api/v1/map")["assets"] == {"W-1": "ORANGE", "W-2": "UNKNOWN", "W-3": "UNKNOWN"}
    silent = get(desk, "/api/v1/warnings")[0]
    assert (silent["hazard"], silent["asset"], silent["level"], silent["kind"]) == (
        "pipeline_silent",
        "pipeline",
        "ORANGE",
        "hazard",
    )
    assert silent["onset"] == T0 + 30 * NS
    (ready,) = ask(desk, ("GET", "/readyz", b""))
    assert (ready.status_code, ready.text) == (503, "watch: not heard for more than 30 s")
    ask(desk, beat("receive"), beat("watch", lag_s=0.5))
    after = get(desk, f"/api/v1/warnings/{silent['id']}")
    assert (after["level"], after["state"]) == ("NORMAL", "quiet")
    assert [n["what"] for n in after["notices"]] == ["raised", "resolved"]
    assert ask(desk, ("GET", "/-/ready", b""))[0].text == "ready"


def test_a_desk_that_was_itself_away_gives_watch_time_to_be_heard(
    desk: Desk, database: Database, catalog: Catalog, clock: FastClock
) -> None:
    ask(desk, ("POST", "/heartbeat", {"source": "watch"}))
    asyncio.run(clock.until(T0 + 3600 * NS))
    again = Desk.of(Settings("chengjiang", token=TOKEN), database, catalog, [Route("phone")], {}, clock)
    asyncio.run(again.look())
    assert get(again, "/api/v1/warnings") == []


def ours(desk: Desk) -> list[tuple[str, str, str]]:
    return [(w["hazard"], w["level"], w["state"]) for w in get(desk, "/api/v1/warnings")]


def test_the_warning_of_a_dead_watch_outlives_the_desk(
    desk: Desk, database: Database, catalog: Catalog, clock: FastClock
) -> None:
    ask(desk, beat("watch"))
    asyncio.run(clock.until(T0 + 40 * NS))
    ask(desk, beat("receive"))
    again = Desk.of(Settings("chengjiang", token=TOKEN), database, catalog, [Route("phone")], {}, clock)
    ask(again, beat("receive"))
    assert ours(again) == [("pipeline_silent", "ORANGE", "open")]
    assert get(again, "/api/v1/map")["assets"]["W-3"] == "UNKNOWN"
    asyncio.run(clock.until(T0 + 50 * NS))
    ask(again, beat("watch"))
    assert ours(again) == [("pipeline_silent", "NORMAL", "quiet")]


def test_a_process_that_was_never_heard_is_silent_too(desk: Desk, clock: FastClock) -> None:
    asyncio.run(clock.until(T0 + 31 * NS))
    ask(desk, beat("watch"))
    assert ours(desk) == [("pipeline_silent", "ORANGE", "open")]
    (ready,) = ask(desk, ("GET", "/-/ready", b""))
    assert ready.text == "receive: not heard for more than 30 s"


@pytest.mark.parametrize(
    ("said", "because"),
    [({"not_ready": ["disk full", "6000 s behind"]}, "disk full; 6000 s behind"), ({"lag_s": 61.0}, "61 s behind")],
)
def test_a_process_that_says_for_a_minute_that_it_cannot_work_is_a_warning(
    desk: Desk, clock: FastClock, said: dict[str, Any], because: str
) -> None:
    for s in range(0, 61, 5):
        asyncio.run(clock.until(T0 + s * NS))
        ask(desk, beat("watch", **said), beat("receive", not_ready=[]))
    assert ours(desk) == []
    asyncio.run(clock.until(T0 + 65 * NS))
    ask(desk, beat("watch", **said), beat("receive"))
    assert ours(desk) == [("pipeline_failing", "ORANGE", "open")]
    (warning,) = get(desk, "/api/v1/warnings")
    with desk.database.read() as db:
        (body,) = db.execute(select(outbox.c.body)).scalars()
    texts = msgspec.json.decode(body)["texts"]
    assert f"运行状态：{because}" in texts["zh"]
    assert f"Readiness: {because} (watch)" in texts["en"]
    assert get(desk, "/api/v1/map")["assets"]["W-3"] == "UNKNOWN"
    (ready,) = ask(desk, ("GET", "/-/ready", b""))
    assert ready.text == f"watch: not ready for more than 60 s: {because}"
    asyncio.run(clock.until(T0 + 70 * NS))
    ask(desk, beat("watch", lag_s=0.1, not_ready=[]))
    assert ours(desk) == [("pipeline_failing", "NORMAL", "quiet")]
    assert get(desk, f"/api/v1/warnings/{warning['id']}")["cleared"] == T0 + 70 * NS


def test_one_heartbeat_that_says_ready_begins_the_minute_anew(desk: Desk, clock: FastClock) -> None:
    for s in range(0, 120, 5):
        asyncio.run(clock.until(T0 + s * NS))
        ask(desk, beat("watch", not_ready=[] if s == 60 else ["disk full"]), beat("receive"))
    assert ours(desk) == []


def test_a_notice_that_waits_too_long_makes_the_desk_unready(desk: Desk, clock: FastClock, say: Say) -> None:
    ask(desk, ("POST", "/changes", [say(O)]))
    asyncio.run(clock.until(T0 + 61 * NS))
    ask(desk, beat("watch"), beat("receive"))
    (ready,) = ask(desk, ("GET", "/-/ready", b""))
    assert (ready.status_code, ready.text) == (503, "phone: a notice has waited for 61 s")


def test_the_figures_tell_what_happened(desk: Desk, say: Say) -> None:
    ask(desk, ("POST", "/changes", [say(O), say(R, 1, "d2", mode="passive")]), ("POST", "/changes", [say(O), say(Y, -5)]))
    ask(desk, ("POST", "/changes", [{}]), ("POST", "/heartbeat", {"source": "watch", "lag_s": 0.25}))
    (page,) = ask(desk, ("GET", "/metrics", b""))
    lines = set(page.text.splitlines())
    assert {
        'lifeline_desk_changes_total{fate="accepted"} 2.0',
        'lifeline_desk_changes_total{fate="duplicate"} 1.0',
        'lifeline_desk_changes_total{fate="late"} 1.0',
        'lifeline_desk_passive_changes_total{level="RED",rule="gas.methane.limit"} 1.0',
        "lifeline_desk_refused_total 1.0",
        'lifeline_desk_warnings{domain="gas",level="ORANGE",state="open"} 1.0',
        "lifeline_desk_outbox_waiting 1.0",
        'lifeline_desk_heartbeat_lag_seconds{source="watch"} 0.25',
    } <= lines


def test_an_exercise_goes_every_way_says_what_it_is_and_touches_nothing_real(desk: Desk, say: Say) -> None:
    drill = {"asset": "W-1", "hazard": "gas_accumulation", "level": "RED", "note": "autumn", "by": "Wang Wei"}
    begun, twice, nowhere, nothing = ask(
        desk,
        ("POST", "/api/v1/exercises", drill),
        ("POST", "/changes", [say(Y, 5)]),
        ("POST", "/api/v1/exercises", {**drill, "asset": "W-99"}),
        ("POST", "/api/v1/exercises", {**drill, "hazard": "gas_acumulation"}),
    )
    assert (begun.status_code, begun.json()["notices"]) == (201, 1)
    assert twice.json()["accepted"] == 1
    assert (nowhere.status_code, nothing.status_code) == (404, 422)
    assert "gas_accumulation" in nothing.json()["detail"]
    drilled, real = sorted(get(desk, "/api/v1/warnings?live=true"), key=lambda w: w["hazard"])
    assert drilled["zh"] == "【演练】【红色预警·发布】可燃气体聚集：W-1"
    assert drilled["en"].startswith("EXERCISE RED warning raised")
    assert (real["level"], real["why"]) == ("YELLOW", "lone")  # the exercise confirms nothing
    assert get(desk, "/api/v1/map")["assets"]["W-1"] != "RED"
    assert get(desk, f"/api/v1/warnings/{drilled['id']}")["incident"] is None
    ended = ask(desk, ("POST", "/api/v1/exercises/end", {k: drill[k] for k in ("asset", "hazard", "by")}))[0]
    assert ended.status_code == 201
    assert {w["hazard"]: w["state"] for w in get(desk, "/api/v1/warnings")}[drilled["hazard"]] == "gone"


def test_every_figure_and_route_is_in_the_documentation(desk: Desk) -> None:
    docs = Path(__file__).parents[2] / "docs"
    page, figures = (docs / "desk.md").read_text("utf-8"), (docs / "metrics.md").read_text("utf-8")
    for metric in desk.meters.registry.collect():
        assert f"`{metric.name}" in figures
    for route in router.routes:
        assert isinstance(route, APIRoute)
        assert route.path.replace("{warning}", "{id}") in page


@contextmanager
def served(desk: Desk, port: int) -> Iterator[str]:
    """A real server in a thread."""
    server = uvicorn.Server(uvicorn.Config(app(desk), "127.0.0.1", port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_from_a_change_posted_to_a_phone_that_rings(database: Database, catalog: Catalog, say: Say, free_tcp_port: int) -> None:
    with Receiver() as phone:
        channels: dict[str, Channel] = {"phone": Webhook(phone.url)}
        desk = Desk.of(Settings("chengjiang", token=TOKEN), database, catalog, [Route("phone")], channels, WallClock())
        with served(desk, free_tcp_port) as url, httpx.Client(base_url=url, headers=BEARER) as http:
            http.post("/heartbeat", content=b'{"source": "watch"}').raise_for_status()
            at = now()
            said = msgspec.structs.replace(say(O), t=at, id="one")
            assert http.post("/changes", content=msgspec.json.encode([said])).json()["notices"] == 1
            (got,) = phone.wait(lambda got: len(got) == 1)
            assert got.json["lifeline"]["asset"] == "W-1"
            assert at < got.at < at + 5 * NS
            cleared = msgspec.structs.replace(said, t=at + NS, id="two", new="NORMAL")
            http.post("/changes", content=msgspec.json.encode([cleared])).raise_for_status()
            assert phone.wait(lambda got: len(got) == 2)[1].json["status"] == "resolved"
            assert http.get("/-/ready").text == "ready"
