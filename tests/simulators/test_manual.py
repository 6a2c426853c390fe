"""docs/scenarios.md says what the program takes. Run as a script, this file writes its tables."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from lifeline.measures import Seconds, measure
from simulators.manual import keys, markdown

MANUAL = Path(__file__).parents[2] / "docs" / "scenarios.md"


def whole(text: str, tables: str) -> str:
    """The manual with these tables."""
    head, _, rest = text.partition("<!-- tables -->\n")
    return f"{head}<!-- tables -->\n{tables}{rest[rest.index('<!-- end -->') :]}"


@dataclass(frozen=True)
class Hole:
    """A hole in a pipe."""

    at: Seconds  # [s] when it opens
    kind: Literal["round", "slit"] = "round"
    size: Annotated[float, measure("mm", 0.1, 500)] = 0.003  # [m] diameter
    marks: tuple[str, ...] = ()


def test_the_manual_names_every_key_as_the_program_takes_it() -> None:
    text = MANUAL.read_text("utf-8")
    assert whole(text, markdown()) == text, f"run: python {Path(__file__).relative_to(MANUAL.parents[1])}"


def test_a_key_is_told_with_its_unit_its_bounds_and_its_default() -> None:
    at, kind, size, marks = keys(Hole)
    assert (at.allowed, at.default, at.about) == ("a duration such as 30s, 5m, 4h, 7d", "", "[s] when it opens")
    assert (kind.allowed, kind.default) == ('"round" or "slit"', "round")
    assert (size.allowed, size.default, size.about) == ("from 0.1 to 500 mm", "3 mm", "[m] diameter")
    assert (marks.allowed, marks.default) == ("a list in [ ] of: text", "none")


if __name__ == "__main__":
    MANUAL.write_text(whole(MANUAL.read_text("utf-8"), markdown()), "utf-8")
