"""Real methane sensors through broker, receive, watch and desk: a day of the METEC record beside its releases."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from bench.metec import HAZARD, Heard, events, replay
from bench.metec_record import Event, folder
from lifeline.clock import parse
from lifeline.model import NS
from pipeline.public.metec import Record, record

DAY = parse("2022-05-14T00:00:00Z")  # none of whose readings a setting was taken from
PACE = 6000.0  # times the recorded pace: a day in fifteen seconds
TAIL = 45 * 60 * NS  # [ns] after a release that gas may linger and the warning stand


@pytest.fixture(scope="module")
def day() -> Record:
    if not (folder() / "cms_1min.parquet").exists():
        pytest.skip(f"no METEC record at {folder()}")
    return record(folder(), DAY, 1.0)


@pytest.fixture(scope="module")
def heard(day: Record, tmp_path_factory: pytest.TempPathFactory) -> Heard:
    return replay(day, PACE, tmp_path_factory.mktemp("metec"))


@pytest.mark.network
def test_every_release_of_the_day_is_warned_of_within_a_quarter_of_an_hour(day: Record, heard: Heard) -> None:
    assert len(day.releases) >= 3
    for begin, end in day.releases:
        first = min((e.onset for e in heard.events if e.onset <= end and e.end >= begin), default=None)
        assert first is not None
        assert first <= begin + 15 * 60 * NS


@pytest.mark.network
def test_quiet_hours_raise_no_warning(day: Record, heard: Heard) -> None:
    quiet = [(end + TAIL, begin) for (_, end), (begin, _) in itertools.pairwise(sorted(day.releases)) if end + TAIL < begin]
    assert sum(b - a for a, b in quiet) > 2 * 3600 * NS
    assert not [e for e in heard.events if any(a <= e.onset < b for a, b in quiet)]


@pytest.mark.network
def test_a_release_is_one_warning_and_the_phone_hears_of_each_that_the_desk_lists(day: Record, heard: Heard) -> None:
    assert len(heard.events) == heard.desk == len(day.releases)
    assert heard.notices >= 2 * len(heard.events)  # at least its beginning and its end
    assert {e.peak for e in heard.events} <= {"BLUE", "YELLOW", "ORANGE"}  # a few ppm are never RED


@pytest.mark.network
def test_a_warning_is_on_the_phone_within_seconds_of_its_reading(heard: Heard) -> None:
    assert heard.latency
    assert np.median(heard.latency) < 5.0  # generous: other tests use the machine too


def test_a_warning_that_comes_back_and_one_that_still_stands_are_intervals() -> None:
    def said(warning: str, level: str, t: int, ended: int | None) -> dict[str, object]:
        return {"warning": warning, "hazard": HAZARD, "level": level, "onset": t, "ended": ended}

    notices = [
        said("b", "BLUE", 50, None),
        said("a", "BLUE", 10, None),
        said("a", "YELLOW", 10, None),
        said("a", "NORMAL", 10, 30),
    ]
    assert events(notices, 99) == [Event("a", 10, 30, "YELLOW"), Event("b", 50, 99, "BLUE")]


def test_a_record_that_is_not_there_is_said_with_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench.metec import run

    monkeypatch.setenv("CITY_DATA", str(tmp_path))
    assert run() == {"missing": str(tmp_path / "METEC_week")}
    assert "github.com/wsdaniels/DLQ" in capsys.readouterr().err
