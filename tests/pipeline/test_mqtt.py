"""The MQTT session against brokers that nobody here wrote: mosquitto, and the embedded one."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import pytest

from bench.receiver import Receiver
from ingest.journal import JournalFull
from ingest.mqtt import Publisher, Session, reachable
from lifeline.clock import now
from lifeline.config import Broker, Secret
from pipeline.letters import books
from pipeline.supervise import Crew, embedded
from tests import town
from tests.brokers import Mosquitto, free_port, until, wanted
from tests.stage import Stage

pytestmark = pytest.mark.network
Version = Literal["3.1.1", "5"]
TOPIC: Final = "lifeline/v1/town/gas/well-0/laser-0/telemetry"


class Taken:
    """A journal in memory; `full`: it has no room."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, bytes]] = []
        self.full = False

    def __call__(self, flat: list[bytes], _t: int) -> None:
        if self.full:
            raise JournalFull("no room")
        self.messages += zip(flat[::2], flat[1::2], strict=True)

    @property
    def payloads(self) -> list[bytes]:
        return [p for _, p in self.messages]


def settings(port: int, **more: object) -> Broker:
    return replace(Broker(port=port, client_id="receive"), **more)  # type: ignore[arg-type]


@contextmanager
def listening(broker: Broker, taken: Taken, memory: Path, *, up: bool = True) -> Iterator[Session]:
    """A session at work, connected when the block begins."""
    session = Session(broker, taken, memory=memory, linger=0.002, batch=100)
    stop = threading.Event()
    thread = threading.Thread(target=session.run, args=(stop,), daemon=True)
    thread.start()
    try:
        if up:
            until(lambda: session.connected, f"not connected: {session.why}")
        yield session
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as made:
        yield made


def send(broker: Broker, payloads: list[bytes], topic: str = TOPIC) -> None:
    with Publisher(broker, "device") as device:
        for p in payloads:
            device.publish(topic, p)
        device.drain()


def numbered(n: int, first: int = 0) -> list[bytes]:
    return [b"%d" % i for i in range(first, first + n)]


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_what_devices_say_arrives_in_order(broker: Mosquitto, tmp_path: Path, version: Version) -> None:
    b, taken = settings(broker.port, version=version), Taken()
    with listening(b, taken, tmp_path / "m"):
        send(b, [*numbered(3000), b"x" * 700_000])
        until(lambda: len(taken.messages) >= 3001, "messages are missing")
    assert taken.payloads == [*numbered(3000), b"x" * 700_000]
    assert {t.decode() for t, _ in taken.messages} == {TOPIC}


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_the_broker_keeps_what_was_said_while_we_were_away(broker: Mosquitto, tmp_path: Path, version: Version) -> None:
    b, taken = settings(broker.port, version=version), Taken()
    with listening(b, taken, tmp_path / "m"):
        pass
    send(b, numbered(500))
    with listening(b, taken, tmp_path / "m"):
        until(lambda: len(taken.messages) >= 500, "messages are missing")
    assert taken.payloads == numbered(500)


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_what_the_journal_has_no_room_for_is_not_acknowledged_and_comes_again(
    broker: Mosquitto, tmp_path: Path, version: Version
) -> None:
    b, taken = settings(broker.port, version=version), Taken()
    with listening(b, taken, tmp_path / "m") as session:
        send(b, numbered(50))
        until(lambda: len(taken.messages) == 50, "messages are missing")
        taken.full = True
        send(b, numbered(200, 50))
        until(lambda: "no room" in session.why, "the full journal is not said")
        assert len(taken.messages) == 50
        taken.full = False
        until(lambda: len(taken.messages) >= 250, "messages are missing")
    assert taken.payloads == numbered(250)


def test_after_the_broker_was_away_the_session_comes_back_by_itself(broker: Mosquitto, tmp_path: Path) -> None:
    b, taken = settings(broker.port), Taken()
    with listening(b, taken, tmp_path / "m") as session:
        send(b, numbered(100))
        until(lambda: len(taken.messages) == 100, "messages are missing")
        broker.kill()
        until(lambda: not session.connected, "the loss is not noticed")
        assert reachable(b) != ""
        broker.start()
        until(lambda: session.connected, "no new connection")
        send(b, numbered(100, 100))
        until(lambda: len(set(taken.payloads)) == 200, "messages are missing")
        assert session.connects == 2
    assert list(dict.fromkeys(taken.payloads)) == numbered(200)  # it may say again what it forgot that we have


