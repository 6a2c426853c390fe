"""docs/nomenclature.md says what lifeline/units.py says. Run as a program, this file writes the tables anew."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from lifeline.units import QUANTITIES, UNITS, WORDS

PAGE = Path(__file__).parents[2] / "docs" / "nomenclature.md"
TERMS = (
    "row", "key", "asset", "device", "district", "step", "level", "rule", "score", "hazard", "ticket", "change", "case",
    "warning", "onset", "journal", "offset", "dead letter", "in flight", "lake", "checkpoint",
)  # fmt: skip


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, ["---"] * len(heads), *rows))


def tables() -> dict[str, str]:
    return {
        "quantities": table(
            ("name", "English", "中文", "SI inside", "shown"),
            ((f"`{name}`", q.en, q.zh, q.si, q.shown) for name, q in QUANTITIES.items()),
        ),
        "units": table(
            ("unit", "SI", "scale", "offset"),
            ((f"`{name}`", u.si, f"{u.scale:.10g}", f"{u.offset:g}") for name, u in UNITS.items()),
        ),
        "words": table(
            ("quantity", "words"),
            ((f"`{q}`", ", ".join(f"{word} = {value:g}" for word, value in words.items())) for q, words in WORDS.items()),
        ),
    }


def renewed(page: str) -> str:
    for name, rows in tables().items():
        page = re.sub(rf"<!-- {name} -->\n.*?<!-- end -->", f"<!-- {name} -->\n{rows}\n<!-- end -->", page, flags=re.DOTALL)
    return page


@pytest.mark.parametrize("name", tables())
def test_the_tables_say_what_the_program_does(name: str) -> None:
    again = "run python tests/lifeline/test_nomenclature.py"
    assert f"<!-- {name} -->\n{tables()[name]}\n<!-- end -->" in PAGE.read_text("utf-8"), again


@pytest.mark.parametrize("term", TERMS)
def test_each_term_is_told_once_in_both_languages(term: str) -> None:
    rows = re.findall(rf"^\| {term} \| ([^|]+) \| ([^|]+) \|$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    assert len(rows) == 1
    assert re.search(r"[\u4e00-\u9fff]", rows[0][0])


def test_every_unit_that_is_shown_is_a_unit_of_its_quantity() -> None:
    for name, q in QUANTITIES.items():
        assert UNITS[q.shown].si == q.si, name


@pytest.mark.parametrize("name", UNITS)
def test_conversion_and_back_gives_the_same_value(name: str) -> None:
    unit = UNITS[name]
    assert unit.from_si(unit.to_si(3.5)) == pytest.approx(3.5, rel=1e-12)
    assert UNITS.get(unit.si, unit).si == unit.si


def test_si_units_convert_to_themselves() -> None:
    assert all((UNITS[u.si].scale, UNITS[u.si].offset) == (1.0, 0.0) for u in UNITS.values())


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")
