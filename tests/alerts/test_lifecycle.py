"""The table, and what no order of acts may do."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.case import answered, closed, moved, opened
from alerts.judge import Verdict, Why
from alerts.lifecycle import (
    ACTIVE,
    BEEN_RED,
    GONE,
    NEXT,
    OPEN,
    QUIET,
    TAKEN,
    URGENT,
    Act,
    Refused,
    State,
    act_of,
    diagram,
    step,
)
from lifeline.model import Change, Domain, Evidence, Kind, Level, Mode

N, B, Y, O, R = Level
BLANK: dict[str, Any] = {
    "id": "c", "t": 0, "city": "c", "district": "d", "domain": Domain.GAS, "asset": "W-1", "device": "d1", "key": "d1/ch4",
    "quantity": "methane", "rule": "r", "hazard": "gas_accumulation", "kind": Kind.HAZARD, "mode": Mode.ACTIVE, "hard": True,
    "old": "NORMAL", "new": "YELLOW", "score": None, "lat": 0.0, "lon": 0.0, "owner": "o",
    "evidence": Evidence([], [], "1", {}, "1"),
}  # fmt: skip
acts = st.lists(st.sampled_from(Act), max_size=30)


def walk(done: list[Act]) -> list[tuple[State, Act, State]]:
    """States before and after each act that is not refused."""
    state, steps = QUIET, []
    for act in done:
        try:
            after = step(state, act)
        except Refused:
            continue
        steps.append((state, act, after))
        state = after
    return steps


@given(acts)
def test_an_active_warning_is_never_forgotten(done: list[Act]) -> None:
    active = False
    for _, act, after in walk(done):
        if act in {Act.RAISE, Act.REDDEN}:
            active = True
        elif act is Act.CLEAR:
            active = False
        assert (after in ACTIVE) is active


@given(acts)
def test_a_red_warning_asks_until_somebody_answers_and_ends_only_when_somebody_closes_it(done: list[Act]) -> None:
    answered = closed = True
    for _, act, after in walk(done):
        if act is Act.REDDEN:
            answered = closed = False
        elif act is Act.ACK:
            answered = True
        elif act is Act.CLOSE:
            answered = closed = True
        assert answered or after in {URGENT, GONE}
        assert closed or after in BEEN_RED


@given(acts)
def test_a_rise_is_open_until_somebody_answers_that_rise(done: list[Act]) -> None:
    for _, act, after in walk(done):
        if act in {Act.RAISE, Act.REDDEN}:
            assert after in {OPEN, URGENT}
        if after is TAKEN:
            assert act in {Act.ACK, Act.EASE}


@pytest.mark.parametrize("state", State)
def test_a_rise_is_refused_nowhere_and_an_end_wherever_nothing_is_active(state: State) -> None:
    assert (state, Act.RAISE) in NEXT
    assert (state, Act.REDDEN) in NEXT
    assert ((state, Act.CLEAR) in NEXT) is (state in ACTIVE)


def reachable() -> set[tuple[State, Level, Level]]:
    """Every (state, level, answered) that changes of level and answers can lead to."""
    known: set[tuple[State, Level, Level, Kind]] = set()
    ahead = [opened(Change(**BLANK), 0)]
    while ahead:
        case = ahead.pop()
        if (case.state, case.level, case.answered, case.kind) in known:
            continue
        known.add((case.state, case.level, case.answered, case.kind))
        verdicts = [Verdict(level, kind, Why.LONE, 1, None) for level in Level for kind in Kind]
        moves = [v for v in verdicts if v.level is not case.level or (v.level and v.kind is not case.kind)]
        ahead += [moved(case, verdict, 0, 0)[0] for verdict in moves]
        if (case.state, Act.ACK) in NEXT:
            ahead.append(answered(case, "somebody", "", 0))
        if (case.state, Act.CLOSE) in NEXT:
            ahead.append(closed(case, "somebody", 0))
    return {(state, level, answer) for state, level, answer, _ in known}


def test_every_case_that_can_be_knows_every_change_of_level() -> None:
    """moved() refuses nothing on the way; and what is over has no answer left that counts."""
    known = reachable()
    assert {state for state, _, _ in known} == set(State)
    assert (GONE, N, N) in known
    assert all(answer is N for state, _, answer in known if state not in ACTIVE)
    assert all((level is N) is (state not in ACTIVE) for state, level, _ in known)


def test_what_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(Refused, match="a case that is quiet knows no ack"):
        step(QUIET, Act.ACK)


@pytest.mark.parametrize(
    ("before", "after", "answered", "act"),
    [
        (N, B, N, Act.RAISE),
        (N, R, N, Act.REDDEN),
        (Y, O, N, Act.RAISE),
        (O, R, O, Act.REDDEN),
        (O, Y, N, Act.EASE),
        (Y, O, O, Act.EASE),  # back to what was answered
        (Y, R, R, Act.EASE),
        (R, N, N, Act.CLEAR),
        (N, Y, Y, Act.RAISE),  # what was answered is over
        (N, R, R, Act.REDDEN),
    ],
)
def test_a_change_of_level_is_one_act(before: Level, after: Level, answered: Level, act: Act) -> None:
    assert act_of(before, after, answered) is act


def test_the_diagram_in_the_docs_is_drawn_from_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "desk.md").read_text("utf-8")
    assert f"```mermaid\n{diagram()}\n```" in page
