"""The benchmark of rosters runs, and gives the figures it promises."""

import pytest

from bench import duty


def test_asking_who_is_on_duty_costs_little_beside_taking_a_change() -> None:
    found = duty.run(n=60, days=5)
    assert found["ratio"] == pytest.approx(found["on_duty_s"] / found["take_a_change_s"])
    assert 0 < found["ratio"] < 1
    assert (found["roles"], found["overrides"]) == (17, 35)
