"""Channels whose receiver is another program: ntfy, Alertmanager, MQTT."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as paho  # noqa: TID251  the tests' own subscriber
import pytest
from paho.mqtt.enums import CallbackAPIVersion  # noqa: TID251

from alerts.channels.alertmanager import Alertmanager
from alerts.channels.mqtt import Mqtt
from alerts.channels.ntfy import Ntfy
from alerts.notice import EXERCISE, Drop, Notice, Retry, Sent, What
from bench.receiver import Receiver, Reply
from lifeline.clock import parse
from lifeline.model import NS, Change, Level
from tests.alerts.story import ended, noticed, send, told
from tests.brokers import Mosquitto, until

N, B, Y, O, R = Level
Say = Callable[..., Change]
KNOCK = "s3cret"


@pytest.fixture
def notice(say: Say) -> Notice:
    return noticed(told(say(R)))


# --- ntfy


def test_a_push_has_the_level_s_priority_and_a_button_that_acknowledges(notice: Notice) -> None:
    linked = msgspec.structs.replace(
        notice, person="li", address="li-topic", link="https://desk/a/x", picture="https://desk/p.png"
    )
    with Receiver(after=Reply(200, body=b'{"id":"abc","event":"message"}')) as phone:
        first, second = send(Ntfy("city", phone.url, token=KNOCK), linked, notice)
        body, plain = (g.json for g in phone.got)
        assert phone.got[0].headers["authorization"] == f"Bearer {KNOCK}"
    assert isinstance(first, Sent)
    assert isinstance(second, Sent)
    assert (body["topic"], body["priority"], body["tags"]) == ("li-topic", 5, ["red_circle"])
    assert body["actions"] == [
        {
            "action": "http",
            "label": "确认 Acknowledge",
            "url": "https://desk/a/x",
            "method": "POST",
            "body": "seen=2",
            "clear": True,
        }
    ]
    assert body["attach"] == "https://desk/p.png"
    assert (plain["topic"], "actions" in plain) == ("city", False)
    assert plain["click"].endswith("/api/v1/warnings/0123456789abcdef")


@pytest.mark.parametrize(
    ("reply", "kind", "reason"),
    [
        (Reply(200, body=b"<html>hotel login</html>"), Retry, "misdirected"), (Reply(200, body=b"{}"), Retry, "misdirected"),
        (Reply(429), Retry, "rateLimited"), (Reply(403), Retry, "authError"), (Reply(413), Drop, "clientError"),
        (Reply(507), Retry, "serverError"), (Reply(reset=True), Retry, "connection"), (Reply(wait=1.0), Retry, "timeout"),
    ],
)  # fmt: skip
def test_an_answer_of_ntfy_means_one_of_three_things(reply: Reply, kind: type, reason: str, notice: Notice) -> None:
    with Receiver([reply]) as phone:
        (outcome,) = send(Ntfy("city", phone.url, timeout=0.4), notice)
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Sent)
    assert outcome.reason == reason


# --- Alertmanager


def test_a_change_of_level_ends_the_alert_before_it(notice: Notice) -> None:
    with Receiver() as am:
        channel = Alertmanager(am.url)
        over = ended(notice.story)
        outcomes = send(channel, notice, noticed(over))
        (worse, gone) = (g.json for g in am.got)
        assert {g.path for g in am.got} == {"/api/v2/alerts"}
    assert [type(o) for o in outcomes] == [Sent, Sent]
    assert [a["labels"]["severity"] for a in worse] == ["RED", "YELLOW"]
    assert parse(worse[0]["endsAt"]) > notice.story.t + 86_400 * NS
    assert parse(worse[1]["endsAt"]) == notice.story.t
    (last,) = gone
    assert last["labels"] == worse[0]["labels"]
    assert parse(last["endsAt"]) == over.ended
    assert last["startsAt"] == worse[0]["startsAt"]


def test_a_first_alert_and_a_reminder_end_nothing(notice: Notice) -> None:
    channel = Alertmanager("http://127.0.0.1:1")
    first = noticed(msgspec.structs.replace(notice.story, before="NORMAL", what=What.RAISED))
    again = noticed(msgspec.structs.replace(notice.story, what=What.OVERDUE, before="RED"))
    for one in (first, again):
        assert [a["labels"]["severity"] for a in channel.alerts(one)] == ["RED"]
    nobody = noticed(msgspec.structs.replace(first.story, district=""))
    assert "district" not in channel.alerts(nobody)[0]["labels"]


def test_alerts_that_alertmanager_will_not_have_are_given_up(notice: Notice) -> None:
    with Receiver([Reply(400, body=b'"bad labels"'), Reply(500)]) as am:
        refused, later = send(Alertmanager(am.url), notice, notice)
    assert isinstance(refused, Drop)
    assert isinstance(later, Retry)


def test_an_exercise_is_labelled_as_one_and_never_retained(notice: Notice) -> None:
    drill = noticed(msgspec.structs.replace(notice.story, hazard=f"{EXERCISE}gas_accumulation"))
    assert all(a["labels"]["exercise"] == "true" for a in Alertmanager("http://127.0.0.1:1").alerts(drill))
    ((payload, retained),) = Mqtt("127.0.0.1", 1, retain=True).payloads(drill)
    assert msgspec.json.decode(payload)["exercise"] is True
    assert not retained


# --- MQTT


class Listener:
    """Hears what comes on a topic."""

    def __init__(self, port: int, topic: str = "#") -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        ready = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.client.on_message = lambda _c, _d, m: self.heard.append((m.topic, bytes(m.payload), m.retain))
        self.client.on_subscribe = lambda *_args: ready.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe(topic, qos=1)
        assert ready.wait(10)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    folder: Path = tmp_path_factory.mktemp("broker")
    (folder / "acl").write_text("topic write open/#\ntopic read #\n", "utf-8")
    with Mosquitto(folder, "allow_anonymous true", f"acl_file {folder}/acl") as made:
        yield made


def mqtt(broker: Mosquitto, **more: Any) -> Mqtt:
    return Mqtt("127.0.0.1", broker.port, **{"topic": "open/{domain}/{asset}/{hazard}", "timeout": 3.0, **more})


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_notice_arrives_at_its_topic_and_counts_when_the_broker_has_it(
    broker: Mosquitto, notice: Notice, version: Any
) -> None:
    listener = Listener(broker.port)
    try:
        (outcome,) = send(mqtt(broker, version=version), notice)
        until(lambda: listener.heard, "no message")
    finally:
        listener.close()
    assert isinstance(outcome, Sent), outcome
    (topic, payload, retained) = listener.heard[0]
    assert topic == "open/gas/W-1/gas_accumulation"
    said = msgspec.json.decode(payload)
    assert (said["id"], said["level"], said["exercise"]) == (notice.id, "RED", False)
    assert not retained


def test_what_stands_is_found_by_those_who_come_later_and_what_is_over_is_not(broker: Mosquitto, notice: Notice) -> None:
    channel = mqtt(broker, retain=True)
    send(channel, notice)
    late = Listener(broker.port, "open/#")
    until(lambda: late.heard, "no retained message")
    late.close()
    assert late.heard[0][2]
    assert isinstance(send(channel, noticed(ended(notice.story)))[0], Sent)
    later = Listener(broker.port, "open/#")
    later.close()
    assert later.heard == []


def test_a_broker_that_forbids_the_topic_has_not_got_the_notice(broker: Mosquitto, notice: Notice) -> None:
    (outcome,) = send(mqtt(broker, topic="closed/{asset}"), notice)
    assert isinstance(outcome, Retry)
    assert (outcome.reason, outcome.person) == ("authError", True)


def test_a_login_that_is_refused_is_for_a_person_to_mend(tmp_path: Path, notice: Notice) -> None:
    with Mosquitto(tmp_path, "allow_anonymous false") as closed:
        for version in ("5", "3.1.1"):
            (outcome,) = send(mqtt(closed, username="x", password=KNOCK, version=version), notice)
            assert isinstance(outcome, Retry)
            assert (outcome.reason, outcome.person) == ("authError", True)


def test_a_broker_that_is_away_or_says_nothing_is_asked_again(notice: Notice) -> None:
    import socket

    (away,) = send(Mqtt("127.0.0.1", 1, timeout=0.5), notice)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        (silent,) = send(Mqtt("127.0.0.1", deaf.getsockname()[1], timeout=0.5), notice)
    assert isinstance(away, Retry)
    assert isinstance(silent, Retry)
    assert (away.reason, silent.reason) == ("connection", "timeout")


def test_what_everybody_can_read_is_not_told_to_a_person(notice: Notice) -> None:
    meant = msgspec.structs.replace(notice, person="li")
    for channel in (Mqtt("127.0.0.1", 1), Alertmanager("http://127.0.0.1:1")):
        (outcome,) = send(channel, meant)
        assert isinstance(outcome, Drop)
        assert outcome.reason == "misconfigured"


def test_a_name_cannot_move_the_topic(say: Say) -> None:
    odd = noticed(told(say(R), asset="a/#\0+b"))
    assert Mqtt("x", topic="t/{asset}/{hazard}").where(odd) == "t/a____b/gas_accumulation"
    for topic in ("a/{nobody}", "a/#", "+", ""):
        with pytest.raises(ValueError, match="topic"):
            Mqtt("x", topic=topic)
