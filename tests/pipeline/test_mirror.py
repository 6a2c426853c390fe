"""The mirror beside a watch: what is committed comes to a real InfluxDB, whatever fails in between."""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lifeline.clock import now
from lifeline.config import Config, Influx
from lifeline.model import JUDGED, NS
from pipeline.mirror.book import Book
from pipeline.mirror.compare import check
from pipeline.mirror.means import means
from pipeline.mirror.patient import target
from pipeline.mirror.prepare import prepared
from pipeline.mirror.process import Mirror
from pipeline.mirror.tell import dead, refill, stat
from pipeline.watch import Watch
from store.features import waves
from store.influx import Target, Writer
from store.influx_read import Reader, readings
from tests import town
from tests.influxes import Given, Victoria, server
from tests.influxes import Influx as Server

pytestmark = pytest.mark.network
SECONDS = 24
Names = Iterator[int]


@pytest.fixture(scope="module")
def influx() -> Iterator[Server | Given]:
    with server() as made:
        yield made


class Stage:
    """A town whose watch has judged some of its life, and a mirror of it."""

    def __init__(self, folder: Path, server: Server | Given | Victoria, **more: Any) -> None:
        self.database = f"town{now()}"
        settings = {"url": server.url, "token": server.token, "database": self.database, "retention": 0.0, "minutes": 0.0}
        self.influx = Influx(**{**settings, "hours": 0.0, **more})
        self.config: Config = replace(town.configured(folder), influx=self.influx)
        self.watch = Watch(self.config)
        self.entries = town.entries(town.life(1, SECONDS), 1)
        self.judged = 0
        self.target: Target = target(self.influx)
        self.reader = Reader(self.target)

    def init(self) -> list[str]:
        return list(prepared(self.influx, dry_run=False))

    def judge(self, upto: int) -> None:
        """Watch judges so many entries in all, and commits them."""
        self.watch.judge(self.entries[self.judged : upto])
        self.judged = upto
        self.watch.flush(wait=True)

    def mirror(self) -> Mirror:
        return Mirror(self.config, self.watch.catalog)

    def followed(self, mirror: Mirror) -> Mirror:
        while mirror.turn():
            pass
        return mirror

    def wanted(self) -> Any:
        """What the lake holds of series that are no waveforms."""
        rows = np.flatnonzero(~waves(self.watch.catalog)).astype(np.int32)
        return self.watch.lake.scan(rows, 0, 2**62)

    def found(self) -> Any:
        rows = np.flatnonzero(~waves(self.watch.catalog)).astype(np.int32)
        return readings(self.reader, self.watch.catalog, rows, 0, 2**62)

    def check(self) -> None:
        """Everything stored is mirrored, to the last bit."""
        wanted, found = self.wanted(), self.found()
        assert wanted.n > 50
        for column in ("row", "t", "value", "quality"):
            np.testing.assert_array_equal(getattr(found, column), getattr(wanted, column), err_msg=column)


@pytest.fixture
def stage(tmp_path: Path, influx: Server | Given) -> Iterator[Stage]:
    made = Stage(tmp_path, influx)
    made.init()
    yield made
    for suffix in ("", "_1m", "_1h"):
        made.reader.ask(f'DROP DATABASE "{made.database}{suffix}"', change=True)
    made.reader.close()


