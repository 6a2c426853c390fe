import pytest

from lifeline.lines import line, lines

TEXT = """\
id = "X1"
en = "a [[fault]] in quotes"

[world.gas]   # the wells
wells = 3
[[world.gas.well]]
volume = "3 m³"
[[world.gas.well]]
volume = "4 m³"

[[fault]]
kind = "gas.leak"
[[fault]]
kind = "gas.leak"
"hole" = "3 mm"
pipe = { from = "a",
  to = "b" }
about = '''
[[fault]]
at = "1h" '''
lasts = "2h"
"""


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("id", 1),
        ("world.gas", 4),
        ("world.gas.wells", 5),
        ("world.gas.well[1].volume", 9),
        ("fault[0].kind", 12),
        ("fault[1].hole", 15),
        ("fault[1].pipe.from", 16),
        ("fault[1].at", 13),
        ("fault[1].about", 18),
        ("fault[1].lasts", 21),
        ("fault[7].at", 1),
        ("nowhere", 1),
    ],
)
def test_each_key_stands_in_its_line_and_a_missing_one_in_its_tables(place: str, number: int) -> None:
    assert line(lines(TEXT), place) == number
