"""Public sets on made data of a few rows: what is read, what is missing, what is counted, and where the report goes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from detectors import rules
from lifeline.model import NS, Ints, Kind, Level, Mode, Rule
from pipeline import feed
from pipeline.docket import Step, Warned
from pipeline.evaluate import run, spelt
from pipeline.public import ltown, metec, munich, nab, named, score, skab
from pipeline.public.kinds import Bound
from pipeline.public.place import places, scorers
from pipeline.public.play import Player, Scores, aligned, instants, rises, rising
from pipeline.public.tables import figure
from pipeline.versus import published

SCORERS = """\
def metec(times, events, releases):
    return dict(releases=len(releases), detected=len(events), events=len(events), false_events=0, false_pct=0.0,
                median_latency_min=None, minute_acc=100.0)

def leak_starts(alarms, leaks, days=14):
    return dict(leaks=len(leaks), detected=len(alarms), false_alarms=0, median_delay_d=None)

def binary(y, p):
    hit = (y == p).mean()
    return dict(F1=hit, FAR=0.0, MAR=0.0)

def nab_score(scores, windows, data, threshold=None, tp=1.0, fp=0.11, fn=1.0):
    return (float(sum((s > 0).sum() for s in scores.values())), 0.0, 0.5 if threshold is None else threshold)
"""
RULES = """\
domain = "any"
[[rule]]
id = "any.step"
quantity = "other"
hazard = "anomaly"
kind = "hazard"
mode = "active"
known = "active"
detector = "limit"
unit = "1"
enter = { BLUE = 10.0, YELLOW = 20.0 }
source = "test"
confidence = "D"
"""
MAY = "2022-05-09T06:00"


@pytest.fixture
def plain(tmp_path: Path) -> list[Rule]:
    """One rule: what is over 10 is BLUE, over 20 YELLOW."""
    at = tmp_path / "rules"
    at.mkdir()
    (at / "any.toml").write_text(RULES, "utf-8")
    return rules(at)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with scorers beside it and nothing in it."""
    (tmp_path / "scorers.py").write_text(SCORERS, "utf-8")
    made = tmp_path / "data"
    made.mkdir()
    return made


def minutes(n: int, start: str = MAY) -> pd.DatetimeIndex:
    return pd.date_range(start, periods=n, freq="min").as_unit("us")


def gas(at: Path) -> None:
    """Two sensors; gas at one of them for ten minutes of a release."""
    at.mkdir()
    n, west = 300, np.full(300, 2.0)
    west[200:210] = 30.0
    pd.DataFrame({"time_utc": minutes(n), "ch4_E_ppm": np.full(n, 1.9), "ch4_W_ppm": west}).to_parquet(at / "cms_1min.parquet")
    (at / "sensor_locations.csv").write_text("lon,lat,height,name\n-105.1,40.5,2.4,E\n-105.2,40.6,2.4,W\n")
    head = "start_utc,end_utc,source,overlaps_other_release\n"
    (at / "releases_truth.csv").write_text(head + "2022-05-09 09:19:00+00:00,2022-05-09 09:40:00+00:00,Tank,False\n")


def bridge(at: Path) -> None:
    """Ten seconds of rest, twenty in which the support is lowered, ten under load."""
    at.mkdir()
    t = pd.date_range("2022-04-11T08:00", periods=40, freq="s").as_unit("us")
    strain = np.r_[np.zeros(15), np.linspace(0, 30, 15), np.full(10, 30.0)]
    stage = ["00_reference_loaded"] * 10 + ["01_lowering_1"] * 20 + ["03_loaded_settlement_1"] * 10
    level = np.r_[np.zeros(10, np.int8), np.ones(30, np.int8)]
    frame = {"time": t, "strain_um_m": strain, "stage": pd.Categorical(stage), "settlement_level": level}
    pd.DataFrame(frame).to_parquet(at / "strain_100Hz.parquet")
    pd.DataFrame({"time": t, "air_temp_C": 1.6, "record": "x"}).to_csv(at / "air_temperature_1Hz.csv.gz", index=False)


