"""How a payload that is refused is mended, in both languages."""

import csv
from functools import cache
from pathlib import Path
from typing import Final

from lifeline.catalog import Catalog
from lifeline.model import NS
from lifeline.units import UNITS, WORDS, akin
from lifeline.words import nearest

Pair = tuple[str, str]  # English, Chinese

SAID: Final = {
    "unknown series": "未知测点：不在目录中",
    "unit does not fit": "单位与目录中的不符",
    "unknown word": "未知的状态词",
    "a date beyond": "时间超前过多",
    "a date older": "时间过旧",
}  # the beginning of a reason -> in Chinese
SHIPPED: Final = Path(__file__).with_suffix(".csv")
DAY: Final = 86_400.0  # [s]
NEAR: Final = (
    366 * DAY
)  # [s] of now: then a time given in the wrong unit is recognised; a factor of 1000 is never met by chance
ZONE: Final = 900.0  # [s] time zones differ by whole quarters of an hour
SLACK: Final = 120.0  # [s] about them


@cache
def hints() -> tuple[tuple[str, Pair], ...]:
    """Part of a reason -> what to do about it. The first that fits is meant."""
    rows = csv.DictReader(SHIPPED.read_text("utf-8").splitlines())
    return tuple((row["part"], (row["en"], row["zh"])) for row in rows)


@cache
def _reasons() -> tuple[tuple[str, str], ...]:
    rows = csv.DictReader(SHIPPED.read_text("utf-8").splitlines())
    return (*SAID.items(), *((row["part"], row["said"]) for row in rows))


def chinese(reason: str) -> str:
    """A reason with its meaning before it; dead letters and logs have it in English, by which it is found."""
    said = next((zh for part, zh in _reasons() if part in reason), "")
    return f"{said}（{reason}）" if said else reason


def hint(reason: str, name: str = "", *, unit: str = "", said: object = None, catalog: Catalog | None = None) -> Pair:
    """What to do about a refusal; ("", "") where nothing is known. name: of the series; said: as it stood there"""
    if reason.startswith("unknown series"):
        return _unknown(name, catalog)
    if reason.startswith("unit does not fit"):
        declared = reason.rpartition(" ")[2]
        if declared not in UNITS:
            near = nearest(unit, UNITS)
            return f"there is no unit {unit!r}; did you mean {near!r}?", f"没有单位 {unit!r}；是否应为 {near!r}？"
        fit = ", ".join(u for u in sorted(UNITS) if akin(u, declared))
        return f"{unit!r} is none of the units that fit: {fit}", f"单位 {unit!r} 不适用，可用：{fit}"
    if reason.startswith("unknown word"):
        near = nearest(str(said), {w for table in WORDS.values() for w in table})
        return (
            (f"did you mean {near!r}?", f"是否应为 {near!r}？")
            if near
            else ("see the words that are allowed", "请见允许的状态词")
        )
    return next((pair for part, pair in hints() if part in reason), ("", ""))


def _unknown(name: str, catalog: Catalog | None) -> Pair:
    near = nearest(name, catalog.row) if catalog is not None else ""
    if near:
        return f"did you mean {near!r}? Else add it to the catalog", f"是否应为 {near!r}？否则请加入目录"
    return "add it to the catalog, or mend the name: device/channel", "请加入目录，或改正名称：设备/通道"


def late(t: int, at: int) -> Pair:
    """Why a time may be far from now. [ns]"""
    for factor, en, zh in ((1000, "it seems to be seconds where milliseconds belong", "似为秒，应为毫秒"),
                           (1_000_000, "it seems to be in thousands too little", "似少乘了 1000 的幂"),
                           (1e-3, "it seems to be microseconds where milliseconds belong", "似为微秒，应为毫秒"),
                           (1e-6, "it seems to be nanoseconds where milliseconds belong", "似为纳秒，应为毫秒")):  # fmt: skip
        if abs(t * factor - at) < NEAR * NS:
            return en, zh
    apart = (t - at) / NS
    hours = round(apart / ZONE) * ZONE
    if hours and abs(apart - hours) < SLACK and abs(hours) <= 14 * 3600:
        en = f"it is {hours / 3600:+g} h from now: local time where UTC belongs?"
        return en, f"与当前相差 {hours / 3600:+g} 小时：是否误用了本地时间？"
    return "does the device keep its time (NTP)?", "设备是否已对时（NTP）？"
