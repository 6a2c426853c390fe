"""docs/detectors/README.md lists what detectors/ holds. Run as a program, this file writes the list anew."""

from importlib import import_module
from pathlib import Path

from detectors import named, rules
from lifeline.model import Detector, is_panel, is_timed

PAGE = Path(__file__).parents[2] / "docs" / "detectors" / "README.md"
HEAD = """# Detectors

One file each in `detectors/`, one page each here: what it sees, the maths, its limits, how often it is wrong. The list is made
by `python tests/detectors/test_index.py`.

| detector | | judges | rules: active, passive |
|---|---|---|---|
"""


def kind(d: Detector) -> str:
    """What a detector is given."""
    if is_panel(d):
        return f"the series of {'an' if d.within == 'asset' else 'a'} {d.within} together"
    if d.channels:
        return f"{len(d.channels)} channels of a lift together"
    if d.judges == "age":
        return "the age of the last reading"
    return "a series and its times" if is_timed(d) else "a series"


def page() -> str:
    lines = []
    for name, d in named().items():
        about = (import_module(f"detectors.{name}").__doc__ or "").split("\n", 1)[0].partition(": ")[2].rstrip(".")
        mine = [r.mode.value for r in rules() if type(r.detector) is type(d)]
        lines.append(f"| [{name}]({name}.md) | {about} | {kind(d)} | {mine.count('active')}, {mine.count('passive')} |")
    return HEAD + "\n".join(lines) + "\n"


def test_the_list_of_detectors_is_what_the_folder_holds() -> None:
    assert PAGE.read_text("utf-8") == page()


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
