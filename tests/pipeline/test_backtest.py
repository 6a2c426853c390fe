"""A plant that nobody here has seen, judged with nothing but a catalog of keys, quantities and units."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import duckdb
import msgspec
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import detectors
from lifeline.model import NS, Batch, Block, Domain, Floats, Ints, Kind, Members, Quality
from lifeline.units import UNITS
from lifeline.words import Unusable
from pipeline import backtest, spelling, stranger
from pipeline.cli import app, main
from pipeline.feed import feeds
from pipeline.replay import Replay
from pipeline.tables import Table
from simulators.world import Turn
from tests.panel import Apart, ApartState, rule

START = pd.Timestamp("2026-07-15T00:00:00Z")
AT = pd.date_range(START, periods=1500, freq="60s", unit="ns")
LEAK = 1200  # [1] reading at which the methane rises
CATALOG = "key,quantity,unit\nwell-1/ch4,methane,%LEL\nmill/shake,vibration_of_a_mill,mm/s\n"


def plant() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    methane = np.abs(rng.normal(1.0, 0.1, AT.size))
    methane[LEAK:] = 60.0 + rng.normal(0.0, 0.5, AT.size - LEAK)
    return pd.DataFrame({"time": AT, "well-1/ch4": methane, "mill/shake": rng.normal(4.0, 0.3, AT.size)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plant().to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "catalog.csv").write_text(CATALOG, encoding="utf-8")
    return tmp_path


def told(folder: Path, *more: str, data: str = "data.csv", out: str = "out") -> dict[str, Any]:
    """What the command says as JSON."""
    words = ["backtest", str(folder / data), "--catalog", str(folder / "catalog.csv"), "--out", str(folder / out)]
    result = CliRunner().invoke(app, [*words, "--json", *more], catch_exceptions=False)
    assert result.exit_code == 0
    made: dict[str, Any] = json.loads(result.stdout)
    return made


def changes(folder: Path, out: str = "out") -> pd.DataFrame:
    return pd.read_parquet(folder / out / "changes.parquet")


def test_the_files_have_the_columns_and_types_that_are_promised(folder: Path) -> None:
    said = told(folder, "--scores")
    frames = {name: pd.read_parquet(folder / "out" / f"{name}.parquet") for name in ("changes", "warnings", "scores")}
    assert list(frames["changes"]) == ["t", "asset", "key", "rule", "hazard", "old", "new", "score"]
    assert list(frames["warnings"]) == ["id", "asset", "hazard", "level", "onset", "raised", "cleared"]
    assert list(frames["scores"]) == ["t", "key", "rule", "score"]
    for frame, times in (("changes", ["t"]), ("warnings", ["onset", "raised", "cleared"]), ("scores", ["t"])):
        assert {str(frames[frame][name].dtype) for name in times} == {"datetime64[ns, UTC]"}
    rows = duckdb.read_parquet(str(folder / "out" / "warnings.parquet")).project("hazard, level").fetchall()
    assert rows == list(zip(frames["warnings"]["hazard"], frames["warnings"]["level"], strict=True))
    scores = duckdb.read_parquet(str(folder / "out" / "scores.parquet"))
    assert said["scores"] == len(frames["scores"]) == scores.shape[0]
    assert said["changes"] == len(frames["changes"])


def test_the_leak_is_warned_of_when_it_comes_and_nothing_else_is(folder: Path) -> None:
    said = told(folder)
    found = pd.read_parquet(folder / "out" / "warnings.parquet")
    assert found["hazard"].tolist() == ["gas_accumulation"]
    assert found["asset"].tolist() == ["well-1"]
    assert AT[LEAK] <= found["raised"][0] <= AT[LEAK + 3]
    assert found["cleared"].isna().all()
    assert said["readings"] == 2 * AT.size
    assert said["rules"]["other/vibration_of_a_mill"] == [
        "any.other.level",
        "any.other.tail",
        "(any.other.shift)",
        "(any.other.drift)",
        "any.other.limit",
    ]


def test_wide_and_long_csv_and_parquet_give_the_same_changes(folder: Path) -> None:
    told(folder)
    frame = plant()
    frame.set_index("time").to_parquet(folder / "wide.parquet")
    long = frame.melt(id_vars="time", var_name="key", value_name="value").sample(frac=1.0, random_state=1)
    long.to_csv(folder / "long.csv", index=False)
    for data in ("wide.parquet", "long.csv"):
        told(folder, data=data, out=data + ".out")
        pd.testing.assert_frame_equal(changes(folder), changes(folder, data + ".out"))


def test_a_training_part_teaches_and_is_not_warned_of(folder: Path) -> None:
    frame = plant()
    frame.loc[100:200, "well-1/ch4"] = 60.0
    frame.loc[LEAK:, "mill/shake"] += 6.0
    frame.to_csv(folder / "data.csv", index=False)
    told(folder, "--train-until", str(AT[1000]))
    found = changes(folder)
    assert found["t"].min() >= AT[1000]
    assert (found.groupby(["key", "rule"])["old"].first() == "NORMAL").all()
    jump = found[(found["key"] == "mill/shake") & (found["hazard"] == "anomaly")]
    assert AT[LEAK] <= jump["t"].min() <= AT[LEAK + 10]  # what is usual was learned before


def test_a_leak_that_lasts_since_the_training_part_is_told_after_it(folder: Path) -> None:
    told(folder, "--train-until", str(AT[LEAK + 50]))
    found = changes(folder)
    assert found["t"].min() >= AT[LEAK + 50]
    assert (found["hazard"] == "gas_accumulation").any()


@pytest.mark.parametrize("until", ["2020-01-01", "2030-01-01"])
def test_a_training_part_beyond_the_data_is_said(until: str, folder: Path) -> None:
    assert any("--train-until" in note for note in told(folder, "--train-until", until)["notes"])


def test_what_is_missing_is_said_with_what_was_likely_meant(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "catalog.csv").write_text(CATALOG + "mill/shakes,temprature,degC\nnone/x,strange,furlong\n", encoding="utf-8")
    plant().rename(columns={"mill/shake": "mill/shake1"}).to_csv(folder / "data.csv", index=False)
    said = told(folder)
    assert said["absent"] == ["mill/shake", "mill/shakes", "none/x"]
    assert said["ignored"] == ["mill/shake1"]
    assert "quantity 'temprature' has no rules of its own; did you mean 'temperature'?" in said["notes"]
    assert "unit 'degC' is taken as '°C'" in said["notes"]
    assert "unit 'furlong' is not in the table of units: values are taken as they are" in said["notes"]
    capsys.readouterr()
    backtest.run(folder / "data.csv", folder / "catalog.csv", None, "", folder / "out", scores=False, as_json=False)
    assert "is 'mill/shake1' in the data meant for 'mill/shake'?" in capsys.readouterr().out


def test_odd_series_are_judged_as_far_as_they_can_be(folder: Path) -> None:
    frame = plant()
    frame["const"], frame["nan"], frame["single"], frame["inf"] = 5.0, np.nan, np.nan, np.inf
    frame.loc[700, "single"] = 3.0
    frame.to_csv(folder / "data.csv", index=False)
    extra = "".join(f"{name},oddity,1\n" for name in ("const", "nan", "single", "inf"))
    (folder / "catalog.csv").write_text(CATALOG + extra, encoding="utf-8")
    said = told(folder)
    assert said["silent"] == ["nan", "inf"]
    assert said["unreadable"] == {"inf": AT.size}
    assert set(changes(folder).query("key == 'const'")["hazard"]) <= {"stuck"}
    assert said["hazards"] == {"gas_accumulation": 1}


def test_a_file_of_one_reading_is_judged(folder: Path) -> None:
    (folder / "data.csv").write_text("time,well-1/ch4\n2026-07-15T00:00:00Z,80\n")
    assert told(folder)["readings"] == 1


def test_hourly_readings_that_stop_are_a_ticket_and_no_hazard(folder: Path) -> None:
    rng = np.random.default_rng(2)
    at = pd.date_range(START, periods=600, freq="1h")
    frame = pd.DataFrame({"time": at, "well-1/ch4": 1.0 + rng.normal(0, 0.1, 600), "mill/shake": rng.normal(4, 0.3, 600)})
    frame.loc[400:420, "mill/shake"] = np.nan
    frame.to_csv(folder / "data.csv", index=False)
    said = told(folder)
    assert said["warnings"] == 0
    assert said["tickets"] == {"silence": 1}
    first = changes(folder).query("hazard == 'silence'")["t"].min()
    assert at[399] + pd.Timedelta("3h") <= first <= at[399] + pd.Timedelta("4h")


def test_clocks_that_go_backwards_and_say_an_instant_twice_are_put_in_order(folder: Path) -> None:
    told(folder)
    frame = plant()
    pd.concat([frame[800:], frame[:900]]).to_csv(folder / "data.csv", index=False)
    said = told(folder, out="mixed")
    assert said["unsorted"]
    assert said["duplicates"] == 200
    pd.testing.assert_frame_equal(changes(folder), changes(folder, "mixed"))


def test_waveforms_of_a_hundred_hertz_are_judged_as_the_blocks_they_come_in_live(tmp_path: Path) -> None:
    (tmp_path / "catalog.csv").write_text(
        "key,quantity,unit\npier/z,pier_acceleration,g\ndeck/z,acceleration,g\n", encoding="utf-8"
    )
    rng, rules = np.random.default_rng(3), detectors.rules()
    t = START.value + np.arange(4000, dtype=np.int64) * (NS // 100)
    value = rng.normal(0.0, 0.002, (2, t.size))
    value[0, 3200:3230] += 0.2
    table = Table(["pier/z", "deck/z"], t, value)
    catalog = stranger.completed(
        stranger.sheet(tmp_path / "catalog.csv"), stranger.paces([table], rules), rules, tmp_path / "c.csv"
    )
    assert catalog.domain.tolist() == ["bridge", "bridge"]
    heard: dict[str, set[str]] = {"files": set(), "live": set()}
    fed = feeds([table], catalog)
    made = backtest.judged(fed, catalog, rules, heed=lambda r, *_: heard["files"].add(r.id))
    live, said = Replay(catalog, rules, "backtest", backtest.ANY, lambda r, *_: heard["live"].add(r.id)), []
    for j in range(0, t.size, 100):
        x = fed[0].value[:, j : j + 100]
        block = Block(fed[0].row, np.full(2, t[j]), NS // 100, x, np.full(x.shape, Quality.GOOD, np.uint8))
        said += live.step(Turn(int(t[j + 99]), Batch.joined([]), [block]))
    assert heard["files"] == heard["live"] >= {"bridge.acceleration.rms", "bridge.pier.impact"}
    hazards = [[msgspec.structs.replace(c, evidence={}) for c in x if c.kind == Kind.HAZARD] for x in (made.changes, said)]
    assert hazards[0] == hazards[1]
    assert {c.hazard for c in hazards[0]} == {"bridge_impact"}


REFUSED = {
    "no data": ({}, "nowhere.csv", "cannot be read"),
    "no such series": ({"data.csv": "time,a\n2026-07-15,1\n"}, "data.csv", "holds no reading of a series"),
    "catalog without units": ({"catalog.csv": "key,quantity\na,methane\n"}, "data.csv", "'unit' is missing"),
    "catalog that is empty": ({"catalog.csv": "key,quantity,unit\n"}, "data.csv", "holds no series"),
    "a key twice": ({"catalog.csv": CATALOG + "\n" + CATALOG[18:]}, "data.csv", "catalog.csv:5: key: 'well-1/ch4' stands"),
    "a unit of another thing": ({"catalog.csv": CATALOG.replace("%LEL", "kPa")}, "data.csv", "does not measure methane"),
    "out is a file": ({"out": ""}, "data.csv", "cannot be made a folder"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_with_code_2_and_no_traceback(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files, data, word = REFUSED[name]
    for at, text in files.items():
        (folder / at).write_text(text, encoding="utf-8")
    words = ["lifeline", "backtest", str(folder / data), "--catalog", str(folder / "catalog.csv"), "--out", str(folder / "out")]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert word in capsys.readouterr().err


def test_a_time_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(Unusable, match="--train-until: 'soon' is no time"):
        backtest.run(folder / "data.csv", folder / "catalog.csv", None, "soon", folder / "out", scores=False, as_json=True)


def test_rules_of_ones_own_judge_instead_of_those_that_come_along(folder: Path) -> None:
    rule = (
        '[[rule]]\nid = "well.high"\nquantity = "methane"\nhazard = "gas_accumulation"\nkind = "hazard"\nmode = "active"\n'
        'detector = "limit"\nunit = "%LEL"\nenter = { RED = 40 }\nsource = "the well\'s owner"\nconfidence = "V"\n'
    )
    (folder / "rules").mkdir()
    shutil.copy(Path(detectors.__file__).parent / "rules" / "any.toml", folder / "rules")
    (folder / "rules" / "well.toml").write_text('domain = "any"\n\n' + rule, encoding="utf-8")
    said = told(folder, "--rules", str(folder / "rules"))
    assert said["hazards"] == {"gas_accumulation": 1}
    assert set(changes(folder).query("hazard == 'gas_accumulation'")["rule"]) == {"well.high"}


def test_a_state_that_stays_is_not_stuck_and_words_are_states(folder: Path) -> None:
    frame = plant().assign(valve=np.where(np.arange(AT.size) < 100, "Open", "closed"))
    frame.to_csv(folder / "data.csv", index=False)
    (folder / "catalog.csv").write_text(CATALOG + "valve,valve,state\n", encoding="utf-8")
    said = told(folder)
    assert said["readings"] == 3 * AT.size
    assert said["tickets"] == {}


def test_readings_of_before_1970_are_left_out_and_counted(folder: Path) -> None:
    plant().assign(time=AT - pd.Timedelta("21000D")).to_csv(folder / "data.csv", index=False)
    with pytest.raises(Unusable, match="rows before 1970, left out: 1500"):
        backtest.run(folder / "data.csv", folder / "catalog.csv", None, "", folder / "out", scores=False, as_json=True)


def test_nothing_of_an_earlier_run_stands_beside_a_later_one(folder: Path) -> None:
    told(folder, "--scores")
    assert (folder / "out" / "scores.parquet").exists()
    told(folder)
    assert {p.name for p in (folder / "out").iterdir()} == {
        "catalog.csv", "changes.parquet", "warnings.parquet", "tickets.parquet",
    }  # fmt: skip


@dataclass(frozen=True)
class Drawn(Apart):
    """A panel that knows nothing without its map: there stands the distance that it allows."""

    allowed: float = 1.0

    def settled(self, m: Members) -> Self | None:
        return None if m.map is None else replace(self, members=m, allowed=float(m.map.read_text("utf-8")))

    def step(self, s: ApartState, x: Floats, t: Ints) -> tuple[ApartState, Floats]:
        s, score = super().step(s, x, t)
        return s, score / self.allowed


@pytest.fixture
def district(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three gauges of a district, one of which drifts away; and a rule that judges them together, by their map."""
    x = np.random.default_rng(2).normal(40.0, 0.1, (3, AT.size))
    x[2, LEAK:] -= 10.0
    pd.DataFrame({"time": AT, **{f"g{i}/p": v for i, v in enumerate(x)}}).to_csv(tmp_path / "data.csv", index=False)
    lines = [f"g{i}/p,water_pressure,mH2O,node-{i},DMA-7,water" for i in range(3)]
    (tmp_path / "catalog.csv").write_text("\n".join(["key,quantity,unit,asset,district,domain", *lines, ""]), "utf-8")
    (tmp_path / "pipes.inp").write_text("50000", "utf-8")  # [Pa]
    book = [rule(Drawn(within="district"), "water_pressure", Domain.WATER, 1.0, name="drawn")]
    monkeypatch.setattr(detectors, "rules", lambda _folder=None: book)
    return tmp_path


