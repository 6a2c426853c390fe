"""Wall time and instants.

Where clocks leap forward, every time that they leap over is the leap; of a time that comes twice, the first is meant.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from lifeline.model import NS

SECOND: Final = timedelta(seconds=1)


@lru_cache(1 << 16)
def instant(wall: datetime, zone: tzinfo) -> int:
    """The instant at which clocks in `zone` show `wall` (naive, whole seconds). Never falls as `wall` rises. [ns] UTC"""
    at = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != wall:
        at = _leap(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), at, zone)
    return round(at.timestamp()) * NS


def _leap(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The first second after `before` that has the offset of `after`."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def wall(t: int, zone: tzinfo) -> datetime:
    """What clocks in `zone` show, naive. t [ns] UTC"""
    return datetime.fromtimestamp(t // NS, UTC).astimezone(zone).replace(tzinfo=None)


def shown(t: int, zone: tzinfo) -> str:
    """2026-01-02 03:04. t [ns] UTC"""
    return wall(t, zone).isoformat(" ", "minutes")
