"""docs/metrics.md is what the code tells; run as a script this writes it."""

import re
from pathlib import Path
from typing import Final

import pytest

from lifeline.vitals import Settings
from pipeline.figures import figures, page, registries
from pipeline.stopwatch import SPENT, timed
from pipeline.watch_meters import REASONS, Metrics

PAGE: Final = Path(__file__).parents[2] / "docs/metrics.md"
KNOWN: Final = {"process", "le", "version", "python", "reason", "level", "state", "domain", "fate", "quality", "rule", "source",
                "integration", "certificate", "of", "code"}  # fmt: skip


def test_the_page_is_made_from_the_code() -> None:
    assert PAGE.read_text("utf-8") == page()


@pytest.mark.parametrize("process", ["receive", "watch", "desk", "mirror"])
def test_names_say_process_and_unit_and_no_label_grows_with_the_city(process: str) -> None:
    told = figures(registries()[process])
    assert len(told) > 15
    for figure in told:
        assert re.match(rf"lifeline_({process}|canary|build)_|process_", figure.name), figure
        assert set(figure.labels) <= KNOWN
        assert figure.text
        assert not figure.text.endswith(".")
        if figure.kind == "counter":
            assert figure.name.endswith("_total")


def test_reasons_that_are_told_apart_are_few() -> None:
    metrics = Metrics()
    for i in range(10 * REASONS):
        metrics.refused(f"reason {i}; and another", 2)
    lines = [s for m in metrics.registry.collect() for s in m.samples if s.name == "lifeline_watch_refused_total"]
    assert len(lines) <= REASONS + 1
    assert sum(s.value for s in lines) == 20 * REASONS


def test_a_rule_is_timed_and_says_the_same() -> None:
    class Named:
        id = "test.rule"

    assert timed(lambda rule, x: (rule.id, x))(Named(), 3) == ("test.rule", 3)  # type: ignore[arg-type]
    steps, seconds = SPENT.pop("test.rule")
    assert steps == 1.0
    assert seconds >= 0.0


def test_a_configuration_that_has_changed_is_pending_and_is_tried(tmp_path: Path) -> None:
    path = tmp_path / "lifeline.toml"
    path.write_text('[city]\nname = "a"\ncatalog = "c.csv"\n')
    settings = Settings(path)
    assert (settings.look(), settings.good()) == (False, 1.0)
    path.write_text('[city]\nname = "a/b"\ncatalog = "c.csv"\n')
    assert (settings.look(), settings.good()) == (True, 0.0)
    path.write_text('[city]\nname = "b"\ncatalog = "c.csv"\n')
    assert (settings.look(), settings.good()) == (True, 1.0)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
