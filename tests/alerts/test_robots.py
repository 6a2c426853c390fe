"""Chat robots against providers that answer as the documents say: 200, and the truth in the body."""

import base64
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import plot, robot
from alerts.channels import dingtalk, feishu, wecom
from alerts.channels.dingtalk import Dingtalk
from alerts.channels.feishu import Feishu
from alerts.channels.wecom import Wecom
from alerts.notice import Channel, Drop, Notice, Outcome, Retry, Sent
from alerts.pace import paced
from bench.receiver import Receiver, Reply
from lifeline.model import Change, Level
from tests.alerts import providers
from tests.alerts.story import PLAIN, noticed, send, told

Say = Callable[..., Change]
TOKEN, SECRET, WRONG = "robot", "SECs3cret", "guess"


@pytest.fixture(scope="module", autouse=True)
def warm() -> Iterator[None]:
    """The first picture of a process takes longer than any notice waits for it; on a busy machine the others do too."""
    plot.warm()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plot, "PATIENCE", 60.0)
        yield


class Case(NamedTuple):
    """One provider and its channel."""

    codes: robot.Codes
    provider: Callable[[], providers.Provider]
    channel: Callable[[str, str], Channel]  # (URL, token)
    well: bytes
    fast: bytes
    refused: bytes
    unknown: bytes


def robots() -> dict[str, Case]:
    return {
        "dingtalk": Case(
            dingtalk.CODES,
            lambda: providers.DingTalk(TOKEN, SECRET),
            lambda url, token: Dingtalk(token, SECRET, url=f"{url}/robot/send", timeout=0.5),
            b'{"errcode":0,"errmsg":"ok"}',
            b'{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}',
            '{"errcode":430102,"errmsg":"文本包含不合适内容"}'.encode(),
            b'{"errcode":987654,"errmsg":"what is this"}',
        ),
        "wecom": Case(
            wecom.CODES,
            lambda: providers.WeCom(TOKEN),
            lambda url, token: Wecom(token, url=f"{url}/cgi-bin/webhook/send", timeout=0.5),
            b'{"errcode":0,"errmsg":"ok"}',
            b'{"errcode":45009,"errmsg":"api freq out of limit"}',
            b'{"errcode":44004,"errmsg":"text content is empty"}',
            b'{"errcode":987654,"errmsg":"what is this"}',
        ),
        "feishu": Case(
            feishu.CODES,
            lambda: providers.Feishu(TOKEN, SECRET),
            lambda url, token: Feishu(token, SECRET, host=url, timeout=0.5),
            b'{"code":0,"msg":"success","data":{}}',
            b'{"code":11232,"data":{},"msg":"frequency limited psm[lark.oapi]"}',
            b'{"code":9499,"msg":"Bad Request","data":{}}',
            b'{"code":987654,"msg":"what is this"}',
        ),
    }


@pytest.fixture(params=list(robots()))
def kind(request: pytest.FixtureRequest) -> Case:
    return robots()[request.param]


@pytest.fixture
def notice(say: Say) -> Notice:
    return noticed(told(say(Level.ORANGE)))


@pytest.fixture
def red(say: Say) -> Notice:
    return noticed(told(say(Level.RED)))


def answered(kind: Case, reply: Reply, notice: Notice) -> Outcome:
    with Receiver([reply]) as phone:
        (outcome,) = send(kind.channel(phone.url.rstrip("/"), TOKEN), notice)
    return outcome


def test_a_signed_message_arrives_and_counts_as_sent(kind: Case, notice: Notice) -> None:
    with kind.provider() as provider:
        (outcome,) = send(kind.channel(provider.url, TOKEN), notice)
    assert isinstance(outcome, Sent), outcome
    (heard,) = provider.heard
    text = msgspec.json.encode(heard).decode()
    assert "橙色预警" in text
    assert "ORANGE warning" in text
    assert "2.6 %VOL" in text


def test_a_wrong_key_is_no_success_although_the_answer_is_200(kind: Case, notice: Notice) -> None:
    with kind.provider() as provider:
        (outcome,) = send(kind.channel(provider.url, WRONG), notice)
    assert isinstance(outcome, Retry)
    assert (outcome.reason, outcome.person) == ("authError", True)
    assert provider.heard == []


