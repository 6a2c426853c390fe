"""Warnings against the truth: events made by hand, whose score can be told by looking."""

from dataclasses import dataclass
from typing import Any

import pytest

from lifeline.model import NS, Kind, Level
from pipeline.early import early_score
from pipeline.said import Said, Stood
from pipeline.scoring import Score, score
from simulators.faults import Truth
from simulators.scenario import Expect, Scenario, Ticket

START = 1_784_073_600 * NS
HOUR = 3600.0


@dataclass(frozen=True)
class Fault:
    at: float = HOUR  # [s]


def at(seconds: float) -> int:
    return START + round(seconds * NS)


def scenario(*expect: Expect, ticket: tuple[Ticket, ...] = (), faults: int = 1) -> Scenario:
    return Scenario(
        "T1",
        "测试",
        "test",
        START,
        10 * HOUR,
        expect=expect,
        ticket=ticket,
        fault=(("gas", Fault()),) * faults,
        sensor=(Fault(),),
    )


def leak(asset: str = "well-1", place: str = "", **more: Any) -> Truth:
    known = {"onset": at(HOUR), "detectable": at(HOUR + 60), "end": at(9 * HOUR)} | more
    return Truth(asset, "gas", None, min_level=Level.YELLOW, max_level=Level.RED, place=place, **known)


def warning(*steps: tuple[float, Level], asset: str = "well-1", hazard: str = "gas", **more: Any) -> Said:
    """Told as soon as it is read. steps: [s], level"""
    kind = more.pop("kind", Kind.HAZARD)
    voices, lag = more.pop("voices", 1), more.pop("lag", 0.0)
    return Said(asset, hazard, "gas", tuple(Stood(at(t), at(t + lag), level, kind, voices) for t, level in steps), **more)


def failures(s: Score) -> str:
    return "; ".join(f.en for f in s.failures)


RED = Expect("well-*", ("gas",), Level.RED, 600.0)
RISING = warning((HOUR + 120, Level.BLUE), (HOUR + 300, Level.RED), (8 * HOUR, Level.NORMAL))


def test_delay_is_counted_from_when_it_could_be_known_and_the_level_from_its_onset() -> None:
    s = score(scenario(RED), [leak()], [RISING], [])
    (met,) = s.met
    assert s.passed
    assert (met.delay, met.since, met.reached, met.level) == (60.0, 120.0, 300.0, Level.RED)


def test_nobody_knows_before_the_reading_has_arrived() -> None:
    s = score(scenario(RED), [leak()], [warning((HOUR + 120, Level.RED), lag=1200.0)], [])
    assert s.met[0].since == 1320.0
    assert "took 22 min to RED, had 10 min" in failures(s)


@pytest.mark.parametrize(
    ("hazards", "said"),
    [
        ([], "missed: gas @ well-*, expected RED"),
        ([warning((HOUR + 60, Level.ORANGE))], "reached ORANGE only, expected RED"),
        ([warning((HOUR + 60, Level.BLUE), (HOUR + 700, Level.RED))], "took 11.7 min to RED, had 10 min"),
        ([RISING, warning((HOUR, Level.BLUE), hazard="flood")], "false warning: well-1 flood BLUE, 60 min after the start"),
        ([RISING, warning((HOUR, Level.RED), asset="main-1")], "false warning: main-1 gas RED"),
        ([warning((HOUR / 2, Level.RED))], "false warning: well-1 gas RED, 30 min after the start"),
    ],
)
def test_what_fails_is_said(hazards: list[Said], said: str) -> None:
    s = score(scenario(RED), [leak()], hazards, [])
    assert not s.passed
    assert said in failures(s).replace("1 h", "60 min")


def test_a_warning_before_anything_has_happened_detects_nothing() -> None:
    """It stood already when the leak began, and said nothing new of it."""
    s = score(scenario(RED), [leak()], [warning((HOUR / 2, Level.RED))], [])
    assert not s.met[0].detected
    assert len(s.wrong) == 1


def test_what_is_only_allowed_need_not_be_said_but_may_not_be_exaggerated() -> None:
    may = scenario(Expect("well-1", ("gas",), most=Level.YELLOW))
    assert score(may, [], [], []).passed
    assert score(may, [], [warning((60, Level.YELLOW))], []).passed
    too_much = score(may, [], [warning((60, Level.RED))], [])
    assert "well-1 gas was called RED, YELLOW at most is right" in failures(too_much)
    assert not too_much.wrong


def test_several_voices_and_the_right_department_can_be_asked_for() -> None:
    two = Expect("well-*", ("gas",), Level.RED, voices=2)
    assert "rests on 1 sensors, expected 2" in failures(score(scenario(two), [leak()], [RISING], []))
    assert score(scenario(two), [leak()], [warning((HOUR + 300, Level.RED), voices=2)], []).passed
    drains = Expect("well-*", ("gas", "biogas"), Level.RED, route="drainage")
    assert "went to city, emergency, fire, gas, housing, not to drainage" in failures(
        score(scenario(drains), [leak()], [RISING], [])
    )
    assert score(scenario(drains), [leak()], [warning((HOUR + 300, Level.RED), hazard="biogas")], []).passed


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ((), "is not located: the warning names no place"),
        (("p3", "p4", "p5"), "the true place is not among the first 2 named"),
        (("p3", "p4", "p7"), "the true place is not among the first 2 named"),
        (("p3", "p7", "p4"), ""),
    ],
)
def test_the_true_place_is_looked_for_among_those_that_the_warning_names(places: tuple[str, ...], said: str) -> None:
    top = Expect("well-*", ("gas",), Level.RED, top=2)
    s = score(scenario(top), [leak(place="p7")], [warning((HOUR + 300, Level.RED), places=places)], [])
    assert said in failures(s)
    assert s.passed is not bool(said)


