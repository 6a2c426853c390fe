"""docs/operations.md says what to do whenever the system warns of itself, and names nothing that is not there."""

import re
from pathlib import Path
from typing import Final

import pytest
import yaml

import detectors
from alerts.texts import HAZARDS
from pipeline.certs import GROUP
from tests.docker.stack import services

ROOT: Final = Path(__file__).parents[2]
MANUAL: Final = (ROOT / "docs" / "operations.md").read_text("utf-8")
HEADINGS: Final = re.findall(r"^### (.+)$", MANUAL, re.MULTILINE)
OF_DEVICES: Final = {"bridge_bearing", "citizen_report", "flapping", "sensor_fault", "water_low_pressure"}  # of what is watched
RULES: Final = ROOT / "docker" / "prometheus" / "lifeline.rules.yml"


def reasons(*files: str) -> set[str]:
    """How the reasons begin that processes give for not being ready."""
    text = "".join((ROOT / f).read_text("utf-8") for f in files)
    return set(
        re.findall(
            r'f?"(\w+): [^"]*\{', "\n".join(re.findall(r"why(?:\.append\(|\s*\+?=).*|^\s+f\"\w+: .*", text, re.MULTILINE))
        )
    )


OURS: Final = sorted(HAZARDS.keys() - {rule.hazard for rule in detectors.rules(None)} - OF_DEVICES)


@pytest.mark.parametrize("hazard", OURS)
def test_every_warning_of_ourselves_has_a_section(hazard: str) -> None:
    assert [h for h in HEADINGS if h.startswith(f"`{hazard}`")], f"docs/operations.md: ### `{hazard}`: …"


def test_every_reason_for_not_being_ready_has_a_row() -> None:
    begins = reasons("pipeline/receive.py", "pipeline/watch.py", "pipeline/mirror/process.py")
    assert {"journal", "broker", "checkpoint", "clock", "desk"} <= begins
    assert [b for b in sorted(begins) if f"| `{b}: " not in MANUAL] == []


def test_every_alert_of_prometheus_has_the_section_that_it_names() -> None:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    sections = set(re.findall(r"^#### (.+)$", MANUAL, re.MULTILINE))
    assert alerts == sections
    for group in groups:
        for rule in group["rules"]:
            assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_every_service_stands_in_the_table() -> None:
    assert [name for name in services() if f"`{name}`" not in MANUAL] == []
    assert {p for s in services().values() for p in s.get("profiles", [])} <= set(re.findall(r"`(\w+)`", MANUAL))


def test_the_group_of_the_containers_is_the_one_that_commands_name() -> None:
    assert set(re.findall(r"--group (\d+)", MANUAL)) == {str(GROUP)}
