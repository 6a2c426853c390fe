"""From the broker to InfluxDB, with kill -9 of the mirror, of InfluxDB and of watch at random instants: nothing is missing."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.receiver import Receiver
from ingest.mqtt import Publisher
from lifeline.clock import now
from lifeline.config import load
from lifeline.model import NS, Batch
from pipeline.mirror.patient import target
from pipeline.mirror.prepare import prepared
from pipeline.supervise import Crew
from pipeline.watch import Watch
from store.influx_read import Reader, readings
from tests import town
from tests.brokers import Mosquitto, free_port, until
from tests.crash.tending import tended
from tests.influxes import Influx
from tests.stage import Stage

pytestmark = [pytest.mark.crash, pytest.mark.network, pytest.mark.timeout(240)]

WELLS, ROUNDS, SEED = 30, 60, 20261130
KILLS = ["mirror"] * 5 + ["influxd"] * 4 + ["watch"] * 2


def level(well: int, second: int) -> float:
    """[%VOL] Every third well leaks for a while."""
    leaking = well % 3 == 0 and 10 + well <= second < 40 + well
    return (0.8, 2.0, 4.0)[well // 3 % 3] + 0.01 * (second % 7) if leaking else 0.05 + 0.001 * (second % 5)


class Mirrored(Stage):
    """A city with a mirror."""

    def __init__(self, folder: Path, broker: int, phone: str, influx: str) -> None:
        super().__init__(folder, broker, phone, wells=WELLS)
        text = self.path.read_text().replace("[health]", f"[health]\nmirror_port = {free_port()}")
        self.path.write_text(f'{text}\n[influx]\nurl = "{influx}"\npoll = "100ms"\nbatch = 50\nretention = "0s"\n')
        self.config = load(self.path, {})
        self.reader = Reader(target(self.config.influx))

    def mirror(self) -> dict[str, Any]:
        import json
        import urllib.request

        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.config.health.mirror_port}/-/status", timeout=5) as got:
                return dict(json.loads(got.read()))
        except (OSError, ValueError):
            return {}

    def mirrored(self) -> bool:
        """Everything committed is mirrored."""
        said = self.mirror()
        return (
            bool(said)
            and said["offset"] == self.status("watch").get("checkpoint")
            and not said["waiting"] + said["lines_waiting"]
        )

    def ask(self, question: str) -> list[dict[str, Any]]:
        return self.reader.ask(question)


class Killed:
    """What is left after the killing."""

    def __init__(self, folder: Path) -> None:
        rng = random.Random(SEED)
        order = rng.sample(KILLS, len(KILLS))
        with Mosquitto(folder / "broker") as broker, Receiver() as phone, Influx() as influx:
            self.stage = Mirrored(folder, broker.port, phone.url, influx.url)
            list(prepared(self.stage.config.influx, dry_run=False))
            with Crew(self.stage.path, folder / "log", mirrored=True) as crew, tended(crew):
                until(lambda: self.stage.ready() and self.stage.mirror(), "the city is not ready", 90)
                start = now() - 3000 * NS
                with Publisher(self.stage.config.broker, "devices") as devices:
                    for second in range(ROUNDS):
                        for well in range(WELLS):
                            topic, payload = town.methane(well, start + second * NS + well * 1_000_000, level(well, second))
                            devices.publish(topic.decode(), payload)
                        if second % 5 == 4 and order:
                            self._kill(order.pop(), crew, influx, rng)
                    devices.drain()
                until(lambda: self.stage.idle() and self.stage.mirrored(), "the city does not come to rest", 90)
                self.warnings = self.stage.warnings()
                until(lambda: self.ids() >= {w["id"] for w in self.warnings}, "the last warnings do not come", 60)
                until(lambda: self.figures() >= {"desk", "mirror", "receive", "watch"}, "figures do not come", 60)
                self.status = self.stage.mirror()
            self.check()

    def _kill(self, name: str, crew: Crew, influx: Influx, rng: random.Random) -> None:
        time.sleep(rng.uniform(0.05, 0.4))
        if name == "influxd":
            influx.kill()
            time.sleep(rng.uniform(0.0, 0.5))
            influx.start()
            return
        running: Callable[[], bool] = lambda: (p := crew.child(name).process) is not None and p.poll() is None  # noqa: E731
        until(running, f"{name} does not start")
        process = crew.child(name).process
        assert process is not None
        process.kill()

    def ids(self) -> set[str]:
        """Of the warnings that are there: the mirror looks for them at the desk every two seconds."""
        return {v[1] for s in self.stage.ask('SELECT "id" FROM "warning"') for v in s["values"]}

    def figures(self) -> set[str]:
        """The processes whose figures are there."""
        found = self.stage.ask('SELECT last("value") FROM /lifeline_.*/ GROUP BY "process"')
        return {s["tags"]["process"] for s in found}

    def check(self) -> None:
        """While the server still runs."""
        catalog = self.stage.catalog
        rows = np.arange(catalog.n, dtype=np.int32)
        self.found: Batch = readings(self.stage.reader, catalog, rows, 0, 2**62)
        self.levels = self.stage.ask('SELECT last("level") FROM "level" GROUP BY "asset", "hazard"')
        self.told = self.stage.ask('SELECT "id", "state" FROM "warning" GROUP BY "asset"')
        self.assets = self.stage.ask('SELECT last("level") FROM "asset" GROUP BY "asset"')
        self.stage.reader.close()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    return Killed(tmp_path_factory.mktemp("mirrored"))


def test_every_stored_reading_is_in_influxdb_to_the_last_bit(killed: Killed) -> None:
    lake = Watch(killed.stage.config).lake
    wanted = lake.scan(np.arange(lake.catalog.n, dtype=np.int32), 0, 2**62)
    assert wanted.n == WELLS * ROUNDS
    for column in ("row", "t", "value", "quality"):
        np.testing.assert_array_equal(getattr(killed.found, column), getattr(wanted, column), err_msg=column)


def test_every_warning_of_the_desk_and_its_level_are_there(killed: Killed) -> None:
    mine = [w for w in killed.warnings if w["asset"].startswith("well-")]
    assert len(mine) >= WELLS // 3
    assert {v[1] for s in killed.told for v in s["values"]} >= {w["id"] for w in mine}
    last = {(s["tags"]["asset"], s["tags"]["hazard"]): s["values"][0][1] for s in killed.levels}
    assert {(w["asset"], w["hazard"]): w["level"] for w in mine if w["hazard"] == "gas_accumulation"}.items() <= last.items()


def test_every_asset_has_a_level_on_the_map(killed: Killed) -> None:
    stands = {s["tags"]["asset"]: s["values"][0][1] for s in killed.assets}
    assert set(stands) == set(killed.stage.catalog.asset.tolist())


def test_the_books_of_the_mirror_balance(killed: Killed) -> None:
    counts = killed.status["counts"]
    assert counts["taken"] == sum(
        counts.get(k, 0) for k in ("written", "condensed", "dead", "expired", "unknown", "unwritable")
    )
    assert counts["dead"] == 0
    assert counts["written"] >= WELLS * ROUNDS
