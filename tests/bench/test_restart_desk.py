"""The restart of a desk is measured, on a few warnings."""

from bench import restart_desk


def test_a_desk_that_was_killed_answers_and_pushes_again() -> None:
    found = restart_desk.run(n=20, runs=1)
    assert 0 < found["healthy_s"] < found["listed_s"] < found["map_s"] < found["pushed_s"]
    assert (found["warnings"], found["runs"]) == (20, 1)
