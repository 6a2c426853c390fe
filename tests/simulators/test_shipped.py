"""The scenarios that come with the program: one for each line of the field's lists; what each demands is deserved."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import pytest

from simulators.scenario import FOLDER, files, load
from simulators.stage import stage

LISTS: Final = {"gas": ("G", 15), "water": ("W", 15), "bridge": ("B", 17), "elevator": ("E", 17)}
CITIES: Final = {"small", "large", "quiet", "demo"}


def test_there_is_one_for_each_line_of_the_lists_and_the_cities() -> None:
    for folder, (letter, n) in LISTS.items():
        found = [load(path) for path in files(FOLDER / folder)]
        assert [s.id for s in found] == [f"{letter}{i + 1}" for i in range(n)]
        assert all(folder in s.worlds and s.zh and s.en for s in found)
    assert {load(path).id for path in files(FOLDER / "cities")} == CITIES


@pytest.mark.parametrize("path", [p for folder in LISTS for p in files(FOLDER / folder)], ids=lambda p: p.stem)
def test_what_it_demands_is_deserved_by_something_true_in_it(path: Path) -> None:
    s = load(path)
    truth = stage(s).truth
    for e in s.expect:
        if e.level:
            deserving = [t for t in truth if t.hazard in e.hazard and fnmatchcase(t.asset, e.asset) and t.max_level >= e.level]
            assert deserving, e
            assert any(t.onset < s.end for t in deserving)
            assert not e.top or any(t.place for t in deserving)
    for ticket in s.ticket:
        assert any(t.sensor_fault and fnmatchcase(t.asset, ticket.asset) for t in truth), ticket
    if not any(e.level for e in s.expect) and not s.ticket:
        assert s.sensor or s.transport or s.fault  # something happens that might be mistaken for a hazard