@pytest.mark.parametrize("name", ["DMA-7", "water"])
def test_a_panel_is_given_its_map(district: Path, name: str) -> None:
    told(district, "--maps", f"{name}={district / 'pipes.inp'}")
    found = changes(district)
    assert set(found["key"]) == {"g2/p"}
    assert found["t"][0] >= AT[LEAK]


def test_without_its_map_the_panel_judges_nothing(district: Path) -> None:
    assert told(district)["changes"] == 0


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["DMA-7"], "write NAME=FILE"),
        (["=pipes.inp"], "write NAME=FILE"),
        (["DMA-8={}/pipes.inp"], "no asset, district or domain 'DMA-8'; did you mean 'DMA-7'"),
        (["DMA-7={}/none.inp"], "none.inp is no file"),
        (["DMA-7={}/pipes.inp", "DMA-7={}/pipes.inp"], "'DMA-7' has .*pipes.inp already"),
    ],
)
def test_a_map_that_is_none_is_refused(district: Path, given: list[str], why: str) -> None:
    with pytest.raises(Unusable, match=why):
        told(district, *(word for g in given for word in ("--maps", g.format(district))))


def test_a_wind_belongs_to_the_gas_that_it_helps_to_judge() -> None:
    """A bridge's rules know the wind too."""
    made = {
        "site/ppm": "methane_air", "site/wind": "wind_speed", "site/way": "wind_direction", "span/wind": "wind_speed",
        "span/strain": "strain", "span/way": "wind_direction", "deck/wind": "wind_speed", "deck/rain": "rainfall",
    }  # fmt: skip
    lines = [{"key": key, "quantity": name, "asset": key.partition("/")[0]} for key, name in made.items()]
    stranger.place(lines, detectors.rules())
    assert {line["key"]: line["domain"] for line in lines} == {
        "site/ppm": "gas", "site/wind": "gas", "site/way": "gas", "span/wind": "bridge", "span/strain": "bridge",
        "span/way": "bridge", "deck/wind": "bridge", "deck/rain": "bridge",
    }  # fmt: skip
    told_ = [{"key": "site/wind", "quantity": "wind_speed", "asset": "site", "domain": "bridge"}, dict(lines[0], domain="")]
    stranger.place(told_, detectors.rules())
    assert [line["domain"] for line in told_] == ["bridge", "gas"]