@pytest.mark.parametrize("channel", [Dingtalk(TOKEN, WRONG), Feishu(TOKEN, WRONG)], ids=["dingtalk", "feishu"])
def test_a_wrong_signature_is_for_a_person_to_mend(channel: Any, notice: Notice) -> None:
    made = robots()[type(channel).__name__.lower()].provider()
    with made as provider:
        place = {"host": provider.url} if isinstance(channel, Feishu) else {"url": f"{provider.url}/robot/send"}
        (outcome,) = send(type(channel)(TOKEN, WRONG, **place), notice)
    assert isinstance(outcome, Retry)
    assert (outcome.reason, outcome.person) == ("authError", True)


def test_too_fast_is_tried_again_later_and_for_red_another_channel_is_told_at_once(
    kind: Case, notice: Notice, red: Notice
) -> None:
    for one, person in ((notice, False), (red, True)):
        outcome = answered(kind, Reply(200, body=kind.fast), one)
        assert isinstance(outcome, Retry)
        assert (outcome.reason, outcome.after, outcome.person) == ("rateLimited", 60.0, person)


def test_what_is_refused_for_its_content_is_given_up(kind: Case, notice: Notice) -> None:
    outcome = answered(kind, Reply(200, body=kind.refused), notice)
    assert isinstance(outcome, Drop)
    assert outcome.reason == "clientError"


def test_a_code_that_nobody_knows_is_neither_success_nor_silence(kind: Case, notice: Notice) -> None:
    outcome = answered(kind, Reply(200, body=kind.unknown), notice)
    assert isinstance(outcome, Retry)
    assert outcome.person
    assert "987654" in outcome.words


@pytest.mark.parametrize(
    "body", [b"", b"<html>login</html>", b"[]", b"0", b"null", b'{"ok":true}', b"\xff\xfe", b'{"errcode":"0"}']
)
def test_200_with_a_body_that_is_not_the_provider_s_is_no_success(kind: Case, body: bytes, notice: Notice) -> None:
    outcome = answered(kind, Reply(200, body=body), notice)
    assert isinstance(outcome, Retry), outcome
    assert (outcome.reason, outcome.person) == ("misdirected", True)


@pytest.mark.parametrize(
    ("status", "reason"), [(429, "rateLimited"), (500, "serverError"), (502, "serverError"), (403, "authError")]
)
def test_a_status_that_is_no_success_is_judged_as_such_even_over_a_zero(
    kind: Case, status: int, reason: str, notice: Notice
) -> None:
    for body in (b"busy", kind.well):
        outcome = answered(kind, Reply(status, body=body), notice)
        assert isinstance(outcome, Retry)
        assert outcome.reason == reason


def test_a_robot_that_is_slow_or_hangs_up_is_asked_again(kind: Case, notice: Notice) -> None:
    slow, broken = answered(kind, Reply(wait=1.0), notice), answered(kind, Reply(reset=True), notice)
    assert isinstance(slow, Retry)
    assert isinstance(broken, Retry)
    assert (slow.reason, broken.reason) == ("timeout", "connection")


@given(code=st.integers(-(2**31), 2**31), text=st.text(max_size=30))
def test_only_a_zero_is_ever_success(code: int, text: str) -> None:
    for kind in robots().values():
        body = {kind.codes.field: code, kind.codes.text: text}
        outcome = robot.read(httpx.Response(200, json=body), kind.codes, NOTICE)
        assert isinstance(outcome, Sent) is (code == 0)
        if isinstance(outcome, Drop):
            assert code in kind.codes.refused


