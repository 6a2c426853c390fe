"""A scenario that is left and taken up again says what it says when it is told at one go."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Self

import pytest

from lifeline.model import NS
from lifeline.words import Unusable
from pipeline import pieces
from pipeline.ahead import Way, ahead
from pipeline.pieces import Keeping, begun, keeping, kept, played, read, write
from pipeline.stamp import sources
from pipeline.trial import Job, Left, tried
from pipeline.whatif import revised
from simulators.scenario import load
from simulators.stage import stage

TOWN = """\
id = "town"
zh = "小镇"
en = "a small town in which an excavator strikes and a car is stuck"
start = "2026-07-15T07:03:20+08:00"
duration = "45m"

[city]
wells = 9
regulators = 3
areas = 1
gauges = 3
bridges = 1
waves = 2
lifts = 4
gas_step = "20s"
water_step = "20s"
packet = "10s"
every = "60s"

[[fault]]
kind = "gas.strike"
at = "11m"
well = ["well-fenglu-002"]
distance = ["2 m"]
regulator = "regulator-fenglu-001"

[[fault]]
kind = "elevator.entrapment"
at = "17m"
asset = "elevator-fenglu-001"

[[sensor]]
kind = "dropout"
series = "laser-fenglu-003/ch4"
at = "5m"
lasts = "10m"

[[expect]]
asset = "well-*"
hazard = ["gas_accumulation"]
level = "YELLOW"

[[expect]]
asset = "elevator-*"
hazard = ["entrapment"]
level = "ORANGE"

[[expect]]
asset = "elevator-*"
hazard = ["stop_outside_zone"]
"""
OTHER = ("seconds", "spent_s", "path", "plot")


@pytest.fixture
def town(tmp_path: Path) -> Job:
    path = tmp_path / "town.toml"
    path.write_text(TOWN, "utf-8")
    return Job(path, None)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What it says at one go."""
    path = tmp_path_factory.mktemp("once") / "town.toml"
    path.write_text(TOWN, "utf-8")
    return told(tried(Job(path, None)))


def told(result: dict[str, object]) -> dict[str, object]:
    return {k: v for k, v in result.items() if k not in OTHER}


def sittings(job: Job, to: Keeping, *, apart: bool) -> Iterator[int]:
    """Each piece in a sitting of its own, ended as by SIGTERM -> how far it came. [ns]"""
    while True:
        on, book = stage(load(job.path)), revised(None, [])
        reached = read(to.path) if to.path.exists() else begun(on, book)
        try:
            played(on, book, reached, to, apart=apart)
        except Left:
            yield read(to.path).at
        else:
            return


@pytest.mark.parametrize("apart", [False, True])
def test_a_scenario_taken_up_after_every_piece_says_what_it_says_at_one_go(
    town: Job, tmp_path: Path, once: dict[str, object], monkeypatch: pytest.MonkeyPatch, *, apart: bool
) -> None:
    to = keeping(town, tmp_path / "kept", force=False)
    if apart:  # left once only: each begins another process
        monkeypatch.setattr(pieces, "PIECE", 1800)
    monkeypatch.setattr(pieces, "stoppable", Stopped)
    ends = list(sittings(town, to, apart=apart))
    assert len(ends) == (1 if apart else 4)
    assert all(end % (pieces.PIECE * NS) == 0 for end in ends)
    monkeypatch.undo()
    result = kept(town, to)
    assert result["passed"], result["failures"]
    assert len(result["warnings"]) >= 2
    assert told(result) == once