def test_what_is_absent_is_told_with_what_to_obtain_and_from_where(data: Path) -> None:
    told = score(data, rules(), "shipped")
    assert list(told) == ["LTOWN_2019H1", "METEC_week", "MUNICH_bridge", "NAB", "SKAB_valves"]
    for name, one in told.items():
        assert name in one["missing"]
        assert "met" in one
        assert not one["met"]
    origin = {
        "LTOWN_2019H1": "10.5281/zenodo.4017659", "METEC_week": "github.com/wsdaniels/DLQ", "NAB": "github.com/numenta/NAB",
        "MUNICH_bridge": "github.com/imcs-compsim/munich-bridge-data", "SKAB_valves": "github.com/waico/SKAB",
    }  # fmt: skip
    assert all(where in told[name]["obtain"] for name, where in origin.items())


def test_a_folder_that_is_not_there_is_told_of_like_one_that_is_empty(tmp_path: Path) -> None:
    assert all("missing" in one for one in score(tmp_path / "nowhere", rules(), "shipped").values())


def test_without_scorers_the_set_that_needs_none_is_scored_and_the_others_say_what_is_missing(tmp_path: Path) -> None:
    gas(tmp_path / "METEC_week")
    bridge(tmp_path / "MUNICH_bridge")
    told = score(tmp_path, rules(), "shipped")
    assert "scorers.py is neither in the folder nor in the one above" in told["METEC_week"]["missing"]
    assert "missing" not in told["MUNICH_bridge"]


def test_scorers_that_lack_a_function_or_cannot_be_run_are_told_of(data: Path) -> None:
    gas(data / "METEC_week")
    (data / "scorers.py").write_text("def binary(y, p): pass\n", "utf-8")  # before the one above
    assert "no function metec" in score(data, rules(), "shipped")["METEC_week"]["missing"]
    (data / "scorers.py").write_text("import no_such_module_at_all\n", "utf-8")
    assert "cannot be run: ModuleNotFoundError" in score(data, rules(), "shipped")["METEC_week"]["missing"]


def test_scorers_are_read_in_place_and_leave_nothing_beside_themselves(data: Path) -> None:
    assert scorers(data)["leak_starts"]([], [1, 2])["leaks"] == 2
    assert sorted(p.name for p in data.parent.iterdir()) == ["data", "scorers.py"]


def test_a_file_that_cannot_be_read_is_told_of_and_the_other_sets_go_on(data: Path) -> None:
    gas(data / "METEC_week")
    bridge(data / "MUNICH_bridge")
    (data / "METEC_week" / "cms_1min.parquet").write_bytes(b"no parquet")
    told = score(data, rules(), "shipped")
    assert "cannot be read" in told["METEC_week"]["missing"]
    assert "missing" not in told["MUNICH_bridge"]


def test_another_record_of_a_kind_is_found_by_its_files_and_has_no_published_figures(data: Path) -> None:
    gas(data / "METEC_week")
    gas(data / "METEC_other")
    told = score(data, rules(), "shipped")
    assert told["METEC_other"]["metrics"] == told["METEC_week"]["metrics"]
    assert told["METEC_week"]["baseline"]["events"] == 29
    assert told["METEC_other"]["baseline"] == {}
    assert told["METEC_other"]["published"] == []
    assert told["METEC_other"]["aim"] == told["METEC_week"]["aim"]
    assert places(data / "METEC_other", metec.default.needs) == [data / "METEC_other"]


def test_gas_at_a_sensor_is_an_event_of_the_site(data: Path) -> None:
    gas(data / "METEC_week")
    made = score(data, rules(), "shipped")["METEC_week"]
    assert made["metrics"]["releases"] == made["metrics"]["events"] == made["metrics"]["detected"] == 1
    assert made["metrics"]["located_pct"] is None  # not "0": nobody was asked
    assert made["unmet"] == ["median_latency_min", "located_pct"]
    assert made["settings"]["judged_by"] == ["gas.open_air.plume (active)"]
    assert made["readings"] == 600


def test_columns_of_a_town_are_flows_and_levels_by_their_units() -> None:
    kinds = {x["key"]: (x["quantity"], x["unit"]) for x in ltown.lines(["flow_p1_m3h", "level_T1_m"])}
    assert kinds == {"flow_p1_m3h": ("water_flow", "m3/h"), "level_T1_m": ("water_level", "m")}


