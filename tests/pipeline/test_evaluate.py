"""The whole command over a pond whose level is a straight line: what must come out can be reckoned on paper."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import active_children
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
import pytest

from lifeline.measures import measure, time
from lifeline.model import NS, Batch, Block, Domain, Level
from lifeline.words import Unusable
from pipeline.envelope import Envelope
from pipeline.evaluate import finished, run
from pipeline.plots import clock
from pipeline.trial import Job
from simulators import scenario
from simulators.columns import columns, series
from simulators.faults import Truth
from simulators.plan import Plan, Site
from simulators.world import Part, Scene, Turn, batch

RULES = """\
domain = "water"
[[rule]]
id = "water.level.high"
quantity = "water_level"
hazard = "water_overflow"
kind = "hazard"
mode = "active"
detector = "limit"
unit = "m"
enter = { BLUE = 4.0, YELLOW = 6.0, RED = 9.0 }
hard = "RED"
source = "test"
confidence = "D"
"""
FLOOD = """\
id = "F1"
zh = "池塘涨水"
en = "a pond that rises"
start = "2026-07-15T08:00:00+08:00"
duration = "3h"

[world.pond]

[[fault]]
kind = "pond.rise"
at = "1h"

[[expect]]
asset = "pond-1"
hazard = ["water_overflow"]
level = "YELLOW"
within = "1h"
"""
STUCK = """\
id = "F2"
zh = "浮子卡住"
en = "a float that is stuck"
start = "2026-07-15T08:00:00+08:00"
duration = "1h"

[world.pond]