def test_who_is_meant_is_mentioned_and_else_those_of_the_configuration(notice: Notice) -> None:
    meant = msgspec.structs.replace(notice, person="li", address="13800001111")
    ding = Dingtalk(TOKEN, at=("13900002222",))
    assert ding.body(notice)["at"]["atMobiles"] == ["13900002222"]
    body = ding.body(meant)
    assert body["at"] == {"atMobiles": ["13800001111"], "isAtAll": False}
    assert "@13800001111" in body["markdown"]["text"]
    assert "<@wang>" in Wecom(TOKEN, mention=("wang",)).body(notice)["markdown"]["content"]
    named = msgspec.structs.replace(notice, person="li", address="lisi")
    assert "<@lisi>" in Wecom(TOKEN, mention=("wang",)).body(named)["markdown"]["content"]
    assert (
        "<at id=ou_1></at>"
        in Feishu(TOKEN).body(msgspec.structs.replace(notice, address="ou_1"), 0)["card"]["elements"][0]["content"]
    )


def test_wecom_mentions_a_mobile_number_in_a_text_of_its_own_and_sends_the_plot(red: Notice) -> None:
    meant = msgspec.structs.replace(red, person="li", address="13800001111")
    with providers.WeCom(TOKEN) as provider:
        (outcome,) = send(Wecom(TOKEN, image=True, url=provider.url), meant)
    assert isinstance(outcome, Sent)
    kinds = [m["msgtype"] for m in provider.heard]
    assert kinds == ["markdown", "text", "image"]
    assert provider.heard[1]["text"]["mentioned_mobile_list"] == ["13800001111"]
    assert base64.b64decode(provider.heard[2]["image"]["base64"]).startswith(b"\x89PNG")


def test_a_picture_that_is_refused_does_not_make_the_text_be_told_again(red: Notice) -> None:
    with providers.WeCom(TOKEN) as provider:
        provider.then((200, b'{"errcode":0,"errmsg":"ok"}'), (200, b'{"errcode":40009,"errmsg":"invalid image size"}'))
        (outcome,) = send(Wecom(TOKEN, image=True, url=provider.url), red)
    assert isinstance(outcome, Sent)
    assert "40009" in outcome.words


def test_a_picture_that_takes_too_long_is_left_out(red: Notice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wecom, "WHOLE", 0.3)
    with Receiver([Reply(body=b'{"errcode":0,"errmsg":"ok"}')], after=Reply(wait=2.0)) as phone:
        (outcome,) = send(Wecom(TOKEN, image=True, url=phone.url), red)
    assert isinstance(outcome, Sent)
    assert outcome.words.endswith("no time for the rest")


def test_a_card_has_the_level_s_colour_and_buttons(red: Notice) -> None:
    linked = msgspec.structs.replace(red, link="https://desk.example/a/x", picture="https://desk.example/p/x")
    card = Feishu(TOKEN).body(linked, 0)["card"]
    assert card["header"]["template"] == "red"
    urls = [a["url"] for a in card["elements"][1]["actions"]]
    assert urls == ["https://desk.example/a/x", "https://desk.example/p/x"]


def test_marks_in_a_name_are_no_markup(say: Say) -> None:
    odd = noticed(told(say(Level.RED), asset="W](http://evil)<@all>**"))
    for text in (
        Dingtalk(TOKEN).body(odd)["markdown"]["text"],
        Wecom(TOKEN).body(odd)["markdown"]["content"],
        Feishu(TOKEN).body(odd, 0)["card"]["elements"][0]["content"],
    ):
        assert "<@all>" not in text
        assert "W](" not in text


def test_a_long_text_is_cut_to_what_the_provider_takes(say: Say) -> None:
    story = told(say(Level.RED), owner="燃" * 9000)
    long = noticed(story)
    with providers.WeCom(TOKEN) as we, providers.DingTalk(TOKEN) as ding, providers.Feishu(TOKEN) as fei:
        outcomes = [
            *send(Wecom(TOKEN, url=we.url), long),
            *send(Dingtalk(TOKEN, url=ding.url), long),
            *send(Feishu(TOKEN, host=fei.url), long),
        ]
    assert [type(o) for o in outcomes] == [Sent] * 3, outcomes
    assert not Wecom(TOKEN).fits(long)


def test_every_robot_declares_its_pace() -> None:
    for channel in (Dingtalk(TOKEN), Wecom(TOKEN), Feishu(TOKEN)):
        assert paced(channel)
    with pytest.raises(ValueError, match="reserve"):
        Dingtalk(TOKEN, per_minute=5, reserve=5)


NOTICE = noticed(told(PLAIN))
