"""Short messages and calls: a gateway that is described, not known; and what it reports later."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from alerts import channels, gateway, receipts
from alerts.api import app
from alerts.channels.sms import Sms
from alerts.channels.voice import Voice
from alerts.desk import Desk, Settings
from alerts.gateway import Reports
from alerts.notice import Channel, Drop, Notice, Retry, Sent
from alerts.outbox import Patience
from alerts.route import Receiver as To
from alerts.route import addressed
from alerts.rows import post
from alerts.tables import Database, audit, outbox
from bench.receiver import Receiver, Reply
from lifeline.catalog import Catalog
from lifeline.clock import WallClock, now
from lifeline.config import ConfigRefused
from lifeline.kinds import Secret
from lifeline.model import Change, Level
from tests.alerts import providers
from tests.alerts.sending import done, run, states, until
from tests.alerts.story import noticed, send, told

N, B, Y, O, R = Level
Say = Callable[..., Change]
PROOF = "s3cret"
TABLE: dict[str, Any] = {
    "type": "sms",
    "headers": {"Authorization": "Bearer gateway"},
    "body": {
        "PhoneNumbers": "{number}",
        "SignName": "城市生命线",
        "TemplateParam": '{"level":"{zh_level!j}","text":"{text!j}"}',
        "OutId": "{ref}",
    },
    "success": {"Code": "OK"},
    "code": "Code",
    "retry": ["isv.BUSINESS_LIMIT_CONTROL", "isp.*"],
    "drop": ["isv.MOBILE_NUMBER_ILLEGAL"],
    "reference": "BizId",
    "to": ["13900000000"],
    "timeout": "500ms",
    "reports": {
        "secret": PROOF, "name": "biz_id", "status": "err_code", "words": "err_msg", "delivered": ["DELIVERED"],
        "never": ["MK:0001", "SPACE*"],
    },
}  # fmt: skip


def sms(url: str, **more: Any) -> Sms:
    (made,) = channels.configured({"sms": {**TABLE, "url": url, **more}})[1].values()
    assert isinstance(made, Sms)
    return made


@pytest.fixture
def notice(say: Say) -> Notice:
    return noticed(told(say(Level.ORANGE)), person="li", address="13800001111")


def test_a_message_goes_to_the_person_s_number_and_is_sent_when_the_body_says_so(notice: Notice) -> None:
    with providers.Gateway() as provider:
        (outcome,) = send(sms(provider.url), notice)
        assert isinstance(outcome, Sent)
        assert outcome.references == ("biz-1", receipts.short(notice.id))
        send(sms(provider.url), msgspec.structs.replace(notice, person="", address=""))
    assert [h["PhoneNumbers"] for h in provider.heard] == ["13800001111", "13900000000"]
    inner = msgspec.json.decode(provider.heard[0]["TemplateParam"])
    assert inner["level"] == "橙色"
    assert "甲烷浓度 2.6 %VOL" in inner["text"]


@pytest.mark.parametrize(
    ("code", "kind", "asked"),
    [("isv.BUSINESS_LIMIT_CONTROL", Retry, False), ("isp.SYSTEM_ERROR", Retry, False), ("isv.AMOUNT_NOT_ENOUGH", Retry, True),
     ("isv.MOBILE_NUMBER_ILLEGAL", Drop, None)],
)  # fmt: skip
def test_a_code_over_200_is_judged_by_the_table_and_an_unknown_one_by_a_person(
    code: str, kind: type, asked: object, notice: Notice
) -> None:
    with providers.Gateway(lambda _number: code) as provider:
        (outcome,) = send(sms(provider.url), notice)
    assert isinstance(outcome, kind)
    assert code in outcome.words
    if isinstance(outcome, Retry):
        assert outcome.person is asked


@pytest.mark.parametrize(
    ("reply", "kind", "reason"),
    [
        (Reply(429, (("Retry-After", "7"),)), Retry, "rateLimited"), (Reply(503), Retry, "serverError"),
        (Reply(401), Retry, "authError"), (Reply(400), Drop, "clientError"), (Reply(reset=True), Retry, "connection"),
        (Reply(wait=1.5), Retry, "timeout"), (Reply(200, body=b"<html>"), Retry, "misdirected"),
        (Reply(200, body=b"\xff\xfe"), Retry, "misdirected"), (Reply(200, body=b"[]"), Retry, "misdirected"),
        (Reply(200, body=b""), Retry, "misdirected"), (Reply(500, body=b'{"Code":"OK"}'), Retry, "serverError"),
        (Reply(302, (("Location", "http://127.0.0.1:1/"),)), Retry, "misdirected"),
    ],
)  # fmt: skip
def test_whatever_else_a_gateway_does_is_no_success(reply: Reply, kind: type, reason: str, notice: Notice) -> None:
    with Receiver([reply]) as phone:
        (outcome,) = send(sms(phone.url), notice)
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Sent)
    assert outcome.reason == reason


def test_gateways_that_speak_no_json_are_understood_by_their_text(notice: Notice) -> None:
    plain = {"success": {"": "0,*"}, "code": "", "body": {"m": "{number}", "c": "{title}"}, "form": True, "reports": None}
    plain.pop("reports")
    with Receiver([Reply(200, body=b"0,123456"), Reply(200, body=b"-1,no money")]) as phone:
        table = {**TABLE, **plain, "url": f"{phone.url}?id={{ref}}&n={{number}}"}
        table.pop("reports")
        (made,) = channels.configured({"sms": table})[1].values()
        good, bad = send(made, notice, notice)
    assert isinstance(good, Sent)
    assert isinstance(bad, Retry)
    assert bad.person
    assert phone.got[0].path.endswith("&n=13800001111")
    assert phone.got[0].body.startswith(b"m=13800001111&c=%E3%80%90")


@given(text=st.text(max_size=50))
def test_no_text_breaks_out_of_its_place(text: str) -> None:
    inside = gateway.filled('{"a":"{text!j}"}', {"text": text})
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert msgspec.json.decode(inside) == {"a": text}
    url = httpx.URL(gateway.filled("http://x/?a={text}&b=1", {"text": text}, quoted=True))
    assert url.params["b"] == "1"
    assert url.params["a"] == text


def test_a_long_text_is_cut_but_its_link_is_not(say: Say) -> None:
    link = "https://desk.example/a/abc"
    long = msgspec.structs.replace(noticed(told(say(O))), link=link)
    short = gateway.shortened(long, 60)
    assert len(short) == 60
    assert short.endswith("…" + link)


def test_a_call_reads_the_title_out_and_red_twice(say: Say) -> None:
    with Receiver(after=Reply(200, body=b'{"code":0}')) as phone:
        call = Voice(phone.url, success={"code": 0}, body={"to": "{number}", "say": "{speech}"}, to=("1",))
        send(call, noticed(told(say(R))), noticed(told(say(Y))))
    red, yellow = (g.json["say"] for g in phone.got)
    assert red.count("红色预警") == 2
    assert "【" not in red
    assert yellow.count("黄色预警") == 1


def test_a_table_that_cannot_work_is_refused_with_all_that_is_wrong() -> None:
    table = {"type": "sms", "url": "http://x/{nummer}", "body": {"a": ["{teyt}"]}, "to": ["1", "2"]}
    with pytest.raises(ConfigRefused) as refused:
        channels.configured({"sms": table})
    said = "\n".join(refused.value.problems)
    for part in ("{nummer}", "{teyt}", "success", "{numbers}"):
        assert part in said
    assert PROOF not in repr(sms("http://x/"))


def test_a_notice_to_nobody_is_given_up_aloud(say: Say) -> None:
    (outcome,) = send(sms("http://127.0.0.1:1/", to=[]), noticed(told(say(O))))
    assert isinstance(outcome, Drop)
    assert outcome.reason == "misconfigured"


# --- receipts


class Stage:
    """A desk with a gateway, and an ear as its second channel."""

    def __init__(self, database: Database, catalog: Catalog, provider: providers.Gateway, ear: Any) -> None:
        ways: dict[str, Channel] = {"sms": sms(provider.url), "ear": ear}
        quick = Patience(base=0.02, cap=0.2, poll=0.02, grace=1.0)
        settings = Settings("c", sources=(), patience=quick)
        self.database, self.ear = database, ear
        self.desk = Desk.of(settings, database, catalog, [], ways, WallClock())

    def tell(self, change: Change, person: str = "li") -> str:
        """A warning, and the notice of it to one person -> its id."""
        self.desk.take([change])
        story = told(change, asset=change.asset)
        with self.database.write() as db:
            from alerts.tables import warnings

            row = db.execute(select(warnings).where(warnings.c.asset == change.asset)).mappings().one()
            story = msgspec.structs.replace(story, warning=row["id"], version=row["version"])
            notice = addressed(To("sms", person, "13800001111"), story, noticed(story).texts)
            post(db, notice, now())
        self.desk.outbox.wake()
        return notice.id

    async def report(self, body: Any, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app(self.desk)), base_url="http://desk") as http:
            content = body if isinstance(body, bytes) else msgspec.json.encode(body)
            said = headers or {"Authorization": f"Bearer {PROOF}"}
            return await http.post("/api/v1/receipts/sms", content=content, headers=said)

    def acts(self) -> list[str]:
        with self.database.read() as db:
            return list(db.execute(select(audit.c.act).where(audit.c.by == "sms").order_by(audit.c.id)).scalars())

    def row(self, notice: str) -> Any:
        with self.database.read() as db:
            return db.execute(select(outbox).where(outbox.c.id == notice)).mappings().one()


def staged(database: Database, catalog: Catalog, ear: Any, play: Callable[[Stage, providers.Gateway], Any]) -> None:
    async def work() -> None:
        with providers.Gateway() as provider:
            stage = Stage(database, catalog, provider, ear)
            task = asyncio.create_task(stage.desk.outbox.run())
            try:
                await play(stage, provider)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    run(work())


def said(biz: str, code: str = "DELIVERED", words: str = "") -> list[dict[str, str]]:
    return [{"phone_number": "1", "biz_id": biz, "err_code": code, "err_msg": words}]


def test_a_delivery_is_written_down(database: Database, catalog: Catalog, ear: Any, say: Say) -> None:
    async def play(stage: Stage, provider: providers.Gateway) -> None:
        notice = stage.tell(say(O))
        await until(done(database, "sms"))
        answer = await stage.report(said("biz-1", words="用户接收成功"))
        assert (answer.status_code, answer.json()["known"]) == (200, 1)
        assert (await stage.report(said("biz-1", words="用户接收成功"))).json()["known"] == 0
        row = stage.row(notice)
        assert row["delivered"] is not None
        assert "用户接收成功" in row["words"]
        assert "一键确认：http://127.0.0.1:8087/a/" in msgspec.json.decode(provider.heard[0]["TemplateParam"])["text"]
        assert stage.acts() == ["notified", "delivered"]

    staged(database, catalog, ear, play)


def test_what_did_not_arrive_is_sent_again_and_in_the_end_told_elsewhere(
    database: Database, catalog: Catalog, ear: Any, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "WAIT", 0.05)

    async def play(stage: Stage, provider: providers.Gateway) -> None:
        notice = stage.tell(say(O))
        for i in range(1, 4):
            await until(lambda i=i: stage.row(notice)["state"] == "sent" and len(provider.heard) == i)  # type: ignore[misc]
            await stage.report(said(f"biz-{i}", "UNDELIVRD", f"busy {i}"))
        await until(lambda: len(stage.ear.heard) == 1)
        row = stage.row(notice)
        assert (row["state"], row["attempts"]) == ("dropped", 3)
        assert "busy 3" in row["words"]
        assert "sms could not deliver" in stage.ear.heard[0].texts.en
        assert stage.acts() == ["notified", "undelivered"] * 2 + ["notified", "undelivered", "gave_up"]

    staged(database, catalog, ear, play)


def test_a_number_that_does_not_exist_is_not_tried_again(database: Database, catalog: Catalog, ear: Any, say: Say) -> None:
    async def play(stage: Stage, provider: providers.Gateway) -> None:
        notice = stage.tell(say(O))
        await until(done(database, "sms"))
        await stage.report(said("biz-1", "MK:0001", "空号"))
        await until(lambda: len(stage.ear.heard) == 1)
        assert stage.row(notice)["state"] == "dropped"
        assert len(provider.heard) == 1

    staged(database, catalog, ear, play)


def test_red_that_did_not_arrive_is_told_elsewhere_at_once(database: Database, catalog: Catalog, ear: Any, say: Say) -> None:
    async def play(stage: Stage, _provider: providers.Gateway) -> None:
        notice = stage.tell(say(R))
        await until(done(database, "sms"))
        await stage.report(said("biz-1", "UNDELIVRD"))
        await until(lambda: len(stage.ear.heard) == 1)
        assert stage.row(notice)["state"] == "waiting"

    staged(database, catalog, ear, play)


def test_a_report_that_comes_before_the_answer_counts_all_the_same(
    database: Database, catalog: Catalog, ear: Any, say: Say
) -> None:
    async def play(stage: Stage, _provider: providers.Gateway) -> None:
        answer = await stage.report(said("biz-1", "MK:0001", "空号"))
        assert answer.json()["known"] == 0
        notice = stage.tell(say(O))
        await until(lambda: len(stage.ear.heard) == 1)
        assert stage.row(notice)["state"] == "dropped"

    staged(database, catalog, ear, play)


def test_old_news_that_did_not_arrive_is_not_sent_after_newer_news(
    database: Database, catalog: Catalog, ear: Any, say: Say
) -> None:
    async def play(stage: Stage, provider: providers.Gateway) -> None:
        first = stage.tell(say(Y))
        await until(done(database, "sms"))
        stage.tell(say(O, 1))
        await until(lambda: len(states(database, "sms")) == 2 and done(database, "sms")())
        await stage.report(said("biz-1", "UNDELIVRD"))
        assert stage.row(first)["state"] == "superseded"
        await asyncio.sleep(0.2)
        assert len(provider.heard) == 2

    staged(database, catalog, ear, play)


def test_who_cannot_prove_itself_reports_nothing(database: Database, catalog: Catalog, ear: Any, say: Say) -> None:
    async def play(stage: Stage, _provider: providers.Gateway) -> None:
        notice = stage.tell(say(O))
        await until(done(database, "sms"))
        for headers in ({"Authorization": "Bearer guess"}, {"Authorization": PROOF}, {"X-Signature": "00"}):
            assert (await stage.report(said("biz-1", "MK:0001"), **headers)).status_code == 401
        for junk in (b"", b"junk", b"[1]", b"[{}]", b"\xff", b'{"biz_id":"biz-1"}'):
            assert (await stage.report(junk)).status_code == 422
        assert (await stage.report(said("nobody", "MK:0001"))).json() == {
            "code": 0, "msg": "ok", "result": 0, "errmsg": "OK", "taken": 1, "known": 0,
        }  # fmt: skip
        assert stage.row(notice)["state"] == "sent"

    staged(database, catalog, ear, play)


def test_proofs_by_signature_and_by_query(database: Database, catalog: Catalog) -> None:
    asked = [
        Reports(Secret(PROOF), "id", "s", ("ok",), proof="hmac"),
        Reports(Secret(PROOF), "id", "s", ("ok",), proof="query"),
    ]
    ways: dict[str, Channel] = {r.proof: Sms("http://x/", success={"c": 0}, reports=r) for r in asked}
    desk = Desk.of(Settings("c", sources=()), database, catalog, [], ways, WallClock())
    body = b'{"id":"1","s":"ok"}'
    mark = hmac.new(PROOF.encode(), body, hashlib.sha256).hexdigest()
    tries: list[tuple[str, dict[str, str], int]] = [
        ("hmac", {"X-Signature": f"sha256={mark}"}, 200), ("hmac", {"X-Signature": mark.upper()}, 200), ("hmac", {}, 401),
        (f"query?secret={PROOF}", {}, 200), ("query?secret=x", {}, 401), ("query", {}, 401), ("none", {}, 404),
    ]  # fmt: skip

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app(desk)), base_url="http://desk") as http:
            for path, headers, status in tries:
                answer = await http.post(f"/api/v1/receipts/{path}", content=body, headers=headers)
                assert answer.status_code == status, path

    run(work())
