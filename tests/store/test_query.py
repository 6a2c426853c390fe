from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lifeline.catalog import Catalog
from lifeline.model import NS, Batch
from store import query
from store.lake import Lake

NOON = 1_795_435_200 * NS  # 2026-11-23T12:00:00Z


@pytest.fixture
def lake(tmp_path: Path, city: Callable[[], Catalog]) -> Lake:
    lake = Lake(tmp_path, city())
    t = NOON + np.array([1, 2, 61]) * NS
    lake.write(Batch(np.full(3, 8, np.int32), t, np.array([0.01, 0.03, np.nan]), np.array([0, 5, 2], np.uint8)), 0, 1)
    return lake


def test_readings_are_shown_in_the_unit_people_read(lake: Lake) -> None:
    header, lines = query.rows(lake, "D000008/甲", NOON, NOON + 3600 * NS)
    assert header == ("time", "value [%VOL]", "quality")
    assert list(lines) == [
        ("2026-11-23T12:00:01.000Z", "1", "good"),
        ("2026-11-23T12:00:02.000Z", "3", "saturated"),
        ("2026-11-23T12:01:01.000Z", "", "bad_range"),
    ]


def test_slots_are_stamped_at_their_end(lake: Lake) -> None:
    header, lines = query.rows(lake, "D000008/甲", NOON, NOON + 3600 * NS, 60.0)
    assert header == ("time", "mean [%VOL]", "min [%VOL]", "max [%VOL]", "judged", "readings")
    assert list(lines) == [
        ("2026-11-23T12:01:00.000Z", "2", "1", "3", "2", "2"),
        ("2026-11-23T12:02:00.000Z", "", "", "", "0", "1"),
    ]


def test_a_time_finer_than_milliseconds_is_not_rounded() -> None:
    assert query.times(np.array([NOON + 1])) == ["2026-11-23T12:00:00.000000001Z"]


def test_an_unknown_key_is_refused_with_what_is_near_it(lake: Lake) -> None:
    with pytest.raises(query.UnknownKey, match="near it: D000008/甲"):
        query.rows(lake, "D000008/乙", NOON, NOON + NS)