def test_an_alarm_of_a_town_is_a_warning_when_it_is_raised(data: Path, plain: list[Rule]) -> None:
    at = data / "LTOWN_2019H1"
    at.mkdir()
    flow = np.r_[np.full(50, 5.0), np.full(50, 15.0), np.full(50, 25.0)] * 3600  # [m3/h]: over 10 and 20 m³/s
    pd.DataFrame({"timestamp": minutes(150), "flow_p1_m3h": flow}).to_parquet(at / "scada_5min.parquet")
    (at / "leaks.csv").write_text("link,start,end,active_at_period_start\np9,2022-05-09 06:40:00,,False\n")
    made = score(data, plain, "test")["LTOWN_2019H1"]
    assert made["metrics"]["leaks"] == 1
    assert made["metrics"]["detected"] == 1  # one warning, though it was raised twice
    assert made["metrics"]["leakage_error_pct"] is None


def warned(*steps: tuple[int, Level]) -> Warned:
    made = Warned.__new__(Warned)
    made.steps, made.changes = [Step(t * NS, level, Kind.HAZARD, "", 1) for t, level in steps], []
    return made


def test_a_warning_rises_when_it_is_raised_and_raised_further_and_not_when_it_falls() -> None:
    w = warned((1, Level.BLUE), (2, Level.ORANGE), (3, Level.YELLOW), (4, Level.NORMAL), (5, Level.BLUE))
    assert rises(w) == [(1 * NS, Level.BLUE), (2 * NS, Level.ORANGE), (5 * NS, Level.BLUE)]


def test_stages_of_a_bridge_are_counted_from_their_first_reading() -> None:
    t: Ints = np.arange(6, dtype=np.int64) * NS
    day = munich.stages(t, ["a", "a", "b", "b", "b", "c"], np.array([0, 0, 1, 1, 1, 1]))
    assert day == [munich.Stage("a", 0, NS, 0), munich.Stage("b", 2 * NS, 4 * NS, 1), munich.Stage("c", 5 * NS, 5 * NS, 1)]


def test_delays_of_lowerings_false_alarms_and_grades_are_counted_by_stage() -> None:
    day = [
        munich.Stage("00_reference_loaded", 0, 10 * NS, 0), munich.Stage("01_lowering_1", 100 * NS, 200 * NS, 1),
        munich.Stage("03_loaded_settlement_1", 300 * NS, 400 * NS, 1), munich.Stage("04_lowering_2", 500 * NS, 600 * NS, 2),
    ]  # fmt: skip
    said = [
        warned((5, Level.BLUE), (6, Level.NORMAL)),  # in the reference stage
        warned((130, Level.BLUE), (350, Level.YELLOW)),  # 30 s after the first; raised further under load
        warned((590, Level.ORANGE)),  # 90 s after the second
    ]
    lowered = [munich.Lowering(100 * NS, 120 * NS, 500 * NS), munich.Lowering(500 * NS, None, 600 * NS + 1)]
    made = munich.figures(said, day, lowered)
    assert made["delay_s"] == [30.0, 90.0]
    assert made["moves_s"] == [20.0, None]
    assert made["delay_moved_s"] == [10.0, None]
    assert made["detected"] == 2
    assert made["detected_60s"] == 1
    assert made["false_reference"] == made["false_loaded"] == 1
    assert made["levels"] == ["BLUE", "YELLOW", "ORANGE"]
    assert made["monotone"]
    assert not munich.figures([], day, lowered)["monotone"]  # silence is no grade


def test_the_strain_moves_when_it_leaves_what_load_cycles_do() -> None:
    t: Ints = np.arange(4000, dtype=np.int64) * NS // 100
    strain = np.where(t >= 20 * NS, 10.0, np.sin(t / NS))
    at = munich.moved(0, int(t[-1]) + 1, t, strain)
    assert at is not None
    assert 20.0 < at / NS < 20.5  # within the second over which it is averaged
    assert munich.moved(0, 19 * NS, t, strain) is None


