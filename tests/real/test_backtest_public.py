"""Public measurements where they lie, as a stranger would run them: a catalog written on the fly, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from bench.metec_record import folder
from pipeline.cli import app

DATA = folder().parent


def told(data: str, catalog: str, at: Path, *more: str) -> dict[str, Any]:
    """What the command says of a file, in JSON."""
    path = DATA / data
    if not path.exists():
        pytest.skip(f"no {path}")
    (at / "catalog.csv").write_text("key,quantity,unit\n" + catalog, encoding="utf-8")
    words = ["backtest", str(path), "--catalog", str(at / "catalog.csv"), "--out", str(at / "out"), "--json", *more]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    made: dict[str, Any] = json.loads(result.stdout)
    return made


def test_plumes_are_found_in_a_week_of_methane_sensors(tmp_path: Path) -> None:
    winds = ("E", "N", "NE", "NW", "S", "SE", "SW", "W")
    said = told("METEC_week/cms_1min.parquet", "".join(f"ch4_{w}_ppm,methane_air,ppm\n" for w in winds), tmp_path)
    assert said["domains"] == {"gas": 8}
    assert said["steps"] == {"60 s": 8}
    assert said["hazards"].keys() == {"open_air_release"}
    warnings = pd.read_parquet(tmp_path / "out" / "warnings.parquet")
    assert len(warnings) == said["warnings"]
    assert (warnings["onset"] <= warnings["raised"]).all()


def test_half_a_year_of_flows_and_a_level_every_five_minutes_is_quiet(tmp_path: Path) -> None:
    catalog = "flow_p227_m3h,water_flow,m3/h\nflow_p235_m3h,water_flow,CMH\nlevel_T1_m,water_level,m\n"
    said = told("LTOWN_2019H1/scada_5min.parquet", catalog, tmp_path, "--train-until", "2019-01-15")
    assert said["domains"] == {"water": 3}
    assert said["readings"] == 3 * 52_128
    assert said["tickets"].keys() <= {"water_loss"}  # its leaks are true
    assert "unit 'CMH' is taken as 'm³/h'" in said["notes"]


def test_a_long_table_of_unknown_quantities_is_judged_by_the_generic_rules(tmp_path: Path) -> None:
    keys = ("realAWSCloudwatch/rds_cpu_utilization_e47b3b.csv", "artificialNoAnomaly/art_daily_no_noise.csv")
    said = told("NAB/nab_data.parquet", "".join(f"{k},something,furlong\n" for k in keys), tmp_path)
    assert said["series"] == 2
    assert said["rules"] == {
        "other/something": ["any.other.level", "any.other.tail", "(any.other.shift)", "(any.other.drift)", "any.other.limit"]
    }
    assert said["hazards"].keys() == {"anomaly"}


def test_a_bridge_at_a_hundred_hertz_is_judged_by_the_rules_of_bridges(tmp_path: Path) -> None:
    catalog = "acc01_z_g,acceleration,g\nstrain_as_um_m,strain,um/m\n"
    said = told("MUNICH_bridge/reference_loaded_multichannel_100Hz.parquet", catalog, tmp_path)
    assert said["steps"] == {"0.01 s": 2}
    assert said["rules"]["bridge/acceleration"] == ["bridge.acceleration.rms"]
    assert said["warnings"] == 0
