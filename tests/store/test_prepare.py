"""What `lifeline store init` makes: on a real InfluxDB 1.6, and on a double of 2."""

import itertools
import re
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from lifeline.config import Influx
from lifeline.model import NS
from lifeline.words import Failed, Unusable
from pipeline.cli import app
from pipeline.mirror.patient import target
from pipeline.mirror.prepare import prepared, tiers
from store.influx import NO_PAGE, Writer
from store.influx_read import Reader
from store.kinds import Kind, kind, obstacle
from store.prepare import continuous, flux
from tests.influx_double import TOKEN, Double
from tests.influxes import Influx as Server
from tests.influxes import Victoria

pytestmark = pytest.mark.network
DAY = 86_400.0
COUNT = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as made:
        yield made


@pytest.fixture
def real(server: Server) -> Influx:
    return Influx(server.url, database=f"city {next(COUNT)}", retention=30 * DAY, minutes=365 * DAY, hours=0.0)


@pytest.fixture
def double() -> Iterator[Double]:
    with Double() as made:
        yield made


def second(double: Double, **more: float | str) -> Influx:
    return Influx(**{"url": double.url, "token": TOKEN, "retention": 30 * DAY, **more})  # type: ignore[arg-type]


def done(influx: Influx, *, dry_run: bool = False) -> list[str]:
    """What was said of each thing: there, made, to be made."""
    return [said.rpartition(": ")[2] for said in list(prepared(influx, dry_run=dry_run))[1:-1]]


def test_each_server_is_known_by_what_it_says_of_itself(server: Server, double: Double) -> None:
    assert kind(target(Influx(server.url))) == Kind("InfluxDB", "1.6.7~rc0", tasks=True, buckets=True)
    assert kind(target(Influx(double.url))) == Kind("InfluxDB", "2.7.6", tasks=True, buckets=True)
    assert kind(target(Influx("http://127.0.0.1:9"))) is None
    with Victoria() as victoria:
        assert kind(target(Influx(victoria.url))) == Kind("VictoriaMetrics", "", tasks=False, buckets=False)
        assert done(Influx(victoria.url)) == []
        with pytest.raises(Unusable, match="mirror"):
            list(prepared(Influx(victoria.url, tiers="server"), dry_run=False))


def test_a_server_too_old_to_be_written_to_is_named_before_anything_is_made(server: Server) -> None:
    bare = Influx(f"http://127.0.0.1:{server.port}")
    assert kind(target(bare)) == Kind("InfluxDB", "1.6.7~rc0", tasks=True, buckets=True)
    with pytest.raises(Unusable, match=r"from 1\.8 on.*docs/influx\.md"):
        list(prepared(bare, dry_run=True))
    assert NO_PAGE in Writer(target(bare)).post(b"x value=1").words
    assert obstacle(target(Influx(server.url))) == obstacle(target(Influx("http://127.0.0.1:9"))) == ""


def test_databases_keep_what_they_shall_and_a_second_time_there_is_nothing_to_do(real: Influx) -> None:
    assert set(done(real, dry_run=True)) == {"to be made"}
    assert set(done(real)) == {"made"}
    assert set(done(real)) == {"there"}
    reader = Reader(target(real))
    kept = {
        suffix: reader.ask(f'SHOW RETENTION POLICIES ON "{real.database}{suffix}"')[0]["values"]
        for suffix in ("", "_1m", "_1h")
    }
    assert {k: (v[0][0], v[0][1], v[0][4]) for k, v in kept.items()} == {
        "": ("autogen", "720h0m0s", True), "_1m": ("autogen", "8760h0m0s", True), "_1h": ("autogen", "0s", True),
    }  # fmt: skip
    reader.close()


def test_another_retention_is_taken_over_and_nothing_else(real: Influx) -> None:
    done(real)
    less = Influx(real.url, database=real.database, retention=3600.0, minutes=real.minutes, hours=real.hours)
    assert sorted(done(less)) == ["made", *["there"] * 7]


def test_a_query_of_an_older_text_is_replaced(real: Influx) -> None:
    done(real)
    reader, name = Reader(target(real)), f"{real.database}_1m"
    reader.ask(f'DROP CONTINUOUS QUERY "{name}_means_1" ON "{real.database}"', change=True)
    reader.ask(continuous(real.database, f"{name}_means_0", tiers(real)[1]), change=True)
    assert sorted(done(real)) == ["made", "made", *["there"] * 7]
    held = {s["name"]: {v[0] for v in s.get("values", [])} for s in reader.ask("SHOW CONTINUOUS QUERIES")}
    assert held[real.database] == {f"{name}_means_1", f"{real.database}_1h_means_1"}
    reader.close()