def test_a_filter_that_is_no_longer_wanted_is_given_up(broker: Mosquitto, tmp_path: Path) -> None:
    taken, memory = Taken(), tmp_path / "m"
    with listening(settings(broker.port, topics=("old/#", "both/#")), taken, memory):
        pass
    with listening(settings(broker.port, topics=("new/#", "both/#")), taken, memory):
        for topic in ("old/a", "both/a", "new/a"):
            send(settings(broker.port), [topic.encode()], topic)
        until(lambda: b"new/a" in taken.payloads, "messages are missing")
    assert taken.payloads == [b"both/a", b"new/a"]


@pytest.mark.parametrize("left", [b"", b'["lifeline/v1/', b"{}"])
def test_a_memory_of_filters_that_a_kill_left_in_pieces_does_not_keep_us_away(
    broker: Mosquitto, tmp_path: Path, left: bytes
) -> None:
    (tmp_path / "m").write_bytes(left)
    with listening(settings(broker.port), Taken(), tmp_path / "m") as session:
        assert session.connected
    assert json.loads((tmp_path / "m").read_bytes()) == ["lifeline/v1/#"]


def test_members_of_a_group_share_the_work(broker: Mosquitto, tmp_path: Path) -> None:
    one, two, b = Taken(), Taken(), settings(broker.port, share="crew")
    with listening(b, one, tmp_path / "1"), listening(replace(b, client_id="second"), two, tmp_path / "2"):
        send(settings(broker.port), numbered(400))
        until(lambda: len(one.messages) + len(two.messages) >= 400, "messages are missing")
    assert sorted(one.payloads + two.payloads) == sorted(numbered(400))
    assert min(len(one.messages), len(two.messages)) > 50


ACL: Final = "user lifeline\ntopic read lifeline/#\nuser device\ntopic write lifeline/#\n"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that knows two users and what each may do."""
    maker = wanted("mosquitto_passwd")
    (tmp_path / "acl").write_text(ACL)
    (tmp_path / "acl").chmod(0o600)
    (tmp_path / "users").touch(0o600)
    for user in ("lifeline", "device"):
        subprocess.run([maker, "-b", str(tmp_path / "users"), user, f"{user}-secret"], check=True, capture_output=True)
    with Mosquitto(
        tmp_path / "broker", "allow_anonymous false", f"password_file {tmp_path}/users", f"acl_file {tmp_path}/acl"
    ) as made:
        yield made


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_user_and_password_open_the_broker(guarded: Mosquitto, tmp_path: Path, version: Version) -> None:
    taken = Taken()
    b = settings(guarded.port, version=version, username="lifeline", password=Secret("lifeline-secret"))
    with listening(b, taken, tmp_path / "m"):
        send(replace(b, username="device", password=Secret("device-secret")), numbered(10))
        until(lambda: len(taken.messages) == 10, "messages are missing")


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_wrong_password_is_said(guarded: Mosquitto, tmp_path: Path, version: Version) -> None:
    b = settings(guarded.port, version=version, username="lifeline", password=Secret("wrong"))
    with listening(b, Taken(), tmp_path / "m", up=False) as session:
        until(lambda: "refuses the session of 'receive'" in session.why, "the refusal is not said")
        assert "wrong" not in session.why
    with pytest.raises(ConnectionError, match="does not take the session"):
        send(b, [b""])


@contextmanager
def refusing() -> Iterator[int]:
    """The port of a broker that takes the session and refuses every subscription."""

    def serve() -> None:
        peer, _ = server.accept()
        with peer:
            peer.recv(1000)  # CONNECT
            peer.sendall(b"\x20\x02\x00\x00")
            packet_id = peer.recv(1000)[2:4]  # of SUBSCRIBE
            peer.sendall(b"\x90\x03" + packet_id + b"\x80")
            peer.recv(1000)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def test_a_refused_subscription_is_said(tmp_path: Path) -> None:
    with refusing() as port, listening(settings(port), Taken(), tmp_path / "m", up=False) as session:
        until(lambda: "refuses the subscription to lifeline/v1/#" in session.why, "the refusal is not said")
        assert "check its ACL" in session.why
        assert not session.connected


def openssl(*args: str, folder: Path) -> None:
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a certificate of the broker, one of ours."""
    folder = tmp_path_factory.mktemp("certificates")
    extensions = {
        "ca": "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n",
        "broker": "subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\nextendedKeyUsage=serverAuth\n",
        "ours": "authorityKeyIdentifier=keyid\nextendedKeyUsage=clientAuth\n",
    }
    for name, text in extensions.items():
        (folder / f"{name}.ext").write_text(text)
        key = ("-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        openssl("req", "-new", *key, folder=folder)
        by = ("-signkey", "ca.key") if name == "ca" else ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
        made = ("-in", f"{name}.csr", "-out", f"{name}.pem", "-days", "2", "-extfile", f"{name}.ext")
        openssl("x509", "-req", *made, *by, folder=folder)
    return folder


# paho leaves the socket of a failed handshake to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_an_encrypted_session_with_a_certificate_of_our_own(certificates: Path, tmp_path: Path, version: Version) -> None:
    c = certificates
    tls = (f"cafile {c}/ca.pem", f"certfile {c}/broker.pem", f"keyfile {c}/broker.key", "require_certificate true")
    with Mosquitto(tmp_path / "broker", *tls, "use_identity_as_username true", "allow_anonymous false") as broker:
        whole = {"ca_file": c / "ca.pem", "cert_file": c / "ours.pem", "key_file": c / "ours.key"}
        b, taken = settings(broker.port, version=version, tls=True, **whole), Taken()
        with listening(b, taken, tmp_path / "m"):
            send(b, [*numbered(2000), b"x" * 600_000])
            until(lambda: len(taken.messages) >= 2001, "messages are missing")
        assert taken.payloads == [*numbered(2000), b"x" * 600_000]
        with listening(replace(b, cert_file=None, key_file=None), taken, tmp_path / "m", up=False) as session:
            until(lambda: session.why not in {"", "not connected yet"}, "nothing is said")
            assert not session.connected
        with listening(replace(b, ca_file=None), taken, tmp_path / "m", up=False) as session:
            until(lambda: "certificate verify failed" in session.why, "an unknown authority is not refused")


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Broker]:
    """The embedded broker."""
    b = settings(free_port(), embedded=True, max_payload=1_000_000)
    with embedded(b, tmp_path / "embedded"):
        until(lambda: not reachable(b), "the embedded broker does not listen")
        yield b