def test_runs_of_a_testbed_begin_to_be_scored_at_one_instant(tmp_path: Path) -> None:
    frames = []
    for file, n, start in (("valve1/0.csv", 410, "2020-03-09T10:00"), ("valve2/0.csv", 405, "2020-03-10T10:00")):
        t = pd.date_range(start, periods=n, freq="s").as_unit("us")
        g = pd.DataFrame(dict.fromkeys(skab.QUANTITY, 1.0), index=range(n))
        frames.append(g.assign(file=file, datetime=t, anomaly=0.0, changepoint=0.0))
    pd.concat(frames).astype({"file": "category"}).to_parquet(tmp_path / "skab_valves.parquet")
    found = skab.runs(tmp_path)
    assert [r.file for r in found] == ["valve1/0.csv", "valve2/0.csv"]
    assert [int(r.t[400]) for r in found] == [skab.ONTO, skab.ONTO]
    assert [r.t.size for r in found] == [410, 405]
    assert {x["unit"] for x in skab.lines(found[0])} == {"g", "A", "bar", "°C", "V", "L/min"}


def stream(file: str, t: list[int], value: list[float]) -> nab.Stream:
    stamp = np.array(t, np.int64) * 60 * NS
    return nab.Stream(file, stamp, aligned(stamp, 0, nab.ONTO), np.array(value))


def test_rows_of_an_instant_that_was_there_already_are_not_judged_and_keep_the_score_before(plain: list[Rule]) -> None:
    s = stream("a", [0, 1, 2, 2, 1, 3, 4], [0, 5, 15, 99, 99, 5, 25])
    assert rising(s.t).tolist() == [True, True, True, False, False, True, True]
    told, ruled = nab.judge([s], Player(plain, "test", "a"))
    assert told["a"].tolist() == pytest.approx([0, 0, 0.6, 0, 0, 0, 2.5 / 3.5])  # 15 and 25 over the limit of 10
    assert ruled["a"].tolist() == pytest.approx([0, 1 / 3, 0.6, 0.6, 1 / 3, 1 / 3, 2.5 / 3.5])


def test_streams_side_by_side_score_as_each_does_alone() -> None:
    dice = np.random.default_rng(3)
    made = []
    for i, n in enumerate((700, 600, 900)):
        x = dice.normal(size=n)
        x[n - 150 :] += 4.0
        t = np.cumsum(np.where(dice.random(n) < 0.02, 7, 1)) + 10_000 * i
        made.append(stream(f"s{i}", t.tolist(), x.tolist()))
    told, ruled = nab.judge(made, Player(rules(), "shipped", "all"))
    assert all(told[s.file].any() for s in made)
    for s in made:
        alone, own = nab.judge([s], Player(rules(), "shipped", s.file))
        np.testing.assert_array_equal(alone[s.file], told[s.file])
        np.testing.assert_array_equal(own[s.file], ruled[s.file])


def test_a_long_series_is_judged_in_pieces_so_that_a_bar_moves_and_the_scores_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dice = np.random.default_rng(4)
    s = stream("a", list(range(2000)), [*dice.normal(size=1500), *dice.normal(3, size=500)])
    whole = nab.judge([s], Player(rules(), "shipped", "a"))
    monkeypatch.setattr(feed, "TICKS", 150)
    assert np.diff(feed.sized([feed.Feed(np.zeros(1, np.int32), s.t, s.value[None])])).max() <= 150 * 60 * NS
    pieces = nab.judge([s], Player(rules(), "shipped", "a"))
    for a, b in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(a["a"], b["a"])


def test_what_is_said_outside_of_windows_is_counted_as_one_alarm_a_run() -> None:
    s = stream("a", list(range(100)), [0.0] * 100)
    said = np.zeros(100)
    said[[5, 30, 31, 32, 50, 70]] = 0.9  # row 5 is in the probation of 15
    window = [(str(np.datetime64(a * 60 * NS, "ns")), str(np.datetime64(b * 60 * NS, "ns"))) for a, b in ((45, 55), (80, 90))]
    made = nab.counts([s], {"a": said}, {"a": window}, 0.5)
    assert (made["windows"], made["found"], made["false_alarms"]) == (2, 1, 2)


def test_only_generic_rules_that_speak_give_scores(plain: list[Rule]) -> None:
    assert nab.limits(plain) == {"any.step": 1.0}
    assert all(r.mode is Mode.ACTIVE for r in rules() if r.id in nab.limits(rules()))
    silent = Scores({})
    silent(plain[0], np.zeros(1, np.int32), np.zeros((1, 1), np.int64), np.ones((1, 1)))
    assert silent.of(0, np.zeros(1, np.int64)).tolist() == [0.0]


