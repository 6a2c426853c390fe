"""kill -9 of every process at random instants under load: nothing that was acknowledged is lost, nobody is told twice anew.

What mosquitto confirmed to a device just before it was killed, it may have forgotten: it writes its queue after it confirms.
So the device does as devices with a memory of their own do: after the broker was lost it says again what has not reached the
journal, in the old order, before it goes on. What this promises is from the journal on.
"""

import logging
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from bench.receiver import Receiver
from ingest.journal import Entry, Reader
from ingest.mqtt import Publisher
from lifeline.clock import now
from lifeline.model import NS, Level
from pipeline.letters import books
from pipeline.supervise import Crew
from pipeline.watch import Watch
from tests import town
from tests.brokers import Mosquitto, until
from tests.crash.tending import tended
from tests.stage import Stage
from tests.town import Said

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.crash, pytest.mark.network, pytest.mark.timeout(400)]

WELLS, RATE = 150, 300  # [1], [1/s] messages
SEED = 20261123
KILLS = 20  # of each process
BROKER = 20  # of the broker
PAUSE = (0.3, 1.0)  # [s] between kills
AT_WORK = 0.8  # [1] of the kills meet a process at its work, the others whatever it is at, mostly its start
QUIET = 5.0  # [s] of load after the last kill


def level(well: int, second: int) -> float:
    """[%VOL] Every third well leaks for a while, some for good, at their own time and strength."""
    if well % 3:
        return 0.05
    onset = 5 + well % 37
    leaking = onset <= second % 90 < onset + (20 if well % 2 else 70)
    return (0.8, 2.0, 4.0, 9.0)[well // 3 % 4] + 0.01 * (second % 7) if leaking else 0.05


class Devices(threading.Thread):
    """All wells, one reading each a round; every round is a second of their own time, which began long ago."""

    def __init__(self, stage: Stage, start: int) -> None:
        super().__init__(name="devices", daemon=True)
        self._stage, self._start = stage, start
        self.said: list[Said] = []
        self.repeated = 0  # that the broker had confirmed and forgotten, or never confirmed
        self.stopped = threading.Event()
        self.broken: BaseException | None = None

    def run(self) -> None:
        try:
            rest, lost = iter(self._sayings()), True
            while lost or not self.stopped.is_set():  # nobody stops with a broker lost and nothing said again
                try:
                    with Publisher(self._stage.config.broker, "devices") as devices:
                        self._catch_up(devices)
                        lost = False
                        self._go_on(devices, rest)
                except (OSError, TimeoutError):
                    lost = True
                    time.sleep(0.05)
        except BaseException as why:
            self.broken = why
            raise

    def _sayings(self) -> Iterator[Said]:
        second = 0
        while True:
            for well in range(WELLS):
                yield town.methane(well, self._start + second * NS + well * 1_000_000, level(well, second))
            second += 1

    def _catch_up(self, devices: Publisher) -> None:
        """Say again what has not arrived."""
        if not self.said:
            return
        until(lambda: self._stage.status("receive").get("connected"), "receive is not connected again", 60)
        self._settle()
        there = Counter(arrived(self._stage.data))
        missing = [m for m in self.said if m not in there]
        self.repeated += len(missing)
        for topic, payload in missing:
            devices.publish(topic.decode(), payload)
        devices.drain()

    def _settle(self) -> None:
        """Wait until the broker has handed over what it still knew."""
        head = -1
        while head != (head := len(arrived(self._stage.data))):
            time.sleep(0.5)

    def _go_on(self, devices: Publisher, rest: Iterator[Said]) -> None:
        due = time.monotonic()
        while not self.stopped.is_set():
            due = max(due + 1 / RATE, time.monotonic() - 0.2)
            time.sleep(max(0.0, due - time.monotonic()))
            said = next(rest)
            self.said.append(said)
            devices.publish(said[0].decode(), said[1])
        devices.drain()


def journal(data: Path) -> list[Entry]:
    reader, out = Reader(data / "journal.db"), list[Entry]()
    while more := reader.read(out[-1].end if out else 0, 500):
        out += more
    reader.close()
    return out


def arrived(data: Path) -> list[Said]:
    return [m for e in journal(data) for m in zip(e.topics, e.payloads, strict=True)]


class Killed:
    """What is left after the killing: the stage, what was published, what the phone got."""

    def __init__(self, folder: Path) -> None:
        rng = random.Random(SEED)
        order = ["receive", "watch", "desk"] * KILLS + ["broker"] * BROKER
        rng.shuffle(order)
        self.kills: Counter[str] = Counter()
        self.at_work: Counter[str] = Counter()  # kills of a process that had finished starting
        with Mosquitto(folder / "broker") as broker, Receiver() as phone:
            self.stage = Stage(folder, broker.port, phone.url, wells=WELLS)
            with Crew(self.stage.path, folder / "log") as crew, tended(crew):
                until(self.stage.ready, "the city is not ready", 60)
                devices = Devices(self.stage, now() - 3000 * NS)
                devices.start()
                for name in order:
                    time.sleep(rng.uniform(*PAUSE))
                    if name != "broker" and rng.random() < AT_WORK:
                        until(partial(self._answers, name), f"{name} does not answer", 60)
                        self.at_work[name] += 1
                    self._kill(name, crew, broker)
                time.sleep(QUIET)
                devices.stopped.set()
                devices.join(90)
                assert devices.broken is None
                assert not devices.is_alive()
                until(self.stage.idle, "the city does not come to rest", 60)
            self.said, self.repeated = devices.said, devices.repeated
            whole = [got for got in phone.got if len(got.body) == int(got.headers["content-length"])]  # not cut off by a kill
            self.pushed = [(got.headers["idempotency-key"], got.json["lifeline"]) for got in whole]
        self.told = (
            f"seed {SEED}: killed {dict(self.kills)}, at work {dict(self.at_work)}; "
            f"{len(self.said)} messages, {self.repeated} said again"
        )
        log.info(self.told)

    def _answers(self, name: str) -> bool:
        return self.stage.answer(name, "/-/healthy")[0] == 200

    def _kill(self, name: str, crew: Crew, broker: Mosquitto) -> None:
        if name == "broker":
            broker.kill()
            broker.start()
        else:
            until(lambda: (p := crew.child(name).process) is not None and p.poll() is None, f"{name} does not start")
            process = crew.child(name).process
            assert process is not None
            process.kill()
        self.kills[name] += 1


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    return Killed(tmp_path_factory.mktemp("killed"))


@pytest.fixture(scope="module")
def same_journal(killed: Killed, tmp_path_factory: pytest.TempPathFactory) -> Watch:
    """An undisturbed watch over the very journal that the killed ones left."""
    return undisturbed(tmp_path_factory.mktemp("same"), journal(killed.stage.data))


@pytest.fixture(scope="module")
def same_readings(killed: Killed, tmp_path_factory: pytest.TempPathFactory) -> Watch:
    """An undisturbed run over what the devices said, as if every message had come once and in order."""
    said, at = killed.said, now()
    parts = [said[i : i + 100] for i in range(0, len(said), 100)]
    entries = [Entry(100 * i, at, [t for t, _ in p], [x for _, x in p]) for i, p in enumerate(parts)]
    return undisturbed(tmp_path_factory.mktemp("clean"), entries)


def undisturbed(folder: Path, entries: list[Entry]) -> Watch:
    town.catalog(folder, [x for x in town.lines(WELLS) if "methane" in x])
    watch = town.watched(folder)
    watch.judge(entries)
    watch.flush(wait=True)
    return watch


OWN = ("desk.", "pipeline.")  # rules of the desk itself: of what comes and goes, of a watch that was killed


def desk(killed: Killed, query: str) -> list[tuple[str, ...]]:
    with sqlite3.connect(killed.stage.data / "desk.db") as db:
        return db.execute(query).fetchall()


def test_each_was_killed_as_often_as_it_should(killed: Killed) -> None:
    assert killed.kills == {"receive": KILLS, "watch": KILLS, "desk": KILLS, "broker": BROKER}
    assert min(killed.at_work[name] for name in ("receive", "watch", "desk")) > KILLS // 2
    assert len(killed.said) > 2000


def test_the_ledger_adds_up(killed: Killed) -> None:
    ledger = books(killed.stage.data)["ledger"]
    assert ledger["acknowledged"] == ledger["stored"] + ledger["duplicate"]
    assert (ledger["dead_lettered"], ledger["in_flight"]) == (0, 0)
    assert ledger["stored"] == len(killed.said)


def test_every_reading_is_in_the_lake_exactly_once(killed: Killed) -> None:
    watch = Watch(killed.stage.config)
    kept = town.stored(watch)
    said = {(t.decode().split("/")[5] + "/ch4", msgspec.json.decode(p)["ts"] * 1_000_000) for t, p in killed.said}
    found = [(key, t) for key, readings in kept.items() for t, _, _ in readings]
    assert len(found) == len(set(found))
    assert set(found) == said
    assert lines_in(killed.stage.data / "lake") == len(said)  # also by the files themselves, not only by the question


def lines_in(lake: Path) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(p).num_rows for p in lake.rglob("*.parquet"))