@pytest.mark.parametrize(("unit", "inside"), [("ppm", 1e-6), ("ppb", 1e-9), ("mg/m3", 1e-6 / 0.656)])
def test_methane_in_traces_beside_a_wind_is_that_of_the_open_and_elsewhere_it_is_said_how_it_is_judged(
    tmp_path: Path, unit: str, inside: float
) -> None:
    rows = [f"site/a,methane,{unit}", "site/wind,wind_speed,mph", f"well/b,methane,{unit}", "site/c,methane,%LEL"]
    (tmp_path / "catalog.csv").write_text("\n".join(["key,quantity,unit", *rows]))
    made = stranger.sheet(tmp_path / "catalog.csv")
    assert [x["quantity"] for x in made.lines] == ["methane_air", "wind_speed", "methane", "methane"]
    assert UNITS[made.lines[0]["unit"]].scale == pytest.approx(inside)
    assert any("taken as 'methane_air'" in note for note in made.notes)
    assert any("closed spaces" in note for note in made.notes)


@pytest.mark.parametrize(
    ("written", "si", "inside"),
    [
        ("GPM", "m³/s", 6.309019640344e-5), ("MGD", "m³/s", 0.0438126363889), ("psi", "Pa", 6894.757293168), ("KN", "N", 1e3),
        ("mph", "m/s", 0.44704), ("knots", "m/s", 0.514444444444), ("cfs", "m³/s", 0.028316846592), ("mm/m", "1", 1e-3),
        ("microstrain", "1", 1e-6), ("ε", "1", 1.0), ("ft", "m", 0.3048), ("kg/cm2", "Pa", 98066.5),
        ("MLD", "m³/s", 1000 / 86_400),
    ],
)  # fmt: skip
def test_units_are_known_as_people_write_them(written: str, si: str, inside: float) -> None:
    found = UNITS[spelling.unit(written)]
    assert found.si == si
    assert found.scale == pytest.approx(inside, rel=1e-9)


