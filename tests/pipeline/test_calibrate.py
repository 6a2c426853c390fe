"""Bounds that mean a rate: what is promised for a city comes out within a factor of two, and is written where it came from."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import detectors
from bench import calibrate as bench
from lifeline.words import Unusable
from pipeline.bounds import revised
from pipeline.calibrate import per_day
from pipeline.cli import app


def test_a_calibrated_city_has_the_false_hazards_it_was_promised() -> None:
    for draw, seed in ((bench.NOISES["white"], 11), (bench.NOISES["neighbours correlate by 0.8"], 12)):
        found = bench.promised(draw, seed)
        assert found["promised_per_day"] / 2 <= found["got_per_day"] <= 2 * found["promised_per_day"]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty series of noise and a well, for twenty days."""
    folder, rng = tmp_path_factory.mktemp("plant"), np.random.default_rng(4)
    (folder / "rules").mkdir()
    (folder / "rules" / "other.toml").write_text(bench.RULES)
    gas = (Path(detectors.__file__).parent / "rules" / "gas.toml").read_text("utf-8")
    (folder / "rules" / "gas.toml").write_text(gas[: gas.index("[[rule]]", gas.index("[[rule]]") + 1)], "utf-8")
    keys = [f"device-{i}/x" for i in range(20)]
    lines = [*(f"{k},noise,1" for k in keys), "well-1/ch4,methane,%VOL"]
    (folder / "city.csv").write_text("\n".join(["key,quantity,unit", *lines]) + "\n")
    x = rng.normal(size=(20 * 96, 20))
    frame = pd.DataFrame(x, columns=keys).assign(
        time=pd.date_range("2026-01-01", periods=20 * 96, freq="900s", tz="UTC"), **{"well-1/ch4": 0.01}
    )
    frame.loc[700:704, "well-1/ch4"] = [0.7, 0.72, 0.71, 0.69, 0.7]  # somebody's test, which the limit calls
    frame.to_parquet(folder / "history.parquet")
    return folder


def told(plant: Path, *more: str) -> dict[str, object]:
    given = ["--city", str(plant / "city.csv"), "--history", str(plant / "history.parquet"), "--rules", str(plant / "rules")]
    result = CliRunner().invoke(app, ["calibrate", *given, "--json", *more])
    assert result.exit_code == 0, result.output
    said: dict[str, object] = json.loads(result.stdout)
    return said


def test_the_new_rules_say_what_they_rest_on_and_are_read_again(plant: Path, tmp_path: Path) -> None:
    said = told(plant, "--out", str(tmp_path / "new"), "--false-alarms", "2/week")
    rules = {r.id: r for r in detectors.rules(tmp_path / "new")}
    before = {r.id: r for r in detectors.rules(plant / "rules")}
    assert json.loads((tmp_path / "new" / "calibration.json").read_text("utf-8")) == said
    found = said["rules"]
    assert isinstance(found, list)
    for r in found:
        assert rules[r["id"]].limits.enter[0] == pytest.approx(r["bound"], rel=1e-3)
        grown = rules[r["id"]].limits.enter[:2] / before[r["id"]].limits.enter[:2]
        assert grown[0] == pytest.approx(grown[1], rel=1e-3)
        assert "history.parquet" in rules[r["id"]].source
        assert rules[r["id"]].confidence == "C"
    assert rules["gas.methane.limit"].source == before["gas.methane.limit"].source


def test_what_bounds_of_standards_cost_is_taken_from_the_budget(plant: Path) -> None:
    said = told(plant, "--false-alarms", "1/day")
    given, found = said["given_bounds_per_day"], said["rules"]
    assert isinstance(given, dict)
    assert isinstance(found, list)
    assert given["gas.methane.limit"] > 0
    shares = sum(r["budget_per_day"] for r in found)
    assert shares >= 1 - given["gas.methane.limit"]  # rules that alarm together share an alarm
    assert all(r["bound"] is None for r in told(plant, "--false-alarms", "1/year")["rules"])  # type: ignore[attr-defined]


def test_the_estimate_is_checked_on_the_part_held_back(plant: Path) -> None:
    for r in told(plant)["rules"]:  # type: ignore[attr-defined]
        assert r["held_back"]["blocks"] > 0
        assert r["held_back"]["from"] <= r["held_back"]["expected"] <= r["held_back"]["to"]
        assert r["held_back"]["good"] == (r["held_back"]["from"] <= r["held_back"]["seen"] <= r["held_back"]["to"])


@pytest.mark.parametrize(("text", "rate"), [("1/day", 1.0), ("3.5/week", 0.5), (" 2 / d ", 2.0), ("365.25/year", 1.0)])
def test_a_rate_is_read_as_it_is_said(text: str, rate: float) -> None:
    assert per_day(text) == pytest.approx(rate)


@pytest.mark.parametrize("text", ["1", "0/day", "one/day", "1/fortnight", "-1/day"])
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Unusable, match="such as 1/day"):
        per_day(text)


def test_a_folder_that_holds_rules_is_not_written_over(plant: Path) -> None:
    given = ["--city", str(plant / "city.csv"), "--history", str(plant / "history.parquet"), "--rules", str(plant / "rules")]
    result = CliRunner().invoke(app, ["calibrate", *given, "--out", str(plant / "rules")])
    assert isinstance(result.exception, Unusable)
    assert "name an empty folder" in str(result.exception)


def test_rules_that_were_not_calibrated_are_copied_as_they_were_written() -> None:
    assert revised(bench.RULES, {}, {}, 1.0, "") == bench.RULES
