"""Recordings: what was told is told again to the last bit, and anybody can read the file."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import detectors
from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Block, Bools, Domain, Quality
from lifeline.words import Failed, Unusable
from pipeline import recording as recordings
from pipeline.playback import judged
from pipeline.progress import paced, stoppable
from pipeline.recording import Recorder, Recording, chosen
from pipeline.replay import changes
from pipeline.simulate import run
from simulators.columns import columns, series
from simulators.plan import Site
from simulators.scenario import find, load
from simulators.stage import stage
from simulators.world import Turn

START = 1_784_073_600 * NS
HERE = Site("1", "A", 31.8, 117.2)
CATALOG = columns(
    [
        series(Domain.GAS, "well-1", "laser-1", "ch4", "methane", "%VOL", (0.0, 20.0), 60.0, HERE),
        series(Domain.WATER, "dma-1", "gauge-1", "pressure", "water_pressure", "mH2O", (0.0, 100.0), 60.0, HERE),
        *(
            series(Domain.BRIDGE, "bridge-1", f"accel-{i}", "z", "acceleration", "m/s²", (-19.6, 19.6), 0.02, HERE)
            for i in (1, 2, 3)
        ),
    ]
)


def equal(one: Sequence[Turn], two: Sequence[Turn]) -> None:
    assert [t.at for t in one] == [t.at for t in two]
    for a, b in zip(one, two, strict=True):
        for name in ("row", "t", "value", "quality"):
            np.testing.assert_array_equal(getattr(a.batch, name), getattr(b.batch, name))
        assert (a.own is None) == (b.own is None)
        if a.own is not None and b.own is not None:
            np.testing.assert_array_equal(a.own, b.own)
        assert len(a.blocks) == len(b.blocks)
        for p, q in zip(a.blocks, b.blocks, strict=True):
            assert p.step == q.step
            for name in ("row", "t", "value", "quality"):
                np.testing.assert_array_equal(getattr(p, name), getattr(q, name))


def kept(path: Path, turns: Sequence[Turn], catalog: Catalog = CATALOG) -> Recording:
    with Recorder(path, catalog, {"source": "test", "city": "a"}) as to:
        for turn in turns:
            to.add(turn)
    return Recording(path)


VALUES = st.floats(allow_nan=True, allow_infinity=True, width=64)


@st.composite
def turn(draw: st.DrawFn, at: int) -> Turn:
    n = draw(st.integers(0, 5))
    t = [at - draw(st.integers(-5, 10**12)) for _ in range(n)]
    batch = Batch(
        np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)), np.int32),
        np.array(t, np.int64),
        np.array(draw(st.lists(VALUES, min_size=n, max_size=n)), float),
        np.array(draw(st.lists(st.sampled_from(list(Quality)), min_size=n, max_size=n)), np.uint8),
    )
    own: Bools | None = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), np.bool_)
    blocks, alike = [], (0, 0)
    for _ in range(draw(st.integers(0, 3) if n else st.integers(1, 3))):
        rows = draw(st.lists(st.integers(2, 4), min_size=1, max_size=3, unique=True))
        size = draw(st.integers(2, 4))
        step = draw(st.sampled_from([20_000_000, 10_000_000]))
        if alike == (size, step):
            continue  # two neighbours that are alike may come back as one
        alike = size, step
        value = np.array(draw(st.lists(VALUES, min_size=len(rows) * size, max_size=len(rows) * size))).reshape(len(rows), size)
        blocks.append(
            Block(np.array(rows, np.int32), np.full(len(rows), at - NS), step, value, np.zeros(value.shape, np.uint8))
        )
    return Turn(at, batch, blocks, None if own is None or own.all() else own)


@st.composite
def streams(draw: st.DrawFn) -> list[Turn]:
    gaps = draw(st.lists(st.integers(1, 10**10), min_size=1, max_size=8))
    return [draw(turn(START + int(at))) for at in np.cumsum(gaps)]


@given(told=streams(), group=st.integers(1, 30))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_recorded_is_told_again_to_the_last_bit(
    told: list[Turn], group: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recordings, "GROUP", group)
        found = kept(tmp_path_factory.mktemp("r") / "a.parquet", told)
    equal(list(found.turns()), told)
    equal(list(found.turns()), told)
    assert found.span == (told[0].at, told[-1].at)


def test_its_catalog_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    catalog = kept(tmp_path / "a.parquet", []).catalog
    for field in fields(Catalog):
        np.testing.assert_array_equal(getattr(catalog, field.name), getattr(CATALOG, field.name))


def test_a_recording_of_nothing_is_empty(tmp_path: Path) -> None:
    found = kept(tmp_path / "a.parquet", [])
    assert (list(found.turns()), found.readings, found.span) == ([], 0, (0, 0))


@pytest.fixture(scope="module")
def g3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("g3") / "g3.parquet"
    said = run("G3", record=path)
    assert said["readings"] == Recording(path).readings > 10_000
    return path


def test_a_scenario_recorded_and_replayed_gives_the_changes_of_the_scenario_itself(g3: Path) -> None:
    on = stage(load(find("G3")))
    direct = list(changes(on.catalog, detectors.rules(), on.turns(), "chengjiang"))
    made = judged(Recording(g3), detectors.rules())
    assert {c.hazard for c in direct} >= {"gas_accumulation", "gas_underpressure"}
    assert [msgspec.json.encode(c) for c in made.changes] == [msgspec.json.encode(c) for c in direct]


def test_the_pace_changes_nothing_and_neither_does_a_second_telling(g3: Path) -> None:
    one, same, slow = (judged(Recording(g3), detectors.rules(), speed) for speed in (float("inf"), float("inf"), 5e3))
    for other in (same, slow):
        assert sorted(map(msgspec.json.encode, other.changes)) == sorted(map(msgspec.json.encode, one.changes))
    assert one.docket.hazards()


def test_two_recordings_of_one_seed_are_equal_byte_for_byte_and_of_another_are_not(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.parquet" for i in range(3)]
    for path, seed in zip(paths, (7, 7, 8), strict=True):
        run("G5", record=path, seed=seed)
    one, same, other = (path.read_bytes() for path in paths)
    assert one == same
    assert one != other


def test_pandas_and_duckdb_open_it(g3: Path) -> None:
    table = pd.read_parquet(g3)
    assert list(table) == ["received", "t", "key", "value", "quality", "own", "sample"]
    assert str(table["t"].dtype) == "datetime64[ns, UTC]"
    assert table["sample"].isna().all()
    asked = "SELECT key, max(value) FROM read_parquet(?) WHERE key LIKE 'laser-%' GROUP BY key ORDER BY key"
    with duckdb.connect() as duck:
        most = dict(duck.execute(asked, [str(g3)]).fetchall())
    assert list(most) == [f"laser-{i}/ch4" for i in range(1, 5)]
    assert max(most.values()) >= 0.05


def test_it_says_what_is_true_in_it(g3: Path) -> None:
    info = Recording(g3).info
    assert (info["scenario"], info["source"], info["city"]) == ("G3", "simulation", "chengjiang")
    assert {t["hazard"] for t in info["truth"]} >= {"gas_accumulation"}
    assert "[[fault]]" in info["file"]
    json.dumps(info)


def test_what_is_there_already_is_not_overwritten(g3: Path) -> None:
    before = g3.read_bytes()
    with pytest.raises(Unusable, match="is there already"):
        run("G3", record=g3)
    assert g3.read_bytes() == before


def broken_off(path: Path, why: type[BaseException]) -> None:
    """A recording that ends in the middle of things."""
    with Recorder(path, CATALOG, {"city": "a"}) as to:
        to.add(one(START))
        raise why


def one(at: int) -> Turn:
    """A reading by itself. at [ns]"""
    return Turn(at, Batch(np.zeros(1, np.int32), np.array([at]), np.zeros(1), np.zeros(1, np.uint8)), [])


@pytest.mark.parametrize("why", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_no_half_of_a_file(tmp_path: Path, why: type[BaseException]) -> None:
    with pytest.raises(why):
        broken_off(tmp_path / "a.parquet", why)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_a_whole_recording_of_what_there_was(tmp_path: Path) -> None:
    timer = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    with stoppable() as stop, Recorder(tmp_path / "a.parquet", CATALOG, {"city": "a"}) as to:
        timer.start()
        for turn in paced((one(START + i * NS) for i in range(3600)), START, 10.0, stop):
            to.add(turn)
    timer.join()
    assert signal.getsignal(signal.SIGINT) is before
    found = Recording(tmp_path / "a.parquet")
    assert 0 < found.readings < 3600
    assert [turn.at for turn in found.turns()] == [START + i * NS for i in range(found.readings)]


def test_a_second_interrupt_ends_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), stoppable() as stop:  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(5)


KILLED = """\
import sys, threading
from pathlib import Path
from tests.pipeline import test_recording as here
here.recordings.GROUP = 5
with here.Recorder(Path(sys.argv[1]), here.CATALOG, {"city": "a"}) as to:
    for i in range(60):
        to.add(here.one(here.START + i))
    print("half", flush=True)
    threading.Event().wait(60)