def test_no_spelling_of_a_unit_means_two() -> None:
    meant: dict[str, set[str]] = {}
    for unit, words in spelling.USUAL.items():
        for word in (unit, *words):
            meant.setdefault(spelling.folded(word), set()).add(unit)
    for unit, of in UNITS.items():
        meant.setdefault(spelling.folded(unit), set()).add(unit)
        assert all(UNITS[u] == of for u in meant[spelling.folded(unit)])
    assert all(len(units) == 1 or len({UNITS[u] for u in units}) == 1 for units in meant.values())


def test_a_gas_pressure_without_a_rated_value_is_judged_by_its_first_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    k = 3 * 288
    rng = np.random.default_rng(1)
    kpa = 2.0 * (1 + 0.02 * np.sin(2 * np.pi * np.arange(k) / 288)) + 0.005 * rng.standard_normal(k)
    kpa[700:] *= 0.5
    frame = pd.DataFrame({"time": pd.date_range("2026-03-01", periods=k, freq="5min", tz="UTC"), "reg/out": kpa})
    frame.to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "catalog.csv").write_text("key,quantity,unit\nreg/out,gas_pressure,kPa\n")
    backtest.run(tmp_path / "data.csv", tmp_path / "catalog.csv", None, "", tmp_path / "out", scores=False, as_json=False)
    found = pd.read_parquet(tmp_path / "out" / "warnings.parquet")
    assert found["hazard"].tolist() == ["gas_underpressure"]
    assert found["raised"][0] >= frame["time"][700]
    assert "reg/out: no rated value is written; the median of its first day is taken for it: 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("gap", "step"),
    [(60.2328, 60.0), (59.7, 60.0), (61.0, 61.0), (0.01, 0.01), (3599.4, 3600.0), (907.0, 900.0), (45.1234567, 45.1235)],
)
def test_a_step_is_the_usual_one_that_its_clock_trembles_about(gap: float, step: float) -> None:
    assert stranger.stepped(gap) == step
