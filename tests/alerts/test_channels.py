"""The ways to people, each against a real peer."""

import asyncio
import json
import smtplib
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import fields
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from alerts import channels, plot, texts
from alerts.channels.log import Log
from alerts.channels.smtp import Smtp, _refusal
from alerts.channels.webhook import Webhook
from alerts.notice import Drop, Grounds, Notice, Outcome, Retry, Sent, Story, What
from alerts.route import Route
from bench.receiver import Receiver, Reply
from lifeline.config import ConfigRefused
from lifeline.model import NS, Change, Kind, Level

Say = Callable[..., Change]
RIGHT, WRONG = "s3cret", "guess"
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module", autouse=True)
def warm() -> Iterator[None]:
    """The first picture of a process takes longer than any notice waits for it; on a busy machine the others do too."""
    plot.warm()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plot, "PATIENCE", 60.0)
        yield


@pytest.fixture
def story(say: Say) -> Story:
    c = say(Level.ORANGE)
    place = {"city": "澄江", "district": "凤麓街道", "asset": "W-1", "owner": "燃气公司", "lat": 24.67, "lon": 102.91}
    moved = {"version": 2, "what": What.WORSE, "level": "ORANGE", "before": "YELLOW", "why": "agreed", "voices": 2}
    named = {"warning": "0123456789abcdef", "domain": "gas", "hazard": "gas_accumulation", "kind": Kind.HAZARD}
    grounds = [Grounds(c.key, c.device, c.quantity, c.rule, c.new, c.score, c.t, c.evidence)]
    facts: dict[str, Any] = {**named, **place, **moved, "onset": c.t, "t": c.t, "made": c.t, "ended": None, "grounds": grounds}
    return Story(**facts)


@pytest.fixture
def notice(story: Story) -> Notice:
    return Notice(id="0123456789abcdef.2.mail", channel="mail", story=story, texts=texts.write(story, SHANGHAI))


def send(channel: Any, notice: Notice) -> Outcome:
    async def work() -> Outcome:
        try:
            outcome: Outcome = await channel.send(notice)
            return outcome
        finally:
            await channel.close()

    return asyncio.run(work())