"""


def test_who_is_killed_leaves_no_half_file(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"half\n"
        child.kill()
    assert [p.name for p in tmp_path.iterdir()] == [".a.parquet.draft"]
    kept(path, [one(START)])  # the next attempt takes the draft's place
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recordings, "settled", full)
    with pytest.raises(Failed, match="No space left on device; nothing of it is kept"):
        kept(tmp_path / "x.parquet", [one(START)])
    assert list(tmp_path.iterdir()) == []


def test_damage_within_is_said(tmp_path: Path) -> None:
    path = kept(tmp_path / "a.parquet", [one(START + i) for i in range(3000)]).path
    data = bytearray(path.read_bytes())
    data[10:400] = bytes(390)
    path.write_bytes(data)
    with pytest.raises(Unusable, match="is damaged"):
        list(Recording(path).turns())


def test_duckdb_finds_the_samples_that_are_missing(tmp_path: Path) -> None:
    """It would deny them if the file had statistics of its values."""
    x = np.array([[1.0, np.nan, 3.0]])
    wave = Block(np.array([2], np.int32), np.array([START]), 20_000_000, x, np.zeros((1, 3), np.uint8))
    path = kept(tmp_path / "a.parquet", [Turn(START, Batch.empty(), [wave])]).path
    with duckdb.connect() as duck:
        found = duck.execute("SELECT sample, isnan(value) FROM read_parquet(?) ORDER BY sample", [str(path)]).fetchall()
    assert found == [(0, False), (1, True), (2, False)]


def test_what_arrived_at_one_instant_stays_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "GROUP", 2)
    found = kept(tmp_path / "a.parquet", [one(START), one(START), one(START), one(START + 1)])
    assert [turn.batch.n for turn in found.turns()] == [3, 1]


@pytest.mark.parametrize("content", [b"", b"PAR1 and so on", b"t,key,value\n"])
def test_what_is_no_recording_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(Unusable, match=r"x\.parquet: "):
        Recording(path)


def test_parquet_of_other_people_is_sent_to_backtest(tmp_path: Path) -> None:
    pd.DataFrame({"t": [1], "key": ["a"], "value": [1.0]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(Unusable, match="lifeline backtest"):
        Recording(tmp_path / "x.parquet")


def test_only_some_series_can_be_kept() -> None:
    wave = Block(
        np.array([2, 3], np.int32), np.full(2, START), 20_000_000, np.arange(6.0).reshape(2, 3), np.zeros((2, 3), np.uint8)
    )
    loose = Batch(np.array([0, 1], np.int32), np.full(2, START), np.arange(2.0), np.zeros(2, np.uint8))
    place = np.array([-1, 0, -1, 1, -1], np.int32)
    left = chosen(Turn(START, loose, [wave], np.array([True, False])), place)
    assert left.batch.row.tolist() == [0]
    assert left.batch.value.tolist() == [1.0]
    assert left.own is not None
    assert left.own.tolist() == [False]
    assert [b.row.tolist() for b in left.blocks] == [[1]]
    np.testing.assert_array_equal(left.blocks[0].value, [[3.0, 4.0, 5.0]])