def test_a_sensor_at_fault_taken_for_a_hazard_is_told_from_other_false_warnings() -> None:
    stuck = Truth("well-1", None, "stuck", at(0), at(0), at(HOUR), Level.NORMAL, Level.NORMAL)
    wrong = [warning((1800, Level.BLUE)), warning((1800, Level.BLUE), asset="well-2"), warning((9 * HOUR, Level.BLUE))]
    s = score(scenario(), [stuck], wrong, [])
    assert list(s.wrong) == wrong
    assert list(s.ill) == wrong[:1]
    real = leak(onset=at(1000), detectable=at(1000))
    assert not score(scenario(), [stuck, real], wrong, []).ill  # there was something to warn of, by another name


def test_what_is_said_when_all_is_long_over_is_false_and_detects_nothing() -> None:
    brief = leak(end=at(2 * HOUR))
    in_time, late = warning((3 * HOUR, Level.RED)), warning((5 * HOUR, Level.RED))  # windows of rules are two hours
    assert not score(scenario(RED), [brief], [RISING, in_time], []).wrong
    s = score(scenario(RED), [brief], [late], [])
    assert list(s.wrong) == [late]
    assert not s.met[0].detected
    may = scenario(Expect("well-1", ("gas",)))
    assert not score(may, [brief], [late], []).wrong


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ([], ""),
        ([(4 * HOUR, Level.ORANGE)], "stood at RED for 2.92 h, not 6 h"),
        ([(4 * HOUR, Level.ORANGE), (4.5 * HOUR, Level.RED)], "stood at RED for 2.92 h, not 6 h"),
        ([(8 * HOUR, Level.NORMAL)], ""),
    ],
)
def test_a_level_that_must_stay_may_not_be_lowered_in_between(after: list[tuple[float, Level]], said: str) -> None:
    stays = Expect("well-*", ("gas",), Level.RED, 600.0, stays=6 * HOUR)
    got = failures(score(scenario(stays), [leak()], [warning((HOUR + 300, Level.RED), *after)], []))
    assert said in got if said else not got


def test_another_warning_that_stands_in_time_keeps_a_level() -> None:
    stays = Expect("well-*", ("gas",), Level.RED, stays=6 * HOUR)
    first = warning((HOUR + 300, Level.RED), (4 * HOUR, Level.NORMAL))
    second = warning((3 * HOUR, Level.RED), asset="well-2")
    assert score(scenario(stays), [leak(), leak("well-2")], [first, second], []).passed


def test_a_clock_that_is_off_hides_no_fault_taken_for_a_hazard() -> None:
    """Readings dated an hour before the clock went wrong, and hours after it was right again."""
    off = Truth("well-1", None, "skew", at(5 * HOUR), at(5 * HOUR), at(6 * HOUR), Level.NORMAL, Level.NORMAL)
    behind, ahead = warning((4.5 * HOUR, Level.RED), lag=HOUR), warning((9 * HOUR, Level.RED), lag=-3.5 * HOUR)
    s = score(scenario(), [off], [behind, ahead, warning((4.5 * HOUR, Level.RED))], [])
    assert list(s.ill) == [behind, ahead]


def test_a_ticket_that_becomes_a_warning_is_raised_as_such() -> None:
    steps = (Stood(at(HOUR / 2), at(HOUR / 2), Level.BLUE, Kind.TICKET, 1), *RISING.steps)
    s = score(scenario(RED), [leak()], [Said("well-1", "gas", "gas", steps)], [])
    assert s.passed
    assert s.met[0].since == 120.0


def test_a_ticket_must_come_in_time() -> None:
    asked = scenario(ticket=(Ticket("well-*", ("*",), within=600.0),))
    ticket = warning((HOUR + 500, Level.BLUE), hazard="stuck", kind=Kind.TICKET)
    assert score(asked, [], [], [ticket]).passed
    late = warning((HOUR + 700, Level.BLUE), hazard="stuck", kind=Kind.TICKET)
    assert "no ticket: * @ well-* within 10 min" in failures(score(asked, [], [], [late]))
    early = warning((HOUR - 100, Level.BLUE), hazard="stuck", kind=Kind.TICKET)
    assert not score(asked, [], [], [early]).passed


def test_levels_given_stand_beside_those_deserved() -> None:
    s = score(scenario(RED), [leak(), leak("well-2")], [RISING], [])
    assert s.graded == ((Level.YELLOW, Level.RED, Level.RED), (Level.YELLOW, Level.RED, Level.NORMAL))


def test_early_detection_of_a_leak_is_that_of_leakdb() -> None:
    """2 / (1 + exp(6 x / τ)) by hand: 1 at once, 0.0949 at half of the window, none where the alarm does not last."""
    day = 24 * HOUR
    e = Expect("a", ("water_leak",), Level.BLUE, day)
    at_once, half = warning((0, Level.BLUE), hazard="water_leak"), warning((day / 2, Level.BLUE), hazard="water_leak")
    brief = warning((0, Level.BLUE), (day / 2, Level.NORMAL), hazard="water_leak")
    got = [early_score(e, START, [w], at(3 * day)) for w in (at_once, half, brief)]
    assert got == pytest.approx([1.0, 0.09485, 0.0], abs=1e-5)
    assert early_score(e, START, [], at(3 * day)) == 0.0
    assert early_score(RED, START, [RISING], at(3 * day)) is None