def test_the_embedded_broker_serves_as_well(inside: Broker, tmp_path: Path) -> None:
    taken = Taken()
    with listening(inside, taken, tmp_path / "m"):
        send(inside, [*numbered(3000), b"x" * 900_000])
        until(lambda: len(taken.messages) >= 3001, "messages are missing")
    send(inside, numbered(2000))  # more than its log holds by default
    with listening(inside, taken, tmp_path / "m"):
        until(lambda: len(taken.messages) >= 5001, "messages are missing")
    assert taken.payloads == [*numbered(3000), b"x" * 900_000, *numbered(2000)]


def test_a_message_too_large_is_refused_before_it_is_sent(inside: Broker) -> None:
    with (
        Publisher(inside, "device") as device,
        pytest.raises(ValueError, match=r"the limit is 1000000 \(\[broker\] max_payload\)"),
    ):
        device.publish(TOPIC, b"x" * 1_000_001)


@pytest.fixture
def phone() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@contextmanager
def city(folder: Path, port: int, phone: Receiver, more_broker: str = "") -> Iterator[Stage]:
    """The three processes at work."""
    stage = Stage(folder, port, phone.url, wells=5, more_broker=more_broker)
    with Crew(stage.path, folder / "log") as crew:
        until(stage.ready, f"not ready; see {folder}/log", 60)
        yield stage
    ended = {child.name: child.process.returncode for child in crew.children if child.process is not None}
    assert ended == {"desk": -signal.SIGTERM, "watch": 0, "receive": 0}  # uvicorn passes the signal on when it has ended


def settled(stage: Stage, head: int) -> Callable[[], bool]:
    return lambda: stage.status("watch").get("checkpoint") == head


def test_poison_never_blocks_the_flow(broker: Mosquitto, phone: Receiver, tmp_path: Path) -> None:
    window = 100
    with city(tmp_path, broker.port, phone, f'version = "5"\nreceive_maximum = {window}') as stage:
        t = now() - 60 * 10**9
        poison = [b"\x00\xff" * 40, b"{", b'{"ts":1,"values":{"ch4":1}}', b""]
        good = [town.methane(0, t + i * 10**9, 0.1) for i in range(30)]
        with Publisher(stage.config.broker, "device") as device:
            for i in range(10 * window):
                device.publish(TOPIC, poison[i % 4])
            for topic, payload in good:
                device.publish(topic.decode(), payload)
            device.drain()
        until(settled(stage, 10 * window + 30), "the good messages do not get through")
        found = books(stage.data)
    assert (found["ledger"]["stored"], found["ledger"]["dead_lettered"]) == (30, 10 * window)
    assert found["readings"]["stored"] == 30
    assert sum(d["messages"] for d in found["dead"]) == 10 * window


