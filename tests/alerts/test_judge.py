"""Level and reason of a case, by table and by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.judge import Standing, Why, judge
from lifeline.model import Kind, Level, Mode

N, B, Y, O, R = Level


def says(level: Level, device: str = "d1", quantity: str = "methane", **more: object) -> Standing:
    said = {"rule": "limit", "hard": False, "kind": Kind.HAZARD, "mode": Mode.ACTIVE} | more
    return Standing(key=f"{device}/{quantity}", device=device, quantity=quantity, level=level, **said)  # type: ignore[arg-type]


LONE = [
    ([], N, Why.QUIET),
    ([says(B)], B, Why.LONE),
    ([says(Y)], Y, Why.LONE),
    ([says(O)], Y, Why.CAPPED),
    ([says(R)], Y, Why.CAPPED),
    ([says(O, hard=True)], O, Why.HARD),
    ([says(R, hard=True)], R, Why.HARD),
    ([says(B, hard=True)], B, Why.LONE),
    (
        [says(O, hard=True), says(R, rule="rise")],
        O,
        Why.CAPPED,
    ),  # one series, two rules: the hard one carries as far as it goes
    ([says(R), says(R, rule="rise")], Y, Why.CAPPED),
]
TOGETHER = [
    ([says(B), says(B, "d2")], Y, Why.AGREED),
    ([says(Y), says(Y, "d2")], O, Why.AGREED),
    ([says(O), says(O, "d2")], R, Why.AGREED),
    ([says(R), says(R, "d2")], R, Why.SEVERAL),
    ([says(R), says(B, "d2")], R, Why.SEVERAL),  # the cap is lifted, nothing is added
    ([says(O), says(Y, "d2")], O, Why.SEVERAL),
    ([says(Y), says(Y, quantity="gas_pressure")], O, Why.AGREED),  # one device, two quantities
    ([says(Y), says(Y, "d2"), says(Y, "d3")], O, Why.AGREED),  # a third adds nothing
    ([says(Y), says(Y, rule="rise"), says(B, "d2")], Y, Why.SEVERAL),
    ([says(O), says(N, "d2")], Y, Why.CAPPED),  # a quiet neighbour confirms nothing
]
OTHERS = [
    ([says(R, mode=Mode.PASSIVE)], N, Why.QUIET),
    ([says(O), says(O, "d2", mode=Mode.PASSIVE)], Y, Why.CAPPED),
    ([says(O, kind=Kind.TICKET)], Y, Why.TICKET),
    ([says(R, kind=Kind.TICKET, hard=True), says(R, "d2", kind=Kind.TICKET)], Y, Why.TICKET),
    ([says(B), says(Y, "d2", kind=Kind.TICKET)], B, Why.LONE),
]


@pytest.mark.parametrize(("standings", "level", "why"), LONE + TOGETHER + OTHERS)
def test_a_case_stands_where_its_sensors_put_it(standings: list[Standing], level: Level, why: Why) -> None:
    verdict = judge(standings)
    assert (verdict.level, verdict.why) == (level, why)


def test_the_kind_is_a_ticket_only_while_no_hazard_stands() -> None:
    assert judge([says(Y, kind=Kind.TICKET)]).kind is Kind.TICKET
    assert judge([says(Y, kind=Kind.TICKET), says(B, "d2")]).kind is Kind.HAZARD


def test_voices_are_counted_by_device_and_quantity() -> None:
    assert judge([says(Y), says(O, rule="rise"), says(Y, "d2"), says(Y, quantity="gas_flow")]).voices == 3


anybody = st.builds(
    says,
    st.sampled_from(Level),
    st.sampled_from(["d1", "d2"]),
    st.sampled_from(["methane", "gas_flow"]),
    rule=st.sampled_from(["limit", "rise"]),
    hard=st.booleans(),
    kind=st.sampled_from(Kind),
    mode=st.sampled_from(Mode),
)


@given(st.lists(anybody, max_size=6), st.randoms())
def test_the_order_of_the_sensors_does_not_matter(standings: list[Standing], random: object) -> None:
    mixed = list(standings)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert judge(mixed) == judge(standings)


@given(st.lists(anybody, min_size=1, max_size=6), st.integers(0, 5))
def test_a_sensor_that_says_worse_never_makes_the_case_milder(standings: list[Standing], which: int) -> None:
    i = which % len(standings)
    worse = [*standings]
    worse[i] = standings[i]._replace(level=Level(min(R, standings[i].level + 1)))
    if standings[i].kind is Kind.TICKET or judge(standings).kind is judge(worse).kind:
        assert judge(worse).level >= judge(standings).level


@given(st.lists(anybody, max_size=6))
def test_nothing_above_yellow_rests_on_one_sensor_unless_it_is_hard(standings: list[Standing]) -> None:
    verdict = judge(standings)
    hazards = [s for s in standings if s.kind is Kind.HAZARD and s.mode is Mode.ACTIVE and s.level]
    if verdict.level > Y:
        assert verdict.voices > 1 or any(s.hard and s.level >= verdict.level for s in hazards)
