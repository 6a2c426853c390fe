"""Streams to a broker: when, dated how, what of them, and what is said when it is not there. And cuts of the journal."""

import gc
from pathlib import Path

import numpy as np
import pytest

from lifeline.config import Config
from lifeline.kinds import Secret
from lifeline.model import NS, Batch, Block, Quality
from lifeline.words import Failed, Unusable
from pipeline import delivery, playback, record
from pipeline.delivery import Line, broker, later, spoken
from pipeline.receive import Receive
from pipeline.recording import Recording
from simulators.world import Turn
from tests import town
from tests.brokers import Mosquitto, free_port
from tests.town import START

ASAP = float("inf")


def test_nothing_that_is_published_lies_in_the_future() -> None:
    first, last, now = 1000 * NS, 4600 * NS, 100_000 * NS
    for speed in (0.5, 1.0, 3.0, 60.0, ASAP):
        shift = later(first, last, speed, now)
        assert shift % NS == 0
        for t in (first, (first + last) // 2, last):
            assert t + shift <= now + (t - first) / speed  # when it is sent
        assert last + shift > now - NS  # and it is no older than need be


def test_what_no_message_has_words_for_is_not_said() -> None:
    value, quality = np.array([1.0, np.nan, 3.0, 4.0]), np.array([0, 0, Quality.MAINT, Quality.CLOCK], np.uint8)
    batch = Batch(np.arange(4, dtype=np.int32), np.zeros(4, np.int64), value, quality)
    wave = np.array([[1.0, np.nan], [np.nan, np.nan], [1.0, 2.0]])
    codes = np.zeros((3, 2), np.uint8)
    codes[2] = Quality.CAL
    block = Block(np.arange(3, dtype=np.int32), np.zeros(3, np.int64), NS, wave, codes)
    said = spoken(Turn(0, batch, [block]))
    assert said.batch.row.tolist() == [0, 3]
    assert [b.row.tolist() for b in said.blocks] == [[0]]


@pytest.mark.parametrize("url", ["http://x", "mqtt://", "localhost:1883", "mqtt://x:99999", "mqtt://x/topic", "mqtt://x?a=b"])
def test_a_url_that_names_no_broker_is_refused(url: str) -> None:
    with pytest.raises(Unusable, match="write mqtt://"):
        broker(url)


def test_an_authority_needs_tls_and_a_file(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="there is no such file"):
        broker("mqtts://x", tmp_path / "ca.pem")
    with pytest.raises(Unusable, match="nothing would be encrypted") as why:
        broker("mqtt://me:secret@x", Path(__file__))
    assert "secret" not in str(why.value)


def test_a_password_may_come_from_the_environment() -> None:
    b = broker("mqtts://me@h", None, {"MQTT_PASSWORD": "hush"})
    assert (b.host, b.port, b.tls, b.username, b.password) == ("h", 8883, True, "me", Secret("hush"))
    assert broker("mqtt://me:p%40ss@h:7", None, {"MQTT_PASSWORD": "hush"}).password == Secret("p@ss")
    assert broker("mqtt://h", None, {"MQTT_PASSWORD": "hush"}).password == Secret("")


def test_a_password_may_come_from_a_file_that_the_environment_names(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("hush\n")
    said = {"MQTT_PASSWORD_FILE": str(tmp_path / "word")}
    assert broker("mqtts://me@h", None, said).password == Secret("hush")
    assert broker("mqtts://me@h", None, {**said, "MQTT_PASSWORD": "sooner"}).password == Secret("sooner")
    assert broker("mqtts://h", None, said).password == Secret("")
    with pytest.raises(Unusable, match="MQTT_PASSWORD_FILE"):
        broker("mqtts://me@h", None, {"MQTT_PASSWORD_FILE": str(tmp_path / "none")})


@pytest.mark.network
def test_a_broker_that_is_not_there_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "passwords").write_text("")
    locked = Mosquitto(tmp_path / "b", "allow_anonymous false", f"password_file {tmp_path}/passwords")
    with locked as at:
        tried = {
            f"mqtt://127.0.0.1:{free_port()}": "nobody listens there; start the broker",
            "mqtt://nowhere.invalid": "no such host",
            f"mqtt://127.0.0.1:{at.port}": "without a user; write mqtt://USER@HOST",
            f"mqtt://me:x@127.0.0.1:{at.port}": "as user 'me'",
        }
        for url, why in tried.items():
            with pytest.raises(Failed, match=why), Line(broker(url), "test"):
                pass


@pytest.mark.network
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_without_tls_is_said(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "b") as at,
        pytest.raises(Failed, match="TLS"),
        Line(broker(f"mqtts://127.0.0.1:{at.port}"), "test"),
    ):
        pass
    gc.collect()  # paho leaves the socket of a handshake that failed to the collector