def test_the_servers_query_makes_means_of_the_readings_that_are_fit_to_be_judged(real: Influx) -> None:
    done(real)
    t = 1_795_420_800 * NS
    lines = [
        f"methane,key=k value={v},quality={q}i {t + s * NS}\n"
        for s, v, q in ((0, 1.0, 0), (20, 3.0, 5), (40, 99.0, 2), (60, 7.0, 9))
    ]
    lines += [f"methane,key=k quality=0i {t + 30 * NS}\n", f"lifeline_watch_lag_seconds,process=watch value=1 {t}\n"]
    where = target(Influx(real.url, database=real.database, retention=0.0))
    list(prepared(Influx(real.url, database=real.database, retention=0.0, minutes=0.0, hours=0.0), dry_run=False))
    assert Writer(where).post("".join(lines).encode()).code == 204
    found = re.search("BEGIN (.*) END", continuous(real.database, "x", tiers(real)[1]))
    assert found
    reader = Reader(where)
    fit = re.search("WHERE (.*) GROUP", found[1])
    assert fit
    reader.ask(found[1].replace(fit[1], f"({fit[1]}) AND time >= {t} AND time < {t + 120 * NS}"), change=True)
    (made,) = reader.ask('SELECT "mean", "min", "max", "count" FROM /.*/ GROUP BY *', f"{real.database}_1m")
    reader.close()
    assert (made["name"], made["tags"]) == ("methane", {"key": "k"})
    assert made["values"] == [[t, 2, 1, 3, 2], [t + 60 * NS, 7, 7, 7, 1]]


def test_of_influxdb_2_buckets_mappings_and_tasks_are_made_once(double: Double) -> None:
    influx = second(double, tiers="server")
    assert set(done(influx, dry_run=True)) == {"to be made"}
    assert double.held.buckets == {}
    assert set(done(influx)) == {"made"}
    assert set(done(influx)) == {"there"}
    kept = {name: [r["everySeconds"] for r in b["retentionRules"]] for name, b in double.held.buckets.items()}
    assert kept == {"lifeline": [30 * 86_400], "lifeline_1m": [365 * 86_400], "lifeline_1h": [3650 * 86_400]}
    ids = {b["id"]: name for name, b in double.held.buckets.items()}
    assert {(d["database"], ids[d["bucketID"]], d["default"]) for d in double.held.dbrps} == {(n, n, True) for n in kept}
    assert {t["name"] for t in double.held.tasks} == {"lifeline_1m_means", "lifeline_1h_means"}


def test_of_influxdb_2_what_differs_is_changed_in_place(double: Double) -> None:
    done(second(double, tiers="server"))
    double.held.tasks[0]["flux"] += "// changed by somebody"
    less = second(double, tiers="server", retention=7 * DAY)
    assert sorted(done(less)) == ["made", "made", *["there"] * 6]
    assert double.held.buckets["lifeline"]["retentionRules"][0]["everySeconds"] == 7 * 86_400
    assert set(done(less)) == {"there"}
    done(second(double, retention=0.0))
    assert double.held.buckets["lifeline"]["retentionRules"] == []


def test_without_tiers_only_the_readings_have_a_place(double: Double) -> None:
    done(second(double, tiers="none"))
    assert (list(double.held.buckets), double.held.tasks) == (["lifeline"], [])
    done(second(double, tiers="auto"))  # its tasks have not been tried on a real one
    assert (len(double.held.buckets), double.held.tasks) == (3, [])


def test_what_is_wrong_is_said_in_the_servers_words(double: Double) -> None:
    with pytest.raises(Failed, match="unauthorized"):
        list(prepared(second(double, token="x"), dry_run=False))  # noqa: S106
    with pytest.raises(Failed, match="no organization 'elsewhere'"):
        list(prepared(second(double, org="elsewhere"), dry_run=False))
    with pytest.raises(Failed, match="nobody answers"):
        list(prepared(Influx("http://127.0.0.1:9"), dry_run=False))


def test_the_task_looks_at_whole_slots_and_at_readings_that_are_fit_alone() -> None:
    text = flux("lifeline", tiers(Influx())[2])
    assert "start = date.truncate(t: -3h, unit: 1h)" in text
    assert "(r.quality == 0 or r.quality == 5 or r.quality == 9)" in text
    assert text.count("|> aggregateWindow(every: 1h") == 4


def test_the_commands_say_what_is_missing(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "lifeline.toml").write_text('[city]\nname = "x"\ncatalog = "c.csv"\n')
    got = CliRunner().invoke(app, ["store", "init", "--config", str(folder / "lifeline.toml")], env={"INFLUX_URL": ""})
    assert isinstance(got.exception, Unusable)
    assert "there is no mirror" in str(got.exception)
