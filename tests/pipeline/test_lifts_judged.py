"""Lifts from what their terminals tell to warnings, by the shipped rules: what must come, what must not, and nothing else."""

from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.trial import Job, tried

STATES: Final = '"door", "door_zone", "motion", "passengers", "speed", "mode", "alarm_button"'
CIRCUITS: Final = '"power", "safety_circuit", "lock_circuit", "limit_switch", "buffer_switch", "landing_button", "direction"'
SPEEDS: Final = '"sheave_speed", "rope_speed"'


def judged(folder: Path, text: str, duration: str = "60m", seed: int = 1, **world: str) -> dict[str, Any]:
    """What comes of a scenario. text: its faults and what is expected"""
    keys = {"channels": f"[{STATES}]", **world}
    head = f'id = "x"\nzh = "电梯"\nen = "lifts"\nstart = "2026-06-11T08:00:00+08:00"\nduration = "{duration}"\nseed = {seed}\n'
    own = "\n".join(f"{k} = {v}" for k, v in keys.items())
    file = folder / "x.toml"
    file.write_text(f"{head}[world.elevator]\n{own}\n{text}", "utf-8")
    return tried(Job(file, None))


def warned(result: dict[str, Any]) -> set[tuple[str, str]]:
    return {(w["hazard"], w["level"]) for w in result["warnings"]}


RIDE: Final = """
[[fault]]
kind = "elevator.rail_defect"
at = "1m"
factor = "{factor}"
over = "1m"
[[expect]]
asset = "elevator-001"
hazard = ["ride_quality"]
level = "{level}"
"""


@pytest.mark.parametrize(("factor", "level"), [("1.3", "BLUE"), ("1.9", "YELLOW")])
def test_a_lift_that_tells_nothing_but_a_waveform_is_judged_by_its_ride(tmp_path: Path, factor: str, level: str) -> None:
    text = RIDE.format(factor=factor, level=level)
    r = judged(tmp_path, text, "25m", channels="[]", accelerometer="true", trips="2000", vibration='"0.18 m/s²"')
    assert r["passed"], r["failures"]
    assert warned(r) == {("ride_quality", level)}


SLIP: Final = """
[[fault]]
kind = "elevator.rope_slip"
at = "110m"
slip = "{slip}"
[[expect]]
asset = "elevator-001"
hazard = ["rope_slip"]
level = "RED"
within = "30s"
"""


def test_ropes_that_slip_by_sixty_millimetres_are_told_by_the_speeds_alone(tmp_path: Path) -> None:
    r = judged(tmp_path, SLIP.format(slip="60 mm"), "2h", channels=f"[{STATES}, {SPEEDS}]", trips="1000")
    assert r["passed"], r["failures"]
    assert warned(r) == {("rope_slip", "RED")}


OVERRUN: Final = """
[[fault]]
kind = "elevator.overrun"
at = "20m"
lasts = "10m"
far = "{far}"
side = "{side}"
[[expect]]
asset = "elevator-001"
hazard = ["overrun"]
level = "{level}"
within = "30s"
[[expect]]
asset = "elevator-001"
hazard = ["stop_outside_zone", "safety_circuit", "overtravel"]
"""


@pytest.mark.parametrize("side", ["top", "bottom"])
@pytest.mark.parametrize(("far", "level"), [("300 mm", "RED"), ("120 mm", "YELLOW")])
def test_an_empty_car_down_on_its_buffer_is_red_and_one_that_stops_before_it_is_not(
    tmp_path: Path, side: str, far: str, level: str
) -> None:
    r = judged(tmp_path, OVERRUN.format(far=far, side=side, level=level), channels=f"[{STATES}, {CIRCUITS}]")
    assert r["passed"], r["failures"]
    assert ("overrun", level) in warned(r)


HELD: Final = """
[[fault]]
kind = "elevator.hold_door"
at = "10m"
lasts = "{lasts}"
passengers = {people}
"""
TICKET: Final = """
[[ticket]]
asset = "elevator-001"
hazard = ["{hazard}"]
"""


def test_a_door_that_nobody_holds_open_for_an_hour_is_a_ticket_and_no_hazard(tmp_path: Path) -> None:
    text = HELD.format(lasts="60m", people=0) + TICKET.format(hazard="door_standing")
    r = judged(tmp_path, text, "2h")
    assert r["passed"], r["failures"]
    assert warned(r) == set()


@pytest.mark.parametrize(("lasts", "people"), [("8m", 0), ("8m", 2), ("90m", 1)])
def test_movers_and_sleepers_are_not_even_a_ticket(tmp_path: Path, lasts: str, people: int) -> None:
    r = judged(tmp_path, HELD.format(lasts=lasts, people=people), "110m")
    assert r["passed"], r["failures"]
    assert (r["warnings"], r["tickets"]) == ([], [])


POSTER: Final = """
[[fault]]
kind = "elevator.poster"
at = "12m"
"""


@pytest.mark.parametrize("trips", ["0", "30", "400"])
def test_a_poster_in_a_car_that_rests_or_rides_shuts_nobody_in(tmp_path: Path, trips: str) -> None:
    r = judged(tmp_path, POSTER + TICKET.format(hazard="phantom_passenger"), "5h", trips=trips)
    assert r["passed"], r["failures"]
    assert warned(r) == set()


FITTER: Final = """
[[fault]]
kind = "elevator.maintenance"
at = "20m"
lasts = "20m"
speed = "0.6 m/s"
"""


def test_a_fitter_who_runs_the_car_with_its_door_open_raises_nothing_of_all_that_is_told(tmp_path: Path) -> None:
    features = '["levelling", "vibration", "jerk", "door_time", "reopenings", "brake_distance", "rope_slip", "motor_current"]'
    told: dict[str, Any] = {"channels": f"[{STATES}, {CIRCUITS}, {SPEEDS}]", "features": features, "accelerometer": "true"}
    r = judged(tmp_path, FITTER, "50m", trips="1500", **told)
    assert r["passed"], r["failures"]
    assert (r["warnings"], r["tickets"]) == ([], [])