@pytest.mark.network
def test_a_broker_that_does_not_come_back_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PATIENCE", 1.0)
    monkeypatch.setattr(delivery, "AGAIN", 0.1)

    def talk(at: Mosquitto) -> None:
        with Line(broker(f"mqtt://127.0.0.1:{at.port}"), "test") as line:
            line.send("a", b"1")
            at.kill()
            for _ in range(100_000):
                line.send("a", b"1")

    with Mosquitto(tmp_path / "b") as at, pytest.raises(Failed, match="nobody listens there"):
        talk(at)


def test_who_publishes_does_not_judge(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="judged by those who listen"):
        playback.run(
            tmp_path / "x", speed=None, publish="mqtt://x", rules=None, out=tmp_path, shift=True, city="", ca=None
        )  # fmt: skip


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A minute of the town in a journal, one message a minute undated, one junk."""
    config = town.configured(tmp_path_factory.mktemp("system"))
    receive = Receive(config)
    for s, said in enumerate(town.life(3, 60)):
        more = [(b"lifeline/v1/town/gas/well-0/laser-0/telemetry", b'{"ch4": 0.5}')] if s == 30 else []
        more += [(b"lifeline/v1/town/gas/well-0/laser-0/telemetry", b"junk")] if s == 31 else []
        receive.writer.append([part for message in [*said, *more] for part in message], START + s * NS + NS // 2)
    receive.writer.close()
    return config


def test_the_journal_is_cut_by_receipt(system: Config, tmp_path: Path) -> None:
    said = record.run(system, START + 20 * NS, START + 40 * NS, tmp_path / "x.parquet", [], "auto")
    found = Recording(tmp_path / "x.parquet")
    assert [turn.at for turn in found.turns()] == [START + s * NS + NS // 2 for s in range(20, 40)]
    assert (said["source"], said["refused"], said["whole"], said["readings"]) == ("journal", 1, True, found.readings)
    assert any(turn.blocks for turn in found.turns())


def test_a_reading_dated_by_receipt_keeps_the_mark_of_it(system: Config, tmp_path: Path) -> None:
    """Else it would move the clock of the data when it is replayed, which it did not do live."""
    record.run(system, START + 30 * NS, START + 31 * NS, tmp_path / "x.parquet", ["gas"], "journal")
    (turn,) = Recording(tmp_path / "x.parquet").turns()
    assert turn.own is not None
    assert turn.batch.t[~turn.own].tolist() == [turn.at]


def test_what_is_left_out_of_a_recording_is_not_silent_in_it(system: Config, tmp_path: Path) -> None:
    said = record.run(system, START, START + 60 * NS, tmp_path / "x.parquet", ["bridge-*", "laser-1/*"], "journal")
    found = Recording(tmp_path / "x.parquet")
    assert said["series"] == found.catalog.n == 1 + town.DECKS
    assert found.catalog.key.tolist() == ["laser-1/ch4", *(f"deck-{i}/z" for i in range(town.DECKS))]
    told = {found.catalog.key[row] for turn in found.turns() for row in turn.batch.row}
    assert told == {"laser-1/ch4"}


def test_where_there_is_nothing_no_file_is_made(system: Config, tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"holds nothing .* it holds what was received from "):
        record.run(system, START + 100 * NS, START + 200 * NS, tmp_path / "x.parquet", [], "journal")
    with pytest.raises(Failed, match="the lake holds nothing"):
        record.run(system, START, START + 60 * NS, tmp_path / "x.parquet", [], "lake")
    assert list(tmp_path.iterdir()) == []