def test_every_committed_reading_is_in_influxdb_and_nothing_that_is_not(stage: Stage) -> None:
    mirror, n = stage.mirror(), len(stage.entries)
    assert not mirror.turn()
    for upto in range(n // 5, n + 1, n // 5):
        stage.judge(upto)
        stage.watch.judge(stage.entries[upto : upto + 2])  # judged, not committed
        stage.judged = min(n, upto + 2)
        stage.followed(mirror)
        assert mirror.state.place.next == stage.watch.checkpoints.mark.next
        stage.check()
    counts = mirror.state.counts
    assert counts["taken"] == sum(counts[k] for k in ("written", "condensed", "dead", "expired", "unknown", "unwritable"))
    assert counts["written"] == stage.wanted().n
    assert mirror.lag() == 0
    assert mirror.reasons() == []
    check_waves(stage)


def check_waves(stage: Stage) -> None:
    """Every second of a waveform is there with the features of its samples that are fit to be judged."""
    rows = np.flatnonzero(waves(stage.watch.catalog)).astype(np.int32)
    lake = stage.watch.lake.scan(rows, 0, 2**62)
    for row in rows.tolist():
        mine = lake.take(lake.row == row)
        key, quantity = stage.watch.catalog.key[row], stage.watch.catalog.quantity[row]
        (s,) = stage.reader.ask(f'SELECT "min", "max", "mean", "rms", "crest" FROM "{quantity}" WHERE "key" = \'{key}\'')  # noqa: S608
        told = {t: rest for t, *rest in s["values"]}
        assert sorted(told) == np.unique(mine.t // NS * NS).tolist()
        for t, (low, high, mean, rms, crest) in told.items():
            x = mine.value[(mine.t // NS * NS == t) & np.isin(mine.quality, JUDGED)]
            np.testing.assert_allclose(
                [low, high, mean, rms, crest],
                [x.min(), x.max(), x.mean(), np.sqrt((x**2).mean()), np.abs(x).max() / np.sqrt((x**2).mean())],
                rtol=1e-9,
            )


def test_a_mirror_that_is_killed_anywhere_goes_on_and_misses_nothing(stage: Stage) -> None:
    class Killed(Exception):
        pass

    stage.influx = replace(stage.influx, batch=40)
    stage.config = replace(stage.config, influx=stage.influx)
    stage.judge(len(stage.entries) // 2)
    stage.judge(len(stage.entries))
    for after in (1, 2, 4, 7, 12, 10**9):
        mirror, left = stage.mirror(), [after]

        def post(text: bytes, bucket: str = "", _post: Any = mirror._sink._writer.post, _left: list[int] = left) -> Any:
            _left[0] -= 1
            if _left[0] < 0:
                raise Killed
            return _post(text, bucket)

        mirror._sink._writer.post = post  # type: ignore[method-assign]
        try:
            stage.followed(mirror)
        except Killed:
            mirror.book.close()
        else:
            break
    stage.check()
    assert mirror.state.place.next == stage.watch.checkpoints.mark.next


def test_a_lake_that_was_there_before_is_filled_in_and_does_not_lag(stage: Stage) -> None:
    stage.judge(len(stage.entries))
    stage.watch.lake.compact(stage.watch.checkpoints.mark.next, closed=2**62)
    mirror = stage.mirror()
    mirror._look()
    assert mirror._filling()
    assert (mirror.lag(), mirror.reasons()) == (0.0, [])
    assert mirror.status()["waiting"] > 0
    stage.followed(mirror)
    stage.check()
    assert not mirror._filling()


def test_after_watch_was_put_back_all_is_written_again(stage: Stage) -> None:
    """As after a restore of everything but the mirror's own book: numbers of messages mean others than before."""
    stage.judge(len(stage.entries) // 2)
    mirror = stage.followed(stage.mirror())
    mirror.state.place = mirror.state.place._replace(next=10**9)
    mirror.book.commit(mirror.state)
    stage.judge(len(stage.entries))
    stage.followed(mirror)
    assert mirror.state.place.next == stage.watch.checkpoints.mark.next
    stage.check()


def test_lag_counts_from_when_the_oldest_unwritten_checkpoint_was_seen(stage: Stage) -> None:
    mirror = stage.mirror()
    stage.followed(mirror)
    stage.judge(20)
    mirror._look()
    book = Book(stage.config.city.data / "mirror.db")
    book._db.execute("UPDATE seen SET t = t - ?", (100 * NS,))
    assert mirror.lag() == pytest.approx(100, abs=30)
    assert any("behind" in why for why in mirror.reasons())
    stage.followed(mirror)
    assert (mirror.lag(), mirror.reasons()) == (0.0, [])


def test_refused_lines_are_dead_letters_with_the_servers_words_and_the_books_balance(stage: Stage) -> None:
    tags = {"city": "town", "key": "laser-3/ch4"}
    said = ",".join(f"{k}={v}" for k, v in tags.items())
    stage.judge(len(stage.entries))
    assert (
        Writer(stage.target).post(f"methane,{said} value=1i {town.START}\n".encode()).code == 204
    )  # a whole number stands there already
    mirror = stage.followed(stage.mirror())
    counts = mirror.state.counts
    assert counts["dead"] > 0
    assert counts["taken"] == sum(counts[k] for k in ("written", "condensed", "dead", "expired", "unknown", "unwritable"))
    book = Book(stage.config.city.data / "mirror.db", readonly=True)
    found = book.dead(10**6)
    assert len(found) == counts["dead"]
    assert all(d.line.startswith(b"methane,") and "field type conflict" in d.words for _, d in found)
    assert "field type conflict" in dead(stage.config, 5, as_json=False)
    assert f'"dead": {counts["dead"]}' in stat(stage.config, as_json=True)
    assert 'fate="dead"' in page(mirror)


def page(mirror: Mirror) -> str:
    from prometheus_client import generate_latest

    mirror.status()
    return generate_latest(mirror.metrics.registry).decode()


def test_a_lost_influxdb_is_filled_again(stage: Stage) -> None:
    stage.judge(len(stage.entries))
    mirror = stage.followed(stage.mirror())
    assert check(stage.config, 0, 2**62, as_json=False)[1] == 0
    b = stage.wanted()
    key, quantity, t = stage.watch.catalog.key[b.row[5]], stage.watch.catalog.quantity[b.row[5]], int(b.t[5])
    stage.reader.ask(f'DELETE FROM "{quantity}" WHERE "key" = \'{key}\' AND time = {t}', change=True)  # noqa: S608
    said, code = check(stage.config, 0, 2**62, as_json=True)
    assert (code, json.loads(said)["missing"], json.loads(said)["stored"]) == (1, 1, b.n)
    assert json.loads(said)["first_missing"][0].startswith(f"{key} ")
    stage.reader.ask(f'DROP DATABASE "{stage.database}"', change=True)
    stage.init()
    refill(stage.config)
    stage.followed(mirror)
    stage.check()


def test_readings_older_than_influxdb_keeps_are_not_sent_to_it(tmp_path: Path, influx: Server | Given) -> None:
    stage = Stage(tmp_path, influx, retention=3600.0)
    stage.init()
    stage.judge(len(stage.entries))
    mirror = stage.followed(stage.mirror())
    assert mirror.state.counts["expired"] == mirror.state.counts["taken"]
    assert mirror._sink.tally.requests == {}
    assert stage.found().n == 0


@pytest.mark.parametrize("by", ["mirror", "auto"])
def test_means_are_those_of_the_readings_that_are_fit_to_be_judged(tmp_path: Path, influx: Server | Given, by: str) -> None:
    """Long past: no query of the server's looks back so far."""
    stage = Stage(tmp_path, influx, tiers=by)
    stage.init()
    for upto in (len(stage.entries) // 3, len(stage.entries)):
        stage.judge(upto)
        mirror = stage.followed(stage.mirror())
        mirror._means()
        mirror.book.close()
    b = stage.wanted()
    for suffix, step in (("_1m", 60 * NS), ("_1h", 3600 * NS)):
        row, t, columns = means(b, step)
        wanted = {
            (stage.watch.catalog.key[r], s): values
            for r, s, *values in zip(row.tolist(), t.tolist(), *(c.tolist() for c in columns.values()), strict=True)
        }
        found = {
            (s["tags"]["key"], v[0]): v[1:]
            for s in stage.reader.ask('SELECT "mean", "min", "max", "count" FROM /.*/ GROUP BY "key"', stage.database + suffix)
            for v in s["values"]
        }
        assert found.keys() == wanted.keys()
        for at, values in wanted.items():
            np.testing.assert_allclose(found[at], values, rtol=1e-12)


def test_victoria_metrics_has_readings_features_and_means(tmp_path: Path) -> None:
    with Victoria() as victoria:
        stage = Stage(tmp_path, victoria)
        assert list(prepared(stage.influx, dry_run=False))[1:] == ["means of minutes and hours are made by the mirror"]
        stage.judge(len(stage.entries))
        mirror = stage.followed(stage.mirror())
        mirror._means()
        assert mirror.reasons() == []
        assert mirror.state.counts["written"] == stage.wanted().n
        exported(victoria.url, "/internal/force_flush")
        values = [series(x) for x in exported(victoria.url, "/api/v1/export?match[]=methane_value")]
        b = stage.wanted()
        mine = b.take((stage.watch.catalog.quantity[b.row] == "methane") & np.isfinite(b.value))
        assert sum(len(x["values"]) for x in values) == mine.n
        row, _, columns = means(mine, 60 * NS)
        found = [series(x) for x in exported(victoria.url, "/api/v1/export?match[]=methane_count")]
        minutes = [x for x in found if x["metric"]["db"] == f"{stage.database}_1m"]
        assert sum(len(x["values"]) for x in minutes) == row.size
        assert sum(sum(x["values"]) for x in minutes) == columns["count"].sum()
        assert {x["metric"]["db"] for x in found} == {f"{stage.database}_1m", f"{stage.database}_1h"}


def exported(url: str, path: str) -> list[bytes]:
    with urllib.request.urlopen(url + path) as got:  # noqa: S310  our own server
        return list(got.read().splitlines())


def series(line: bytes) -> Any:
    return json.loads(line)