[[sensor]]
kind = "stuck"
series = "float-1/level"
value = "5 m"
at = "30m"
"""


@dataclass(frozen=True)
class Rise:
    """The pond rises from 3 m by 6 m an hour."""

    at: Annotated[float, time("0s", "7d")]  # [s]


@dataclass(frozen=True)
class PondWorld:
    level: Annotated[float, measure("m", 0, 10)] = 3.0  # [m]


class Still(NamedTuple):
    """A pond remembers nothing."""


@dataclass(frozen=True)
class Pond:
    rises: tuple[Rise, ...]
    start: int
    span: ClassVar[int] = 60

    def init(self, second: int) -> Still:  # noqa: ARG002
        return Still()

    def step(self, s: Still, second: int) -> tuple[Still, list[Part]]:
        t = second * NS
        gone = sum(max(t - self.start - round(r.at * NS), 0) / NS for r in self.rises)
        if gone > 7000:
            raise RuntimeError("the dam has broken")
        return s, [batch([0], t, [3.0 + 6.0 * gone / 3600])]

    def truth(self) -> list[Truth]:
        onset = [self.start + round(r.at * NS) for r in self.rises]
        return [
            Truth("pond-1", "water_overflow", None, t, t + 600 * NS, t + 7200 * NS, Level.YELLOW, Level.ORANGE) for t in onset
        ]


@dataclass(frozen=True)
class PondMaker:
    world: type = PondWorld
    faults: Any = None

    def scene(self, world: PondWorld, faults: Sequence[Rise], start: int, seed: int) -> Scene:  # noqa: ARG002
        row = series(
            Domain.WATER, "pond-1", "float-1", "level", "water_level", "m", (0, 20), 60.0, Site("1", "here", 24.0, 102.0)
        )
        return Scene(columns([row]), Pond(tuple(faults), start))

    def town(self, plan: Plan, faults: Sequence[Rise], start: int, seed: int) -> Scene:  # noqa: ARG002
        return self.scene(PondWorld(), faults, start, seed)


@pytest.fixture(autouse=True)
def _pond(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"pond": PondMaker(faults={"rise": Rise})}
    monkeypatch.setattr(scenario, "makers", lambda: made)
    monkeypatch.setattr("simulators.stage.makers", lambda: made)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "water.toml").write_text(RULES, "utf-8")
    return tmp_path / "rules"


def written(folder: Path, text: str, name: str = "F1") -> str:
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    return str(path)


def told(names: Sequence[str], rules: Path, **more: Any) -> dict[str, Any]:
    said, _ = run(names, rules=rules, jobs=1, as_json=True, **more)
    found: dict[str, Any] = json.loads(said)
    return found


def test_a_flood_is_found_when_the_line_crosses_the_limit(tmp_path: Path, rules: Path) -> None:
    """3 m + 6 m/h: 4 m after 10 min, when it can be known; 6 m after 30 min; the first reading at or above is told."""
    whole = told([written(tmp_path, FLOOD.replace("3h", "110m"))], rules)
    (r,) = whole["scenarios"]
    assert (r["passed"], r["detected"], r["level"]) == (True, True, "YELLOW")  # one float: YELLOW is as far as it may go
    assert r["since_s"] == pytest.approx(600, abs=60)
    assert r["delay_s"] == pytest.approx(r["since_s"] - 600)
    assert r["reached_s"] == pytest.approx(1800, abs=60)
    assert (r["false_warnings"], r["fault_as_hazard"], r["failures"]) == (0, 0, [])
    assert {"passed", "total", "false_per_day", "fault_as_hazard"} <= whole["summary"].keys()
    assert whole["summary"]["levels"]["table"] == {"YELLOW": {"NORMAL": 0, "BLUE": 0, "YELLOW": 1, "ORANGE": 0, "RED": 0}}


def test_what_a_device_kept_back_is_known_when_it_arrives(tmp_path: Path, rules: Path) -> None:
    """The line is over 4 m after 70 min, but nothing is heard from minute 60 to minute 100."""
    cut = '[[transport]]\nkind = "outage"\ndevice = "*"\nat = "1h"\nlasts = "40m"\n'
    whole = told([written(tmp_path, FLOOD.replace("3h", "110m") + cut)], rules)
    (r,) = whole["scenarios"]
    assert r["since_s"] == pytest.approx(2400, abs=60)
    assert r["warnings"][0]["late"]
    assert r["passed"]  # within = "1h"


def test_a_stuck_float_is_a_fault_taken_for_a_hazard(tmp_path: Path, rules: Path) -> None:
    whole = told([written(tmp_path, STUCK)], rules)
    (r,) = whole["scenarios"]
    assert (r["passed"], r["detected"], r["false_warnings"], r["fault_as_hazard"]) == (False, None, 1, 1)
    (wrong,) = r["warnings"]
    assert (wrong["level"], wrong["false"], wrong["of_fault"]) == ("BLUE", True, True)
    # one false warning in an hour of one asset; the small city has 20 such assets
    assert whole["summary"]["false_per_asset_year"]["water"] == pytest.approx(24 * 365.25)
    assert whole["summary"]["false_per_day"] == pytest.approx(24 * 20)


def test_a_scenario_that_crashes_or_cannot_be_read_is_a_failure_and_the_others_go_on(tmp_path: Path, rules: Path) -> None:
    broken, unread = written(tmp_path, FLOOD), written(tmp_path, "id = ", "F3")
    whole = told([broken, unread, written(tmp_path, STUCK, "F2")], rules)
    crash, mute, fine = whole["scenarios"]
    assert (crash["passed"], crash["detected"], crash["crashed"]) == (False, False, True)
    assert "RuntimeError: the dam has broken" in crash["failures"][0]
    assert "is no TOML" in mute["failures"][0]
    assert not fine["crashed"]
    assert whole["summary"]["total"] == 3


def test_strict_tells_failure_by_its_exit_code(tmp_path: Path, rules: Path) -> None:
    bad = [written(tmp_path, STUCK)]
    assert run(bad, rules=rules, jobs=1)[1] == 0
    assert run(bad, rules=rules, jobs=1, strict=True)[1] == 1


def test_another_limit_is_asked_what_it_would_have_cost(tmp_path: Path, rules: Path) -> None:
    """BLUE at 5.5 m instead of 4 m: the flood is found 15 min later, and the float stuck at 5 m fools nobody."""
    names = [written(tmp_path, FLOOD.replace("3h", "110m")), written(tmp_path, STUCK, "F2")]
    w = told(names, rules, what_if=["water.level.high.BLUE=5.5"])["what_if"]
    assert w["later_min"] == pytest.approx(15, abs=1)
    assert (w["false_warnings"], w["fault_as_hazard"], w["passed"]) == ([1, 0], [1, 0], [1, 2])
    assert (w["gained"], w["lost"]) == ([], [])
    high = told(names, rules, what_if=["water.level.high.BLUE=30", "water.level.high.YELLOW=40", "water.level.high.RED=50"])
    assert high["what_if"]["lost"] == ["F1"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("water.level.hihg.BLUE=5", "no such rule; did you mean 'water.level.high'?"),
        ("water.level.high.ORANGE=5", "the rule has no ORANGE; it has BLUE, YELLOW, RED"),
        ("water.level.high.BLEU=5", "did you mean 'BLUE'?"),
        ("water.level.high.BLUE=7", "bounds must rise with the level"),
        ("water.level.high.BLUE=high", "Expected `float`"),
        ("water.level.high.hold=0", "hold: from 1 to"),
        ("water.level.high.BLUE", "write RULE.LEVEL=VALUE"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_before_anything_runs(tmp_path: Path, rules: Path, asked: str, said: str) -> None:
    with pytest.raises(Unusable, match="what-if") as why:
        told([written(tmp_path, FLOOD)], rules, what_if=[asked])
    assert said in str(why.value)


def test_an_earlier_report_says_what_is_better_worse_new_and_gone(tmp_path: Path, rules: Path) -> None:
    flood, stuck = written(tmp_path, FLOOD.replace("3h", "110m")), written(tmp_path, STUCK, "F2")
    before = tmp_path / "before.json"
    before.write_text(json.dumps(told([stuck], rules)), "utf-8")
    (rules / "water.toml").write_text(RULES.replace("BLUE = 4.0", "BLUE = 5.5"), "utf-8")
    found = told([stuck, flood], rules, against=before)["against"]
    assert [x["id"] for x in found["better"]] == ["F2"]
    assert found["better"][0]["what"] == ["passed", "false_warnings 1 → 0", "fault_as_hazard 1 → 0"]
    assert (found["worse"], found["new"], found["gone"]) == ([], ["F1"], [])
    assert told([flood], rules, against=before)["against"]["gone"] == ["F2"]
    with pytest.raises(Unusable, match="is no report"):
        told([flood], rules, against=rules / "water.toml")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"html": "nowhere/page.html"}, "page.html: cannot be written"),
        ({"markdown": "nowhere/doc.md"}, "doc.md: cannot be written"),
        ({"markdown": "plain.md"}, "has no place for the tables"),
        ({"against": "plain.md"}, "is no report"),
        ({"against": "half.json"}, "is no report of lifeline evaluate --json: KeyError 'detected'"),
        ({"against": "odd.json"}, "is no report"),
        ({"rules": "empty"}, "holds no rules"),
    ],
)
def test_what_must_fail_in_the_end_is_refused_before_anything_runs(
    tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, str], said: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "plain.md").write_text("no place", "utf-8")
    (tmp_path / "half.json").write_text('{"scenarios": [{"id": "F1", "passed": true}]}', "utf-8")
    odd = {"id": "F1", "passed": True, "detected": True, "false_warnings": "many", "fault_as_hazard": 0}
    (tmp_path / "odd.json").write_text(json.dumps({"scenarios": [odd]}), "utf-8")
    monkeypatch.setattr("pipeline.evaluate.watched", lambda *_: pytest.fail("it ran"))
    asked: dict[str, Any] = {"rules": rules, **{k: tmp_path / v for k, v in more.items()}}
    with pytest.raises(Unusable, match=said):
        run([written(tmp_path, FLOOD)], jobs=1, **asked)
    assert not (tmp_path / "nowhere").exists()


def test_tables_go_between_the_marks_of_a_document_and_the_rest_of_it_stays(tmp_path: Path, rules: Path) -> None:
    doc = tmp_path / "doc.md"
    doc.write_text("# Mine\n<!-- evaluation -->\nold\n<!-- end -->\nafter\n", "utf-8")
    run([written(tmp_path, STUCK)], rules=rules, jobs=1, markdown=doc)
    text = doc.read_text("utf-8")
    assert text.startswith("# Mine\n<!-- evaluation -->\nMade on ")
    assert text.endswith("<!-- end -->\nafter\n")
    assert "old" not in text
    assert "| F2 | a float that is stuck | no warning | **failed** |" in text
    doc.write_text("no place", "utf-8")
    with pytest.raises(Unusable, match="has no place"):
        run([written(tmp_path, STUCK)], rules=rules, jobs=1, markdown=doc)


def test_a_page_stands_alone_and_shows_readings_truth_limits_and_warnings(tmp_path: Path, rules: Path) -> None:
    page = tmp_path / "page.html"
    names = [written(tmp_path, FLOOD.replace("3h", "110m")), written(tmp_path, STUCK, "F2")]
    run(names, rules=rules, jobs=1, html=page)
    text = page.read_text("utf-8")
    assert all(x not in text for x in ("http:", "https:", "<script", "<link", "<img"))
    assert "prefers-color-scheme:dark" in text
    assert text.count("<svg viewBox") == 2
    for shown in ("池塘涨水", "a pond that rises", 'class="lim YELLOW"', 'class="hz"', 'class="b YELLOW"', 'class="ft"', "▲ 6"):
        assert shown in text


def test_worlds_in_processes_of_their_own_are_found_by_their_folder(tmp_path: Path, rules: Path) -> None:
    """The pond exists in this process only: the others say so, and still answer for each."""
    jobs = [Job(Path(written(tmp_path, STUCK, name)), rules) for name in ("F1", "F2", "F3")]
    done = {job.path.stem: result for job, result in finished(jobs, 2)}
    assert sorted(done) == ["F1", "F2", "F3"]
    assert all("world.pond: no such world" in r["failures"][0] for r in done.values())


class Bomb:
    """Whoever unpacks it dies."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (1,)


