"""What a live city was warned of, a recording of it gives again: mosquitto, the three processes, the commands of engineers."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

import detectors
from bench.receiver import Receiver
from lifeline.model import Block, Change
from pipeline.playback import judged
from pipeline.recording import Recording
from tests.brokers import Mosquitto, until
from tests.stage import Stage

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.network, pytest.mark.timeout(240)]
SPEED = 60

SCENARIO = """\
id = "live"
zh = "现场"
en = "a struck main, while messages are lost, doubled and late"
start = "2026-03-10T09:00:00+08:00"
duration = "8m"

[world.gas]
regulators = 4
slow = "10s"
fast = "10s"
every = "5s"

[[fault]]
kind = "gas.strike"
at = "2m"

[[sensor]]
kind = "dropout"
series = "laser-2/ch4"
at = "3m"
lasts = "2m"

[[transport]]
kind = "duplicate"
device = "rtu-*"
share = "20 %"
"""


class Lived(NamedTuple):
    """What is left of a city that has lived."""

    folder: Path
    told: dict[str, Any]  # what the command said that published it
    changes: list[Change]  # that reached the desk


def lifeline(*args: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *args, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("lived")
    (folder / "live.toml").write_text(SCENARIO, "utf-8")
    with Receiver() as phone, Mosquitto(folder / "broker") as broker:
        stage = Stage(folder, broker.port, phone.url, wells=1)
        lifeline(
            "simulate",
            str(folder / "live.toml"),
            "--record",
            str(folder / "made.parquet"),
            "--catalog",
            str(folder / "catalog.csv"),
        )
        settings = stage.path.read_text("utf-8").replace('rules = "rules"\n', "")
        stage.path.write_text(settings, "utf-8")
        with (folder / "up.log").open("wb") as log:
            up = subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli", "up", "--config", str(stage.path)], cwd=ROOT, stdout=log, stderr=log
            )
        try:
            until(stage.ready, f"not ready; see {folder}/up.log", 60)
            url = f"mqtt://127.0.0.1:{broker.port}"
            told = lifeline("simulate", str(folder / "live.toml"), "--publish", url, "--speed", str(SPEED), "--city", "town")
            until(stage.idle, "not idle", 60)
        finally:
            up.terminate()
            assert up.wait(30) == 0
        with closing(sqlite3.connect(stage.data / "desk.db")) as desk:
            bodies = [msgspec.json.decode(body, type=Change) for (body,) in desk.execute("SELECT body FROM changes")]
        yield Lived(folder, told, bodies)


def facts(changes: Sequence[Change]) -> set[tuple[object, ...]]:
    """What was said of whom, and when."""
    return {(c.t, c.asset, c.key, c.rule, c.old, c.new, c.score) for c in changes}


def test_it_was_warned_of_in_earnest(lived: Lived) -> None:
    said = {(c.hazard, c.new) for c in lived.changes}
    assert ("gas_accumulation", "RED") in said
    assert any(hazard == "silence" for hazard, _ in said)


def test_what_was_live_is_replayed_with_the_live_levels(lived: Lived) -> None:
    path = lived.folder / "journal.parquet"
    cut = lifeline(
        "record", str(path), "--from", "-10m", "--source", "journal", "--config", str(lived.folder / "lifeline.toml")
    )
    assert (cut["source"], cut["refused"]) == ("journal", 0)
    assert cut["readings"] >= lived.told["readings"]
    made = judged(Recording(path), detectors.rules())
    assert facts(made.changes) == facts(lived.changes)


def test_the_lake_too_holds_every_reading_that_was_sent(lived: Lived) -> None:
    path = lived.folder / "lake.parquet"
    cut = lifeline("record", str(path), "--from", "-30m", "--source", "lake", "--config", str(lived.folder / "lifeline.toml"))
    made, kept = (_all(Recording(p)) for p in (lived.folder / "made.parquet", path))
    assert cut["readings"] == len(kept) == len(made)
    shift = round(lived.told["shift_s"] * 1e9)
    assert {(key, t + shift) for key, t in made} == set(kept)


@pytest.mark.parametrize("source", ["journal", "lake"])
def test_a_warning_is_explained_by_its_own_readings(lived: Lived, source: str) -> None:
    red = next(c for c in lived.changes if c.hazard == "gas_accumulation" and c.new == "RED")
    png = lived.folder / f"{source}.png"
    said = lifeline(
        "explain", f"{red.asset}/gas_accumulation", "--source", source, "--png", str(png),
        "--config", str(lived.folder / "lifeline.toml"),
    )  # fmt: skip
    assert said["warning"]["peak"] == "RED"
    assert said["same"] is True, said["differences"]
    assert [s["level"] for s in said["replay"]["steps"]] == [s["level"] for s in said["steps"]]
    assert said["replay"]["source"] == source
    assert png.stat().st_size > 10_000


def test_a_ticket_of_silence_is_explained_too(lived: Lived) -> None:
    silent = next(c for c in lived.changes if c.hazard == "silence")
    said = lifeline("explain", f"{silent.asset}/silence", "--config", str(lived.folder / "lifeline.toml"))
    assert said["same"] is True, said["differences"]


def test_a_series_of_the_recording_can_be_had_by_itself(lived: Lived) -> None:
    path = lived.folder / "one.parquet"
    lifeline(
        "record", str(path), "--from", "-10m", "--only", "laser-1/*", "--only", "regulator-2",
        "--config", str(lived.folder / "lifeline.toml"),
    )  # fmt: skip
    found = Recording(path)
    keys = {str(found.catalog.key[i]) for turn in found.turns() for i in turn.batch.row}
    assert keys == {"laser-1/ch4", "rtu-2/inlet", "rtu-2/outlet", "rtu-2/flow", "logger-2/outlet"}


def test_a_recording_is_published_as_its_devices_sent_it(lived: Lived) -> None:
    with Mosquitto(lived.folder / "again") as broker:
        said = lifeline("replay", str(lived.folder / "made.parquet"), "--publish", f"mqtt://127.0.0.1:{broker.port}", "--asap")
    assert (said["messages"], said["readings"]) == (lived.told["messages"], lived.told["readings"])


def _all(r: Recording) -> list[tuple[str, int]]:
    parts = [p for turn in r.turns() for p in (turn.batch, *(b.flat() for b in turn.blocks if isinstance(b, Block)))]
    keys = np.concatenate([r.catalog.key[p.row] for p in parts]).tolist()
    return sorted(set(zip(keys, np.concatenate([p.t for p in parts]).tolist(), strict=True)))
