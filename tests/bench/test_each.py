"""Every detector is measured, whatever it judges; sizes are too small to measure anything."""

from pathlib import Path

import pytest

from bench import detect, each
from detectors.rulebook import named
from lifeline.words import Unusable
from pipeline.bench import placed


def test_every_detector_has_its_line() -> None:
    found = each.figures(series=1000, seconds=0.0)
    assert {f["detector"] for f in found} == {name for name, d in named().items() if not hasattr(d, "map")} | {"concord"}
    assert all(f["readings_per_s"] > 0 and f["one_tick_readings_per_s"] > 0 and f["bytes_per_series"] > 0 for f in found)
    limit = next(f for f in found if f["detector"] == "limit")
    assert limit["bytes_per_series"] == 9  # the level and four counts; a limit remembers nothing
    assert len(list(each.lines(found))) == len(found) + 2


def test_a_table_goes_only_where_there_is_a_place_for_it(tmp_path: Path) -> None:
    document, known = tmp_path / "b.md", {"detect": detect, "lake": object()}
    with pytest.raises(Unusable, match="there is no such file"):
        placed(document, "detect", known)
    document.write_text("nothing", "utf-8")
    with pytest.raises(Unusable, match="<!-- detect -->"):
        placed(document, "detect", known)
    with pytest.raises(Unusable, match="lake has no table"):
        placed(document, "lake", known)
