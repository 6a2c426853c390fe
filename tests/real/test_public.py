"""Public measurements through the engine, where they lie: figures in sane ranges, twice the same, beside published ones."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.metec_record import folder
from detectors import rules
from pipeline.public import metec, munich, nab, named, scored, skab
from pipeline.public.place import Scorers, scorers
from pipeline.public.play import instants

DATA = folder().parent
REFERENCE = "00_reference_loaded"
FIVE_MINUTES = 30_000  # readings
JANUARY_FEBRUARY = pd.Timestamp("2019-03-01")


def told(name: str, at: Path, judges: Scorers) -> Mapping[str, Any]:
    """The report of a set that lies in a folder of such a name under `at`."""
    if not (at / name).is_dir():
        pytest.skip(f"no {name} at {at}")
    one = next(s for s in named() if s.folder == name)
    made = {k: v for k, v in dict(scored(one, at, judges, rules(), "shipped"))[name].items() if k != "drawing"}
    assert "missing" not in made, made
    return {k: v for k, v in made.items() if k not in {"seconds", "judging_s"}}


@pytest.fixture(scope="module")
def judges() -> Scorers:
    found = scorers(DATA)
    if found.fault:
        pytest.skip(found.fault)
    return found


@pytest.fixture(scope="module")
def gas(judges: Scorers) -> Mapping[str, Any]:
    return told("METEC_week", DATA, judges)


@pytest.fixture(scope="module")
def testbed(judges: Scorers) -> Mapping[str, Any]:
    return told("SKAB_valves", DATA, judges)


def test_every_release_of_methane_is_found_and_false_events_are_told_beside_it(gas: Mapping[str, Any]) -> None:
    m = gas["metrics"]
    assert m["detected"] == m["releases"] == 16
    assert 0 < m["false_events"] < m["events"] / 2
    assert m["median_latency_min"] < 3.3
    assert 70 < m["minute_acc"] < 100
    assert m["located_pct"] >= 82.0  # as the authors have it over their campaign
    assert 0 < m["rate_error_pct"] < 100


def test_the_authors_events_have_the_figures_that_are_published_of_them(gas: Mapping[str, Any]) -> None:
    authors = gas["published"][0]
    assert (authors["detected"], authors["events"], authors["false_events"]) == (16, 24, 4)
    assert authors["minute_acc"] == pytest.approx(86.0, abs=0.05)


def test_the_same_data_give_the_same_figures_twice(gas: Mapping[str, Any], testbed: Mapping[str, Any], judges: Scorers) -> None:
    assert told("METEC_week", DATA, judges) == gas
    assert told("SKAB_valves", DATA, judges) == testbed


def test_closed_valves_are_found_better_than_by_an_alarm_that_is_always_on(testbed: Mapping[str, Any]) -> None:
    always, m = testbed["parts"]["an alarm that is always on"], testbed["metrics"]
    assert always["F1"] == pytest.approx(0.70, abs=0.005)
    assert (always["FAR"], always["MAR"]) == (100.0, 0.0)
    assert always["F1"] < m["F1"] < 1
    assert 0 < m["FAR"] < 100
    assert m["runs"] == 20
    assert max(x["F1"] for x in testbed["published"] if "F1" in x) == 0.78
    assert max(x["cp_standard"] for x in testbed["published"] if "cp_standard" in x) == 32.42


def test_change_points_told_where_they_are_have_nearly_all_there_is_to_win(judges: Scorers) -> None:
    if not (DATA / skab.FOLDER).is_dir():
        pytest.skip(f"no {skab.FOLDER} at {DATA}")
    runs = skab.runs(DATA / skab.FOLDER)
    right = [(r, np.logical_xor.accumulate(r.change)) for r in runs]  # begins and ends at changes
    assert skab.changed(judges["nab_score"], right)["cp_standard"] == pytest.approx(100.0, abs=2.0)
    assert skab.changed(judges["nab_score"], [(r, np.zeros_like(r.change)) for r in runs])["cp_standard"] == 0.0


def test_streams_of_any_kind_score_between_nothing_and_the_best(judges: Scorers) -> None:
    made = told("NAB", DATA, judges)
    m, shipped = made["metrics"], made["parts"]["every warning, whatever its score"]
    assert 0 < m["standard"] < 100
    assert shipped["standard"] <= m["standard"]  # the best threshold is no worse than any
    assert m["reward_low_FP"] <= m["standard"] <= m["reward_low_FN"] + 100
    assert 0 < m["found"] <= m["windows"] == 116
    assert m["false_alarms"] > 0
    assert sum(made["parts"][k]["windows"] for k in made["parts"] if k.startswith(("real", "artificial"))) == 116
    board = {x["name"]: x["standard"] for x in made["published"]}
    assert board["Null"] == 0.0
    assert board["ARTime"] == 74.9


def test_silence_and_perfection_score_nought_and_a_hundred(judges: Scorers) -> None:
    at = DATA / nab.FOLDER
    if not at.is_dir():
        pytest.skip(f"no {nab.FOLDER} at {DATA}")
    data, windows = pd.read_parquet(at / nab.READINGS), json.loads((at / nab.WINDOWS).read_text("utf-8"))
    every = nab.streams(data)
    silent, perfect = {s.file: np.zeros(s.t.size) for s in every}, {s.file: np.zeros(s.t.size) for s in every}
    for s in every:
        for w in nab.inside(s, windows):
            perfect[s.file][np.flatnonzero(w)[:1]] = 1.0
    scorer = nab.Nabbed(judges["nab_score"], windows, data)
    assert set(scorer.at(silent, 0.5).values()) == {0.0}
    assert all(x == pytest.approx(100.0, abs=1.5) for x in scorer.at(perfect, 0.5).values())  # a window may begin in probation


def test_leaks_of_two_months_are_scored_with_their_false_alarms(judges: Scorers, tmp_path: Path) -> None:
    at, part = DATA / "LTOWN_2019H1", tmp_path / "LTOWN_2019H1"
    if not at.is_dir():
        pytest.skip(f"no LTOWN_2019H1 at {DATA}")
    part.mkdir()
    readings, leaks = pd.read_parquet(at / "scada_5min.parquet"), pd.read_csv(at / "leaks.csv")
    readings[readings.timestamp < JANUARY_FEBRUARY].to_parquet(part / "scada_5min.parquet")
    leaks[pd.to_datetime(leaks.start) < JANUARY_FEBRUARY].to_csv(part / "leaks.csv", index=False)
    m = told("LTOWN_2019H1", tmp_path, judges)["metrics"]
    assert m["leaks"] == 3
    assert 0 <= m["detected"] <= 3
    assert m["false_alarms"] >= 0
    assert (m["median_delay_d"] is None) == (m["detected"] == 0)


def test_load_cycles_on_the_bridge_before_its_support_is_lowered_raise_no_warning(judges: Scorers, tmp_path: Path) -> None:
    at, part = DATA / munich.FOLDER, tmp_path / munich.FOLDER
    if not at.is_dir():
        pytest.skip(f"no {munich.FOLDER} at {DATA}")
    part.mkdir()
    strain = pd.read_parquet(at / munich.READINGS)
    t, value = instants(strain.time), strain.strain_um_m.to_numpy(np.float64)
    day = munich.stages(t, strain.stage.astype(str).to_list(), strain.settlement_level.to_numpy())
    assert [s.level for s in day] == [0, 1, 1, 1, 2, 2, 3, 3]
    moves = [x.moves for x in munich.lowerings(day, t, value)]
    assert all(x is not None for x in moves)
    strain[strain.stage == REFERENCE][:FIVE_MINUTES].to_parquet(part / munich.READINGS)
    shutil.copy(at / munich.WARMTH, part)
    m = told(munich.FOLDER, tmp_path, judges)["metrics"]
    assert m["false_reference"] == 0
    assert m["levels"] == ["NORMAL"]
    assert m["delay_s"] == []


def test_the_site_is_the_one_that_the_benchmark_replays_through_the_broker() -> None:
    if not (DATA / metec.FOLDER).is_dir():
        pytest.skip(f"no {metec.FOLDER} at {DATA}")
    r = metec.record(DATA / metec.FOLDER)
    assert len(r.name) == len(metec.lines(r)) == 8
    assert len(r.releases) == 16
