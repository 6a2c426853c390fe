"""The demo as a user starts it: faults of all four domains are warned of, nothing else is, and the books balance."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lifeline.model import Level
from simulators.faults import Truth
from tests.city import ailing, demo

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.network, pytest.mark.timeout(150)]
SECONDS = 25


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "pipeline.cli", "demo", "--seconds", str(SECONDS), "--folder", str(folder / "city")]
    done = subprocess.run(
        [*command, "--report", str(folder / "report.json")], cwd=ROOT, capture_output=True, text=True, timeout=140, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return dict(json.loads((folder / "report.json").read_text("utf-8")))


def truth() -> dict[tuple[str, str], Truth]:
    """(asset, hazard) -> what the worlds themselves say of it."""
    return {(t.asset, t.hazard): t for t in demo().truth if t.hazard}


def test_the_ledger_balances(report: dict[str, Any]) -> None:
    ledger = report["ledger"]
    assert ledger["acknowledged"] == sum(v for k, v in ledger.items() if k != "acknowledged")
    assert ledger["acknowledged"] > 100 * SECONDS
    assert (ledger["in_flight"], ledger["dead_lettered"] < ledger["acknowledged"] / 100) == (0, True)


def test_each_domain_has_a_grave_warning_that_was_pushed(report: dict[str, Any]) -> None:
    grave = [w for w in report["warnings"] if Level[w["level"]] >= Level.ORANGE]
    assert {w["domain"] for w in grave} == {"gas", "water", "bridge", "elevator"}
    assert all(w["pushed"] for w in report["warnings"])


def test_nothing_else_is_warned_of_and_nothing_graver_than_it_is(report: dict[str, Any]) -> None:
    true = truth()
    for w in report["warnings"]:
        assert (w["asset"], w["hazard"]) in true, w
        assert Level[w["level"]] <= true[w["asset"], w["hazard"]].max_level, w


def test_no_sensor_at_fault_became_a_hazard(report: dict[str, Any]) -> None:
    broken = {t.asset for t in ailing().truth} - {asset for asset, _ in truth()}
    assert len(broken) > 3
    assert not broken & {w["asset"] for w in report["warnings"]}


def test_the_worst_of_the_warnings_come_within_seconds(report: dict[str, Any]) -> None:
    assert report["latency_s"]["p50"] < 5