class Stopped:
    """Somebody who has pressed Ctrl-C before anything began."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def is_set(self) -> bool:
        return True


def test_a_run_that_is_killed_goes_on_and_ends_as_an_undisturbed_one(
    town: Job, tmp_path: Path, once: dict[str, object]
) -> None:
    code = "import pipeline.pieces as p; p.EVERY = 0.0; from pipeline.cli import app; app()"
    folder = tmp_path / "kept"
    command = [sys.executable, "-c", code, "evaluate", str(town.path), "--json", "--jobs", "2", "--keep", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr is not None
    first = process.stderr.readline().decode()  # a line is printed when a state is on the disk
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert first.startswith("town: ")
    assert " of 45 min" in first
    (path,) = folder.glob("*.kept")
    assert read(path).at < load(town.path).end
    again = subprocess.run(command, capture_output=True, check=True)
    assert told(json.loads(again.stdout)["scenarios"][0]) == json.loads(json.dumps(once))


def test_what_another_program_or_other_rules_began_is_refused_and_gone_on_with_by_force(town: Job, tmp_path: Path) -> None:
    to = keeping(town, tmp_path, force=False)
    on = stage(load(town.path))
    write(replace(to, stamp=to.stamp._replace(program="x", rules="y")), begun(on, revised(None, [])))
    with pytest.raises(Unusable, match="was begun by other rules and another program; delete it to begin anew, or --force"):
        keeping(town, tmp_path, force=False)
    assert keeping(town, tmp_path, force=True) == to


def test_another_seed_or_another_scenario_is_kept_elsewhere(town: Job, tmp_path: Path) -> None:
    names = {keeping(town._replace(seed=n), tmp_path, force=False).path for n in (None, 1, 2)}
    town.path.write_text(TOWN.replace("45m", "46m"), "utf-8")
    names.add(keeping(town, tmp_path, force=False).path)
    assert len(names) == 3  # the file's own seed is 1


def test_a_state_that_others_could_have_written_is_not_read(town: Job, tmp_path: Path) -> None:
    to = keeping(town, tmp_path, force=False)
    write(to, begun(stage(load(town.path)), revised(None, [])))
    assert to.path.stat().st_mode & 0o077 == 0
    to.path.chmod(0o666)
    with pytest.raises(Unusable, match="may have been written by somebody else"):
        keeping(town, tmp_path, force=False)
    with pytest.raises(Unusable, match="may have been written by somebody else"):
        read(to.path)


def test_what_is_no_state_is_refused(town: Job, tmp_path: Path) -> None:
    to = keeping(town, tmp_path, force=False)
    to.path.touch(0o600)
    to.path.write_bytes(b"nonsense")
    with pytest.raises(Unusable, match="is no kept state"):
        keeping(town, tmp_path, force=True)
    to.path.write_bytes(json.dumps(to.stamp._asdict()).encode() + b"\n\x80")
    with pytest.raises(Unusable, match="cannot be read by this program"):
        read(to.path)


def test_two_at_a_time_do_not_go_on_from_the_same_state(town: Job, tmp_path: Path) -> None:
    to = keeping(town, tmp_path, force=False)
    with pieces._alone(to.path), pytest.raises(Left, match="somebody goes on from it already"):
        kept(town, to)


def test_a_network_at_fault_is_not_kept(town: Job, tmp_path: Path) -> None:
    town.path.write_text(TOWN + '\n[[transport]]\nkind = "store"\ndevice = "laser-*"\nevery = "5m"\n', "utf-8")
    with pytest.raises(Unusable, match="a network that is at fault cannot be kept"):
        keeping(town, tmp_path, force=False)


def test_the_program_is_all_that_a_result_depends_on_and_no_more() -> None:
    names = {p.relative_to(Path(pieces.__file__).parent.parent).as_posix() for p in sources()}
    assert {"pipeline/engine.py", "pipeline/pieces.py", "alerts/judge.py", "detectors/hampel.py", "alerts/case.py"} <= names
    assert not {"pipeline/cli.py", "alerts/desk.py", "store/lake.py"} & names
    assert not any(n.startswith("detectors/rules/") for n in names)  # they have a hash of their own


def test_a_process_that_simulates_ends_with_whoever_listens(town: Job) -> None:
    on = stage(load(town.path))
    way = Way(on.scenario.start, on.scenario.end, 60, 600)
    with ahead(on.world, way, apart=True) as lots:
        assert next(lots).until == (on.scenario.start // (60 * NS) + 1) * 60 * NS
        (child,) = [p for p in pieces_children() if p != os.getpid()]
    until = monotonic() + 30
    while Path(f"/proc/{child}").exists() and monotonic() < until:
        pass
    assert not Path(f"/proc/{child}").exists()


def pieces_children() -> list[int]:
    from multiprocessing import active_children

    return [p.pid for p in active_children() if p.pid is not None]