def test_the_desk_heard_each_change_that_an_undisturbed_watch_finds_in_the_same_journal(
    killed: Killed, same_journal: Watch
) -> None:
    said = [msgspec.json.decode(body) for (body,) in desk(killed, "SELECT body FROM changes")]
    assert {c["id"] for c in said if not c["rule"].startswith(OWN)} == {c.id for c in same_journal.courier.unsent()}
    assert same_journal.checkpoints.mark.counts == Watch(killed.stage.config).checkpoints.mark.counts


def test_the_levels_are_those_of_an_undisturbed_run(killed: Killed, same_readings: Watch) -> None:
    wanted: dict[tuple[str, str], str] = {}
    for c in same_readings.courier.unsent():
        wanted[c.key, c.rule] = c.new
    stand = desk(killed, "SELECT key, rule, level FROM standings")
    found = {(key, rule): stands for key, rule, stands in stand if not rule.startswith(OWN)}
    assert {k: v for k, v in found.items() if v != "NORMAL"} == {k: v for k, v in wanted.items() if v != "NORMAL"}
    assert {c.new for c in same_readings.courier.unsent()} == {level.name for level in Level}  # there was something to lose


def test_the_phone_rang_for_every_warning_and_repetitions_bear_the_same_id(killed: Killed) -> None:
    raised = {w for (w,) in desk(killed, "SELECT id FROM warnings WHERE kind = 'hazard'")}
    assert len(raised) > 10
    assert {body["warning"] for _, body in killed.pushed} == raised
    ended = {key: state for key, state in desk(killed, "SELECT id, state FROM outbox WHERE channel = 'phone'")}  # noqa: C416
    assert set(ended.values()) <= {
        "sent",
        "superseded",
    }  # a worse version took the place of one that no attempt had brought across
    rang = {key for key, _ in killed.pushed}
    assert {notice for notice, state in ended.items() if state == "sent"} <= rang <= ended.keys()
    by_id: dict[str, set[bytes]] = {}
    for key, body in killed.pushed:
        body.pop("latency_s")  # of each attempt
        by_id.setdefault(key, set()).add(msgspec.json.encode(body))
    assert {key: len(bodies) for key, bodies in by_id.items()} == dict.fromkeys(by_id, 1)
    versions = [(body["warning"], body["version"]) for body in map(msgspec.json.decode, (b for s in by_id.values() for b in s))]
    assert len(versions) == len(set(versions))  # no level of a warning is told under two names
