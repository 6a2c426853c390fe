"""The lake's upkeep beside the checkpoints."""

import threading
from functools import partial
from pathlib import Path

import numpy as np

from ingest.ledger import DeadLetter, Ledger, Mark
from lifeline.clock import now
from lifeline.config import Lake as Settings
from lifeline.model import NS, Batch
from pipeline.letters import forget
from pipeline.upkeep import Upkeep
from store.lake import Lake
from tests import town

HOUR = 3600 * NS


def lake(folder: Path) -> Lake:
    return Lake(folder / "lake", town.catalog(folder, [x for x in town.lines() if "methane" in x]))


def reading(t: int) -> Batch:
    return Batch(np.zeros(1, np.int32), np.array([t]), np.array([0.01]), np.zeros(1, np.uint8))


def test_committed_files_are_merged_and_hours_past_their_retention_go(tmp_path: Path) -> None:
    kept, t = lake(tmp_path), now() // HOUR * HOUR
    kept.write(reading(t - 50 * HOUR), 0, 1)
    for i in range(1, 40):
        kept.write(reading(t - 10 * HOUR + i * NS), i, i + 1)
    upkeep = Upkeep(kept, Settings(retention=24 * 3600.0), lambda: 30)
    upkeep.turn(t)
    assert len(kept.files("gas")) < 15
    read = kept.scan(np.zeros(1, np.int32), t - 60 * HOUR, t)
    assert read.t.tolist() == [t - 10 * HOUR + i * NS for i in range(1, 40)]


def test_it_goes_on_after_a_failure_and_ends_when_told(tmp_path: Path) -> None:
    kept, tries, enough = lake(tmp_path), [0], threading.Event()

    def committed() -> int:
        tries[0] += 1
        if tries[0] == 2:
            enough.set()
        raise OSError("no disk")

    upkeep = Upkeep(kept, Settings(compact=0.01), committed)
    upkeep.start()
    assert enough.wait(10)
    upkeep.close()
    before = tries[0]
    assert not upkeep._thread.is_alive()
    assert tries[0] == before


def test_no_failure_whatever_ends_it(tmp_path: Path) -> None:
    kept, tries, enough = lake(tmp_path), [0], threading.Event()

    def committed() -> int:
        tries[0] += 1
        if tries[0] == 3:
            enough.set()
        raise ZeroDivisionError

    upkeep = Upkeep(kept, Settings(compact=0.01), committed)
    upkeep.start()
    assert enough.wait(10)
    upkeep.close()


def test_dead_letters_past_their_retention_are_forgotten_once_an_hour(tmp_path: Path) -> None:
    ledger, t = Ledger(tmp_path / "ledger.db"), now()

    def bury(numbers: range) -> None:
        ledger.commit("watch", Mark(9, 1, {}), [DeadLetter(i, t - i * HOUR, 1, "odd", "", b"t", b"p") for i in numbers])

    bury(range(3000))
    upkeep = Upkeep(lake(tmp_path), Settings(), lambda: 0, partial(forget, tmp_path, 24 * 3600.0))
    upkeep.turn(t)
    assert [x.number for x in ledger.dead()] == list(range(25))
    bury(range(30, 40))
    upkeep.turn(t + HOUR // 2)
    assert len(ledger.dead()) == 35
    upkeep.turn(t + HOUR)
    assert len(ledger.dead()) == 24