class Postbox:
    """Takes mail, or refuses it as told."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse: dict[str, str] = {}
        self.at_data = ""

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802  aiosmtpd calls it so
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd calls it so
        if self.at_data:
            return self.at_data
        assert isinstance(envelope.content, bytes)
        mail = BytesParser(EmailMessage, policy=default).parsebytes(envelope.content)
        self.mails.append(mail)
        return "250 kept"


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


def served(postbox: Postbox, port: int, **options: Any) -> Iterator[int]:
    controller = Controller(postbox, hostname="127.0.0.1", port=port, ready_timeout=10, **options)
    controller.start()
    yield port
    controller.stop()


@pytest.fixture
def port(postbox: Postbox, free_tcp_port: int) -> Iterator[int]:
    yield from served(postbox, free_tcp_port)


def mailer(port: int, **more: Any) -> Smtp:
    return Smtp("127.0.0.1", "desk@city.example", ("duty@city.example", "gas@city.example"), port=port, timeout=3.0, **more)


def test_a_mail_arrives_in_both_languages(postbox: Postbox, port: int, notice: Notice) -> None:
    assert send(mailer(port), notice) == Sent("accepted for all")
    (mail,) = postbox.mails
    assert mail["Message-ID"] == "<0123456789abcdef.2.mail@lifeline>"
    assert mail["To"] == "duty@city.example, gas@city.example"
    assert "橙色预警" in mail["Subject"]
    assert "ORANGE warning" in mail["Subject"]
    plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    for part in (plain, html):
        assert "甲烷浓度" in part.get_content()
        assert "methane" in part.get_content().lower()
    assert '<div lang="zh-CN">' in html.get_content()


def test_a_mail_carries_the_plot_and_goes_to_the_person_who_is_meant(postbox: Postbox, port: int, notice: Notice) -> None:
    link = "https://desk.example/a/x?y=1&z=2"
    said = msgspec.structs.replace(notice.texts, zh=f"{notice.texts.zh}\n一键确认：{link}")
    meant = msgspec.structs.replace(notice, person="li", address="li@city.example", texts=said)
    assert isinstance(send(mailer(port), meant), Sent)
    (mail,) = postbox.mails
    assert mail["To"] == "li@city.example"
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture.get_payload(decode=True).startswith(b"\x89PNG")  # type: ignore[union-attr]
    html = mail.get_body(("html",))
    assert html is not None
    assert 'href="https://desk.example/a/x?y=1&amp;z=2"' in html.get_content()


def test_the_same_notice_has_the_same_message_id_and_another_has_not(postbox: Postbox, port: int, notice: Notice) -> None:
    for n in (notice, notice, Notice(id="0123456789abcdef.3.mail", channel="mail", story=notice.story, texts=notice.texts)):
        assert isinstance(send(mailer(port), n), Sent)
    ids = [m["Message-ID"] for m in postbox.mails]
    assert ids[0] == ids[1] != ids[2]


def test_a_server_that_cannot_now_is_asked_again_and_one_that_never_will_is_not(
    postbox: Postbox, port: int, notice: Notice
) -> None:
    postbox.at_data = "451 greylisted"
    assert send(mailer(port), notice) == Retry("451 greylisted", "serverError")
    postbox.at_data = "554 looks like spam"
    assert send(mailer(port), notice) == Drop("554 looks like spam", "clientError")


def test_refused_recipients_are_named_and_the_others_have_the_mail(postbox: Postbox, port: int, notice: Notice) -> None:
    postbox.refuse = {"gas@city.example": "550 no such user"}
    assert send(mailer(port), notice) == Sent("refused for gas@city.example")
    postbox.refuse["duty@city.example"] = "450 busy"
    assert isinstance(send(mailer(port), notice), Retry)
    postbox.refuse["duty@city.example"] = "550 no such user"
    assert isinstance(send(mailer(port), notice), Drop)


def test_a_mail_server_that_is_not_there_is_asked_again(notice: Notice) -> None:
    outcome = send(mailer(1), notice)
    assert isinstance(outcome, Retry)
    assert outcome.reason == "connection"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*request, *names, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return key, cert


@pytest.fixture
def secure_port(postbox: Postbox, certificate: tuple[Path, Path], free_tcp_port: int) -> Iterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate[1], certificate[0])

    def login(_server: object, _session: object, _envelope: object, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"desk", RIGHT.encode()), handled=False)

    yield from served(
        postbox, free_tcp_port, tls_context=context, require_starttls=True, auth_required=True, authenticator=login
    )


def test_a_mail_goes_encrypted_and_with_a_login(
    postbox: Postbox, secure_port: int, certificate: tuple[Path, Path], notice: Notice
) -> None:
    safe = {"security": "starttls", "ca_file": certificate[1], "username": "desk"}
    assert isinstance(send(mailer(secure_port, password=RIGHT, **safe), notice), Sent)
    assert len(postbox.mails) == 1
    wrong = send(mailer(secure_port, password=WRONG, **safe), notice)
    assert isinstance(wrong, Drop)
    assert wrong.reason == "authError"


def test_a_server_with_a_stranger_s_certificate_is_not_given_the_password(secure_port: int, notice: Notice) -> None:
    outcome = send(mailer(secure_port, security="starttls", username="desk", password=RIGHT), notice)
    assert isinstance(outcome, Drop)
    assert outcome.reason == "misconfigured"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(204), Sent),
        *((Reply(status), Drop) for status in (400, 410, 413, 415, 422, 431)),
        *((Reply(status), Retry) for status in (408, 409, 423, 425, 429, 500, 501, 502, 503, 504)),
        (Reply(200, body=b"\xff\xfe\x00"), Sent),
    ],
)
def test_an_http_answer_means_one_of_three_things(reply: Reply, kind: type, notice: Notice) -> None:
    with Receiver([reply]) as phone:
        assert isinstance(send(Webhook(phone.url), notice), kind)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(status, "authError") for status in (401, 403, 407)]
    + [(status, "misdirected") for status in (301, 302, 303, 307, 308, 402, 404, 405, 406, 411, 414, 421, 451)],
)
def test_what_a_person_can_mend_is_tried_again_and_said_to_be_so(status: int, reason: str, notice: Notice) -> None:
    with Receiver() as elsewhere, Receiver([Reply(status, (("Location", elsewhere.url),))]) as phone:
        outcome = send(Webhook(phone.url), notice)
    assert isinstance(outcome, Retry)
    assert (outcome.reason, outcome.person) == (reason, True)
    assert elsewhere.got == []


@pytest.mark.parametrize(("code", "kind"), [(454, Retry), (432, Retry), (535, Drop), (534, Drop)])
def test_a_login_refused_is_judged_by_its_code(code: int, kind: type) -> None:
    assert isinstance(_refusal(smtplib.SMTPAuthenticationError(code, b"login")), kind)


@pytest.mark.parametrize("wish", ["7", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_retry_after_is_read_in_both_its_forms(wish: str, notice: Notice) -> None:
    with Receiver([Reply(503, (("Retry-After", wish),))]) as phone:
        outcome = send(Webhook(phone.url), notice)
    assert isinstance(outcome, Retry)
    assert outcome.after is not None
    assert outcome.after >= 7.0


@pytest.mark.parametrize("wish", ["", "soon", "-3", "１２"])
def test_a_retry_after_that_nobody_can_read_is_no_wish(wish: str, notice: Notice) -> None:
    with Receiver([Reply(503, (("Retry-After", wish.encode().decode("latin-1")),))]) as phone:
        outcome = send(Webhook(phone.url), notice)
    assert isinstance(outcome, Retry)
    assert outcome.after is None


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "127.0.0.1", "http://[::1", "http://127.0.0.1:99999/", "http:///x", ""])
def test_a_url_that_is_none_is_refused_before_anything_starts(url: str) -> None:
    with pytest.raises(ConfigRefused, match=r"channels.a: url: .* write http://HOST"):
        channels.configured({"a": {"type": "webhook", "url": url}})


def test_a_channel_s_name_must_fit_into_a_message_id() -> None:
    with pytest.raises(ConfigRefused, match=r"channels\.值班: a channel's name"):
        channels.configured({"值班": {"type": "log"}})


def test_a_line_break_in_an_asset_s_name_loses_no_mail(postbox: Postbox, port: int, story: Story) -> None:
    odd = msgspec.structs.replace(story, asset="W\r\nBcc: evil@x")
    notice = Notice(id="0123456789abcdef.2.mail", channel="mail", story=odd, texts=texts.write(odd, SHANGHAI))
    assert isinstance(send(mailer(port), notice), Sent)
    assert postbox.mails[0]["Bcc"] is None


def test_a_log_has_one_line_of_json_for_each_notice(tmp_path: Path, notice: Notice) -> None:
    path = tmp_path / "notices.jsonl"
    for _ in range(2):
        assert isinstance(send(Log(path), notice), Sent)
    first, second = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    assert first == second
    assert (first["id"], first["level"], first["asset"]) == (notice.id, "ORANGE", "W-1")
    assert isinstance(send(Log(tmp_path / "no" / "such" / "folder"), notice), Retry)


def test_a_log_without_a_path_goes_to_stderr(notice: Notice, capfd: pytest.CaptureFixture[str]) -> None:
    assert isinstance(send(Log(), notice), Sent)
    assert json.loads(capfd.readouterr().err)["warning"] == "0123456789abcdef"


def test_the_folder_is_the_list_of_channels() -> None:
    known = channels.known()
    assert known["log"] is Log
    assert known["smtp"] is Smtp
    assert sorted(known) == [
        "alertmanager", "apprise", "cap", "dingtalk", "feishu", "log", "mqtt", "ntfy", "sms", "smtp", "voice", "webhook",
        "wecom",
    ]  # fmt: skip


def test_every_channel_and_setting_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "channels.md").read_text("utf-8")
    sections = {part.partition("\n")[0]: part for part in page.split("\n## ")}
    for name, kind in channels.known().items():
        mine = sections[name] + (sections["sms"] if name == "voice" else "")
        settings = {f.name for f in fields(kind)} - {"timeout"}
        assert all(f"`{setting}`" in mine for setting in settings), (name, [x for x in settings if f"`{x}`" not in mine])


def test_channels_are_made_from_their_tables() -> None:
    phone = {"type": "webhook", "url": "http://x/", "min_level": "ORANGE", "kinds": ["hazard"], "token": RIGHT}
    routes, made = channels.configured({"phone": phone, "file": {"type": "log"}})
    assert routes == [Route("phone", Level.ORANGE, frozenset({Kind.HAZARD})), Route("file")]
    assert made == {"phone": Webhook("http://x/", token=RIGHT), "file": Log()}
    assert RIGHT not in repr(made)


def test_all_that_is_wrong_with_the_channels_is_said_at_once() -> None:
    tables = {"a": {"type": "webbhook"}, "b": {"type": "webhook", "urll": "x"}, "c": {"type": "log", "min_level": "PINK"}}
    with pytest.raises(ConfigRefused) as refused:
        channels.configured(tables)
    text = "\n".join(refused.value.problems)
    assert "channels.a.type" in text
    assert "webhook" in text
    assert "channels.b.urll" in text
    assert "channels.b.url: is missing" in text
    assert "channels.c.min_level" in text


def test_texts_say_level_hazard_value_bound_and_since_when(story: Story) -> None:
    said = texts.write(story, SHANGHAI)
    assert said.zh_title.startswith("【橙色预警·由黄色升级】")
    assert said.en_title.startswith("ORANGE warning (worse, was YELLOW): ")
    assert "甲烷浓度 2.6 %VOL，橙色界限 2.5 %VOL" in said.zh
    assert "Methane 2.6 %VOL, ORANGE bound 2.5 %VOL" in said.en
    assert texts.local(1_767_000_000 * NS, SHANGHAI) == "2025-12-29 17:20:00 +08:00"
    assert "始于 2025-12-29 17:20:00 +08:00" in said.zh
    assert "2 independent sensors or quantities agree: one level up" in said.en