def test_a_device_on_debians_broker_reaches_the_phone(broker: Mosquitto, phone: Receiver, tmp_path: Path) -> None:
    """The real thing from outside: `lifeline up`, mosquitto_pub as the terminal in the well, HTTP as the phone."""
    device = wanted("mosquitto_pub")
    stage = Stage(tmp_path, broker.port, phone.url, wells=5)
    command = [sys.executable, "-m", "pipeline.cli", "up", "--config", str(stage.path)]
    with (tmp_path / "up.log").open("wb") as log:
        up = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(stage.ready, f"not ready; see {tmp_path}/up.log", 60)
        t = now() // 1_000_000
        for i, percent in enumerate((0.1, 6.2, 6.4, 6.5, 6.6)):
            said = json.dumps([{"bn": "laser-3/", "n": "ch4", "u": "%VOL", "t": (t - 5000 + 1000 * i) / 1000, "v": percent}])
            topic = "lifeline/v1/town/gas/well-3/laser-3/telemetry"
            subprocess.run([device, "-p", str(broker.port), "-q", "1", "-t", topic, "-m", said], check=True, timeout=20)
        got = phone.wait(lambda g: any(x.json["lifeline"]["level"] == "RED" for x in g), 30)
    finally:
        up.terminate()
        assert up.wait(30) == 0
    body = next(x.json for x in got if x.json["lifeline"]["level"] == "RED")
    (alert,) = body["alerts"]
    assert (body["version"], body["status"], alert["status"]) == ("4", "firing", "firing")
    ours = body["lifeline"]
    assert (ours["asset"], ours["domain"], ours["hazard"], ours["city"]) == ("well-3", "gas", "gas_accumulation", "town")
    evidence = next(g for g in ours["grounds"] if g["level"] == "RED")["evidence"]
    assert evidence["unit"] == "%VOL"
    assert evidence["value"][-2:] == pytest.approx(
        ([0.1, 6.2, 6.4, 6.5, 6.6])[len(evidence["value"]) - 2 : len(evidence["value"])]
    )
    assert alert["fingerprint"] == ours["warning"]
    assert ours["texts"]["zh"]
    assert 0 < ours["latency_s"] < 30
    assert books(stage.data)["ledger"] == {"acknowledged": 5, "stored": 5, "duplicate": 0, "dead_lettered": 0, "in_flight": 0}


def test_a_session_that_the_broker_has_forgotten_is_said(broker: Mosquitto, tmp_path: Path) -> None:
    b, taken = settings(broker.port), Taken()
    with listening(b, taken, tmp_path / "m") as session:
        assert session.forgotten == 0
    with listening(replace(b, client_id="another"), taken, tmp_path / "m") as session:
        assert session.forgotten == 1


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_what_the_broker_retained_is_news_once(broker: Mosquitto, tmp_path: Path, version: Version) -> None:
    b, taken = settings(broker.port, version=version), Taken()
    with Publisher(b, "device") as device:
        device.publish(TOPIC, b"retained", retain=True)
        device.drain()
    for _ in range(3):
        with listening(b, taken, tmp_path / "m"):
            send(b, [b"live"])
            until(lambda: taken.payloads[-1:] == [b"live"], "messages are missing")
        taken.messages.append((b"", b"away"))
    assert taken.payloads == [b"retained", b"live", b"away", b"live", b"away", b"live", b"away"]


def test_a_connection_that_had_worked_is_tried_again_at_once(broker: Mosquitto, tmp_path: Path) -> None:
    b, taken = settings(broker.port), Taken()
    with listening(b, taken, tmp_path / "m") as session:
        began = time.monotonic()
        for n in range(1, 6):  # doubling for ever, five losses would take 15 s
            taken.full = True
            send(b, [b"x"])
            until(lambda: not session.connected, "the connection stays")
            taken.full = False
            until(lambda n=n: session.connects == n + 1, "no new connection")  # type: ignore[misc]
        assert time.monotonic() - began < 12
