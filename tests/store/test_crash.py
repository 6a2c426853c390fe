"""A writer killed at random instants beside a reader that never stops asking."""

import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lifeline.catalog import Catalog
from lifeline.model import NS, Batch
from store.files import parsed
from store.lake import Lake
from store.read import READINGS, batch

START, N, KILLS, GRACE = 1_790_000_000 * NS, 24, 20, 0.5
ROWS = np.arange(N, dtype=np.int32)


def of(offset: int) -> Batch:
    """The readings of one journal offset: each series once, a minute after the offset before, or late."""
    minute = offset - 60 * (offset % 7 == 6)
    t = np.full(N, START + minute * 60 * NS + offset, np.int64)
    return Batch(ROWS, t, np.full(N, float(offset)), np.zeros(N, np.uint8))


def serve(root: Path, catalog: Catalog) -> None:
    """As the pipeline does: roll back, then checkpoint after checkpoint, committing each; merge after every third."""
    lake = Lake(root, catalog, grace=GRACE)
    database = sqlite3.connect(root / "offsets.db", isolation_level=None)
    database.execute("PRAGMA synchronous = FULL")
    (done,) = database.execute("SELECT stop FROM done").fetchone()
    lake.rollback(done)
    for i in itertools.count():
        stop = done + 1 + i % 5
        lake.write(Batch.joined([of(k) for k in range(done, stop)]), done, stop)
        database.execute("UPDATE done SET stop = ?", (stop,))
        done = stop
        if i % 3 == 2:
            lake.compact(done, closed=START + (done - 90) * 60 * NS, fan=3)


def writers(root: Path, catalog: Catalog) -> None:
    """One writer for each line read, one after another: forked, so that each begins at once."""
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            serve(root, catalog)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)
        sys.stdout.write("gone\n")
        sys.stdout.flush()


def committed(root: Path) -> int:
    with sqlite3.connect(f"file:{root}/offsets.db?mode=ro", uri=True) as database:
        (done,) = database.execute("SELECT stop FROM done").fetchone()
    database.close()
    return int(done)


def checked(lake: Lake) -> int:
    """Every committed reading is there, none twice, none wrong; how many offsets were committed."""
    done = committed(lake.root)
    found = Batch.joined([batch(part) for part in lake._answers(READINGS, ROWS, 0, 2**62)])
    seen = found.take(np.lexsort((found.row, found.value)))
    times, rows = np.unique(seen.value, return_counts=True)
    assert (rows == N).all(), f"a reading twice, or a checkpoint in part, at {times[rows != N]}"
    np.testing.assert_array_equal(times[:done], np.arange(done))
    np.testing.assert_array_equal(seen.t, np.concatenate([of(int(k)).t for k in times] or [seen.t]))
    return done


def read_on(root: Path, catalog: Catalog, ended: threading.Event) -> set[int]:
    """Ask until told to stop, or until an answer is wrong; the numbers of offsets that were committed at the time."""
    lake, asked = Lake(root, catalog, grace=GRACE), set()
    while not ended.wait(0.01):
        asked.add(checked(lake))
    return asked


def killed_at_random(root: Path, going: Callable[[], bool]) -> None:
    """Each writer is killed somewhere between a commit of its own and the next few."""
    rng = random.Random(5)
    command = [sys.executable, __file__, str(root)]
    tree = str(Path(__file__).parents[2])
    env = os.environ | {"PYTHONPATH": tree}  # this tree's store, whatever is installed
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree, env=env) as nest:
        assert nest.stdin
        assert nest.stdout
        for _ in range(KILLS):
            aim = committed(root) + rng.randrange(1, 40)
            nest.stdin.write("another\n")
            nest.stdin.flush()
            child = int(nest.stdout.readline())
            try:
                within(60, lambda aim=aim: committed(root) >= aim or not going())  # type: ignore[misc]
                time.sleep(rng.uniform(0, 0.02))
            finally:
                os.kill(child, signal.SIGKILL)
            assert nest.stdout.readline() == "gone\n"
        nest.stdin.close()


def within(seconds: float, done: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, f"nothing came of it in {seconds} s"
        time.sleep(0.002)


@pytest.mark.crash
def test_no_kill_loses_a_committed_reading_or_doubles_one_and_no_reader_notices(
    tmp_path: Path, city: Callable[[], Catalog]
) -> None:
    with sqlite3.connect(tmp_path / "offsets.db") as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE done AS SELECT 0 AS stop")
    database.close()
    catalog = one_domain(city())
    ended = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read_on, tmp_path, catalog, ended)
        try:
            killed_at_random(tmp_path, lambda: not reader.done())
        finally:
            ended.set()
        assert len(reader.result()) > KILLS  # it saw the lake in many states
    lake = Lake(tmp_path, catalog, grace=GRACE)
    lake.rollback(committed(tmp_path))
    assert checked(lake) >= KILLS
    assert everything_once(lake)
    assert any(f.stop - f.start > 5 for path in lake.files("gas") if (f := parsed(path))), "nothing was merged meanwhile"


def everything_once(lake: Lake) -> bool:
    found = lake.scan(ROWS, 0, 2**62)
    return found.n == N * committed(lake.root)


def one_domain(catalog: Catalog) -> Catalog:
    """All series in one domain, so that what a reader sees of a checkpoint is all or nothing but for the turn of an hour."""
    catalog.domain[:] = "gas"
    return catalog


if __name__ == "__main__":
    from tests.store.conftest import catalog as small_city

    writers(Path(sys.argv[1]), one_domain(small_city()))