def test_a_world_that_kills_its_process_harms_no_other(tmp_path: Path, rules: Path) -> None:
    deadly: Any = Bomb()
    jobs = [Job(Path(written(tmp_path, STUCK, name)), rules) for name in ("F1", "F2")]
    jobs.insert(1, Job(Path(written(tmp_path, STUCK, "F3")), rules, deadly))
    done = {job.path.stem: result for job, result in finished(jobs, 2)}
    assert "its process was killed" in done["F3"]["failures"][0]
    assert all("no such world" in done[name]["failures"][0] for name in ("F1", "F2"))


def test_an_interrupt_ends_every_process_at_once(tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.evaluate.as_completed", interrupted)
    jobs = [Job(Path(written(tmp_path, STUCK, name)), rules) for name in ("F1", "F2", "F3")]
    with pytest.raises(KeyboardInterrupt):
        list(finished(jobs, 2))
    for child in active_children():
        for _ in range(600):  # the pool's own thread may have taken its exit code, and tells it a moment later
            child.join(0.1)
            if child.exitcode is not None:
                break
        assert child.exitcode is not None


def test_a_spike_of_one_sample_in_ninety_days_stays_visible() -> None:
    t = np.arange(1, 90 * 24 * 60) * 60 * NS
    x = np.sin(t / 1e15)
    x[50_000] = 9.0
    kept = Envelope(np.array([0], np.int32), 1, 0, 90 * 86_400 * NS)
    kept.add(Turn(int(t[-1]), batch(np.zeros(t.size, np.int32), t, x), []))
    at, low, high, last = kept.of(0)
    assert (high.max(), low.min()) == (9.0, x.min())
    assert at.size < 1000
    assert last[-1] == x[-1]


def test_a_waveform_leaves_its_extremes_whether_it_fills_a_slice_or_many() -> None:
    x = np.sin(np.arange(3000) / 7.0)[None]
    block = Block(np.zeros(1, np.int32), np.array([60 * NS]), NS // 50, x, np.zeros(x.shape, np.uint8))
    for hours in (1, 100):
        kept = Envelope(np.array([0], np.int32), 1, 0, hours * 3600 * NS)
        kept.add(Turn(120 * NS, Batch.empty(), [block]))
        at, low, high, _ = kept.of(0)
        assert (low.min(), high.max()) == (x.min(), x.max())
        assert at.size == (8 if hours == 1 else 1)  # 60 s are eight slices of 7.5 s, or within one of 750 s


@pytest.mark.parametrize(
    ("seconds", "said"), [(1800, "0:30"), (3750, "1:02:30"), (90.5, "0:01:30.5"), (86_400, "1 d"), (280_800, "3 d 06:00")]
)
def test_axes_count_time_from_the_start(seconds: float, said: str) -> None:
    assert clock(seconds) == said