def test_a_bound_that_nothing_was_measured_for_is_not_met() -> None:
    assert Bound(least=1).met(True)
    assert Bound(most=2).met(2)
    assert not Bound(most=2).met(3)
    assert not Bound(most=2).met(None)


def test_naive_times_are_taken_as_they_stand() -> None:
    assert instants(pd.Series(minutes(2, "1970-01-01T00:00"))).tolist() == [0, 60 * NS]


@pytest.mark.parametrize(
    ("value", "said"), [(None, "–"), (True, "yes"), (3, "3 s"), (0.25, "0.2 s"), ([1.0, None], "1.0, – s"), ("> 0", "> 0 s")]
)
def test_figures_are_told_with_their_unit(value: Any, said: str) -> None:
    assert figure(value, {"digits": 1, "unit": "s"}) == said


def test_a_report_never_says_where_somebody_keeps_the_data() -> None:
    assert spelt(["lifeline", "evaluate", "--public", "/home/me/data", "--json"]) == "lifeline evaluate --public FOLDER --json"
    assert spelt(["lifeline", "evaluate", "--public=/home/me/data"]) == "lifeline evaluate --public=FOLDER"


def test_the_whole_command_reports_public_sets_in_json_text_page_and_document(data: Path, tmp_path: Path) -> None:
    gas(data / "METEC_week")
    bridge(data / "MUNICH_bridge")
    page, document, before = tmp_path / "page.html", tmp_path / "report.md", tmp_path / "before.json"
    document.write_text(
        "# Ours\n<!-- evaluation -->\nkept\n<!-- end -->\n<!-- public -->\nwhat was there\n<!-- end -->\ntail\n", "utf-8"
    )
    said, code = run([], public=data, html=page, markdown=document, as_json=True, command="lifeline evaluate --public FOLDER")
    whole = json.loads(said)
    assert code == 0
    assert whole["public"]["METEC_week"]["metrics"]["releases"] == 1
    assert "drawing" not in whole["public"]["METEC_week"]
    text = document.read_text("utf-8")
    assert "\nkept\n" in text  # tables of scenarios stay where none was run
    assert "what was there" not in text
    assert "| **this system** | 1 | 1 | 100.0 % |" in text
    assert "Made on" in text
    assert "`lifeline evaluate --public FOLDER`" in text
    assert str(data) not in text
    assert text.endswith("<!-- end -->\ntail\n")
    html = page.read_text("utf-8")
    assert html.count("<svg viewBox") == 2
    assert "github.com/numenta/NAB" in html  # what to obtain
    assert str(data) not in html
    before.write_text(said, "utf-8")
    again, strict = run([], public=data, against=before, strict=True)
    assert "better than" in again
    assert "Not scored" not in again
    assert "not scored: no folder NAB" in again
    assert strict == 1  # sets are missing


def test_an_earlier_report_says_which_public_figures_are_better_and_worse(tmp_path: Path) -> None:
    columns = [c._asdict() for c in metec.default.columns]
    old = {"public": {"A": {"metrics": {"detected": 5, "false_events": 3, "located_pct": None}}, "B": {"metrics": {}}}}
    (tmp_path / "old.json").write_text(json.dumps(old), "utf-8")
    new = {
        "A": {"metrics": {"detected": 7, "false_events": 4, "located_pct": 9.0}, "columns": columns},
        "B": {"missing": "gone"},
        "C": {"metrics": {}, "columns": columns},
    }
    assert published(tmp_path / "old.json", new) == {
        "better": [{"id": "A", "what": ["detected 5 → 7"]}],
        "worse": [{"id": "A", "what": ["false_events 3 → 4"]}],
        "new": ["C"],
        "gone": ["B"],
    }


def test_every_set_tells_its_aim_in_columns_that_it_shows() -> None:
    for one in named():
        shown = {c.key for c in one.columns}
        assert one.aim.keys() <= shown
        assert {k for k in one.baseline.figures if k in shown} == one.baseline.figures.keys()
        assert any(c.best < 0 and ("false" in c.key or c.key == "FAR") for c in one.columns)  # false alarms beside detections
