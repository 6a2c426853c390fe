"""A backup taken while a city is at work, put back: it goes on, its books balance, and nobody is told twice."""

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerts.tables import META, Database, audit
from bench.receiver import Receiver
from ingest.ledger import Ledger
from ingest.mqtt import Publisher
from lifeline.catalog import load as load_catalog
from lifeline.clock import now
from lifeline.config import Config, load
from lifeline.model import NS
from lifeline.words import Failed, Unusable
from pipeline import backup, desk_copy, restore
from pipeline.checkpoint import NAME, Extra
from pipeline.letters import books
from pipeline.supervise import Crew
from pipeline.watch import Watch
from store import files
from tests import town
from tests.brokers import Mosquitto, until
from tests.crash.tending import tended
from tests.postgres import Postgres
from tests.stage import Stage

WELLS = 30


class Load(threading.Thread):
    """All wells, a reading each a round; every third leaks now and then, of those that go on later also others."""

    def __init__(self, stage: Stage, start: int, first: int = 0) -> None:
        super().__init__(name="devices", daemon=True)
        self._stage, self._start, self._first = stage, start, first
        self.stopped = threading.Event()
        self.rounds = 0

    def run(self) -> None:
        with Publisher(self._stage.config.broker, f"devices-{self._first}") as devices:
            for second in count(self._first):
                for well in range(WELLS):
                    leaks = well % 3 == 0 and second >= 4 and (second + 3 * well) % 40 < 20  # some rise and fall at any time
                    leaks |= self._first > 0 and well % 3 == 1
                    value = 9.0 + 0.01 * (second % 7) if leaks else 0.05 + 0.001 * (second % 5)
                    topic, payload = town.methane(well, self._start + second * NS + well * 1_000_000, value)
                    devices.publish(topic.decode(), payload)
                self.rounds += 1
                if self.stopped.wait(0.05):
                    break
            devices.drain()

    def end(self) -> None:
        self.stopped.set()
        self.join(30)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A city that was backed up twice under load; what its phone heard."""
    folder = tmp_path_factory.mktemp("city")
    with Mosquitto(folder / "broker") as broker, Receiver() as phone:
        stage = Stage(folder, broker.port, phone.url, wells=WELLS)
        start = now() - 1800 * NS
        made: list[dict[str, Any]] = []
        with Crew(stage.path, folder / "log") as crew, tended(crew):
            until(stage.ready, "not ready", 60)
            load_ = Load(stage, start)
            load_.start()
            for wanted in (3, 6):
                until(lambda n=wanted: len(phone.got) >= n, f"{wanted} notices", 60)  # type: ignore[misc]
                made.append(backup.run(stage.config, folder / "backups"))
            until(lambda: len(phone.got) >= 8, "8 notices", 60)
            load_.end()
        yield {"stage": stage, "made": made, "start": start, "rounds": load_.rounds, "broker": broker}


@pytest.mark.network
def test_what_was_backed_up_under_load_goes_on_balances_and_tells_nobody_twice(lived: dict[str, Any], tmp_path: Path) -> None:
    saved = Path(lived["made"][1]["backup"])
    with Receiver() as phone:
        stage = Stage(tmp_path, lived["broker"].port, phone.url, wells=WELLS, more_broker='client_id = "restored"')
        told = restore.run(stage.config, saved)
        assert told["balanced"]
        assert told["offset"] <= told["head"]
        sent = {r[0] for r in rows(saved / "desk.db", "SELECT id FROM outbox WHERE state = 'sent'")}
        open_ = {r[0] for r in rows(saved / "desk.db", "SELECT id FROM warnings WHERE state != 'CLOSED'")}
        assert len(sent) >= 5
        with Crew(stage.path, tmp_path / "log") as crew, tended(crew):
            until(lambda: stage.ready() and stage.idle(), "the restored city is not ready", 60)
            assert open_ <= {w["id"] for w in stage.warnings()}
            balance = books(stage.data)["ledger"]
            assert balance["in_flight"] == 0
            assert balance["acknowledged"] == told["head"] == sum(v for k, v in balance.items() if k != "acknowledged")
            until(lambda: agreed(stage.config), "what stands at the desk is not what watch takes to stand there", 20)
            load_ = Load(stage, lived["start"], lived["rounds"])
            load_.start()
            until(lambda: load_.rounds >= 40, "the devices go on", 60)
            load_.end()
            until(stage.idle, "what came after is not stored and told", 60)
        told_of = {got.json["lifeline"]["asset"] for got in phone.got}
        assert {f"well-{i}" for i in range(1, WELLS, 3)} <= told_of, "wells that leak later are told of"
        again = {got.headers["idempotency-key"] for got in phone.got} & sent
        assert not again
        assert agreed(stage.config)


def agreed(config: Config) -> bool:
    """Whether what stands at the desk is what watch takes to stand there, at its last checkpoint."""
    ledger = Ledger(config.city.data / "ledger.db", readonly=True)
    known = msgspec.json.decode(ledger.mark(NAME).extra, type=Extra)
    ledger.close()
    here = {(c.key, c.rule, c.new) for c in known.raised}
    query = "SELECT key, rule, level FROM standings WHERE level != 'NORMAL' AND rule NOT LIKE 'pipeline.%'"
    return here == set(rows(config.city.data / "desk.db", query))


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


@pytest.mark.network
def test_a_backup_holds_no_reading_beyond_its_offset_and_every_one_before_it(lived: dict[str, Any], tmp_path: Path) -> None:
    for made in lived["made"]:
        shutil.copyfile(lived["stage"].path, tmp_path / "lifeline.toml")
        town.catalog(tmp_path, [x for x in town.lines(WELLS) if "methane" in x])
        town.rules(tmp_path)
        config = load(tmp_path / "lifeline.toml", {})
        shutil.rmtree(config.city.data, ignore_errors=True)
        restore.run(config, Path(made["backup"]))
        watch = Watch(config, load_catalog(config.city.catalog))
        while watch.turn():
            pass
        watch.flush(wait=True)
        stored = sum(len(v) for v in town.stored(watch).values())
        watch.checkpoints.close()
        assert stored == made["head"], "one reading a message, each stored once"


@pytest.mark.network
def test_files_that_an_earlier_backup_has_take_no_room_again(lived: dict[str, Any]) -> None:
    first, second = (Path(made["backup"]) for made in lived["made"])
    assert backup.made_before(first.parent) == [second, first]
    assert lived["made"][1]["linked"] == lived["made"][1]["files"], "all on one disk: links"
    assert {p.stat().st_mode & 0o777 for p in second.glob("*.db")} == {0o600}


@pytest.mark.network
def test_a_backup_is_put_back_only_where_nothing_is(lived: dict[str, Any], tmp_path: Path) -> None:
    saved, config = Path(lived["made"][0]["backup"]), lived["stage"].config
    with pytest.raises(Unusable, match="is not empty"):
        restore.run(config, saved)
    with pytest.raises(Unusable, match="is no whole backup"):
        restore.run(config, tmp_path)
    with pytest.raises(Unusable, match="lies within what is copied"):
        backup.run(config, config.city.data / "backups")
    later = tmp_path / "later"
    shutil.copytree(saved, later)
    (later / backup.MANIFEST).write_text(json.dumps({"format": backup.FORMAT + 1}))
    with pytest.raises(Unusable, match="restore with the program that made it"):
        restore.run(config, later)


@pytest.mark.network
def test_a_damaged_backup_is_refused_before_anything_is_written(lived: dict[str, Any], tmp_path: Path) -> None:
    saved, hurt = Path(lived["made"][0]["backup"]), tmp_path / "hurt"
    shutil.copytree(saved, hurt)
    with (hurt / "journal.db").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))
    town.catalog(tmp_path, town.lines(3))
    (tmp_path / "lifeline.toml").write_text('[city]\nname = "town"\ncatalog = "catalog.csv"\ndata = "data"\n')
    config = load(tmp_path / "lifeline.toml", {})
    with pytest.raises(Unusable, match="this backup is damaged"):
        restore.run(config, hurt)
    assert not config.city.data.exists()


def test_only_the_newest_backups_are_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    config = town.configured(tmp_path / "city")
    watch = Watch(config, load_catalog(config.city.catalog))
    watch.flush(wait=True)
    watch.checkpoints.close()
    made = [backup.run(config, tmp_path / "backups", keep=2)["backup"] for _ in range(3)]
    assert [str(p) for p in backup.made_before(tmp_path / "backups")] == [made[2], made[1]]
    assert {p.name for p in (tmp_path / "backups").iterdir()} == {Path(m).name for m in made[1:]}


def laid(root: Path, *names: tuple[int, int]) -> None:
    folder = files.folder(root, "gas", 495_000)
    folder.mkdir(parents=True, exist_ok=True)
    for start, stop in names:
        (folder / files.name(0, start, stop)).write_bytes(b"x")


def test_files_merged_across_the_offset_are_noticed_when_their_sources_may_be_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid(tmp_path / "lake", (0, 10), (10, 20), (0, 20))
    copy = backup.Lake(tmp_path / "lake", tmp_path / "copy")
    assert copy.gather(10)
    assert {p.name for p in copy.have} == {files.name(0, 0, 10)}
    monkeypatch.setattr(files, "age", lambda _path: backup.MARGIN + 1)
    assert not copy.gather(10)
    assert copy.gather(20)
    copy.drop(10)
    assert {p.name for p in copy.have} == {files.name(0, 0, 10)}


def test_where_the_journal_lacks_what_is_not_yet_judged_no_backup_is_made(tmp_path: Path) -> None:
    config = town.configured(tmp_path / "city")
    watch = Watch(config, load_catalog(config.city.catalog))
    watch.checkpoints.close()
    with closing(sqlite3.connect(config.city.data / "ledger.db")) as db:
        db.execute("UPDATE consumer SET next = 5")
        db.commit()
    with pytest.raises(Failed, match="do not fit together"):
        backup.run(config, tmp_path / "backups")
    assert backup.made_before(tmp_path / "backups") == []


def test_a_desk_moves_to_postgresql_and_back_with_every_row(lived: dict[str, Any], tmp_path: Path) -> None:
    source = Path(lived["made"][1]["backup"]) / "desk.db"
    with Postgres() as server:
        url = server.url()
        desk_copy.load(source, url)
        assert desk_copy.dump(url, tmp_path / "desk.db")
        assert contents(tmp_path / "desk.db") == contents(source)
        with pytest.raises(Unusable, match="give it an empty one"):
            desk_copy.load(source, url)
        desk = Database(url)
        with desk.write() as db:  # the counter goes on behind what was put in
            made = db.execute(audit.insert().values(at=1, act="x", by="y", warning=None, detail="{}")).inserted_primary_key
        desk.close()
        assert made is not None
        assert made[0] == 1 + max(r[0] for r in rows(source, "SELECT id FROM audit"))


def contents(path: Path) -> dict[str, set[tuple[Any, ...]]]:
    columns = {t.name: ", ".join(c.name for c in t.columns) for t in META.sorted_tables}
    found = {name: set(rows(path, f"SELECT {columns[name]} FROM {name}")) for name in columns}  # noqa: S608  our own tables
    assert found["warnings"]
    assert found["changes"]
    return found
