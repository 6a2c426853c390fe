"""The Munich test bridge: a support is lowered three times, between load cycles, on a day that grows warmer; strain at 100 Hz.

G. Jaelani et al., Steel Construction 16, 2023, 215; data from github.com/imcs-compsim/munich-bridge-data (MIT licence).
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from lifeline.model import NS, Floats, Ints, Level
from pipeline.docket import Warned
from pipeline.public.kinds import PASSIVE, Bound, Column, Figures, Line, Scored, Set, Words
from pipeline.public.place import Scorers
from pipeline.public.play import Player, instants, rises, rising
from pipeline.public.sketch import Drawing, Panel, Shade, alarms
from pipeline.stranger import Lines
from pipeline.tables import Table

FOLDER: Final = "MUNICH_bridge"
TITLE: Final = Words("桥梁：慕尼黑试验桥支座沉降", "bridge: Munich, a support that settles")
READINGS: Final = "strain_100Hz.parquet"
WARMTH: Final = "air_temperature_1Hz.csv.gz"
STRAIN: Final = "strain"
SOON: Final = 60.0  # [s] in which each lowering is to be known
SWING: Final = 3.0  # [µε] by which load cycles alone move the strain either way
SECOND: Final = 100  # [1] readings
REST: Final = 10  # [s] at the beginning of a stage that say where the strain stands
LINES: Final[Lines] = [
    {"key": STRAIN, "asset": "bridge", "device": "gauge", "domain": "bridge", "quantity": "strain", "unit": "µε"},
    {"key": "air", "asset": "bridge", "device": "air", "domain": "bridge", "quantity": "temperature", "unit": "°C"},
]


class Stage(NamedTuple):
    """A part of the day."""

    name: str
    begin: int  # [ns]
    end: int  # [ns]
    level: int  # how often the support has been lowered


def stages(t: Ints, name: Sequence[str], level: Ints) -> list[Stage]:
    """Runs of readings of one name. Each [k]."""
    first = np.flatnonzero(np.r_[True, np.asarray(name[1:]) != np.asarray(name[:-1])])
    last = np.r_[first[1:], t.size] - 1
    return [
        Stage(str(name[a]), int(t[a]), int(t[b]), int(level[a])) for a, b in zip(first.tolist(), last.tolist(), strict=True)
    ]


class Lowering(NamedTuple):
    """The support goes down."""

    begin: int  # [ns] of its first stage
    moves: int | None  # [ns] where the strain first shows it; None: it never does
    end: int  # [ns] of the next, or of the record


def lowerings(day: Sequence[Stage], t: Ints, strain: Floats) -> list[Lowering]:
    """Each of them, with what a perfect observer of the strain could see. t, strain [k] [µε]"""
    begins = [min(s.begin for s in some) for some in by_level(day) if some[0].level]
    ends = [*begins[1:], day[-1].end + 1][: len(begins)]
    return [Lowering(a, moved(a, b, t, strain), b) for a, b in zip(begins, ends, strict=True)]


def moved(begin: int, end: int, t: Ints, strain: Floats) -> int | None:
    """The first instant at which the mean of a second is farther from where it began than load cycles move it. [ns]"""
    part = slice(*np.searchsorted(t, (begin, end)))
    x = pd.Series(strain[part]).rolling(SECOND, min_periods=1).mean().to_numpy()
    gone = np.flatnonzero(np.abs(x - x[: REST * SECOND].mean()) > SWING)
    return int(t[part][gone[0]]) if gone.size else None


def figures(warnings: Sequence[Warned], day: Sequence[Stage], lowered: Sequence[Lowering]) -> Figures:
    """An alarm is a warning raised, or raised further; the delay counts from the start of a lowering to the first after it."""
    told = sorted(t for w in warnings for t, _ in rises(w))
    delays = [after(told, x.begin, x.end) for x in lowered]
    graded = [gravest(warnings, min(s.begin for s in some), max(s.end for s in some)) for some in by_level(day)]
    soon = sum(d is not None and d <= SOON for d in delays)
    return {
        "lowerings": len(delays), "detected": sum(d is not None for d in delays), "detected_60s": soon,
        "detected_60s_pct": round(100 * soon / max(len(delays), 1), 1),
        "false_reference": sum(within(told, s) for s in day if not s.level),
        "false_loaded": sum(within(told, s) for s in day if s.level and "loaded" in s.name), "delay_s": delays,
        "moves_s": [None if x.moves is None else round((x.moves - x.begin) / NS, 1) for x in lowered],
        "delay_moved_s": [None if x.moves is None else after(told, x.moves, x.end) for x in lowered],
        "levels": [x.name for x in graded],
        "monotone": all(a <= b for a, b in pairwise(graded)) and graded[-1] > graded[0],
    }  # fmt: skip


def after(told: Sequence[int], begin: int, end: int) -> float | None:
    """From an instant to the first alarm before another. told [ns] rising -> [s]"""
    return next((round((t - begin) / NS, 1) for t in told if begin <= t < end), None)


def within(told: Sequence[int], s: Stage) -> int:
    """Alarms in a stage. told [ns]"""
    return sum(s.begin <= t <= s.end for t in told)


def by_level(day: Sequence[Stage]) -> list[list[Stage]]:
    return [[s for s in day if s.level == k] for k in sorted({s.level for s in day})]


def gravest(warnings: Sequence[Warned], begin: int, end: int) -> Level:
    """The gravest level that stood between two instants. [ns]"""
    stood = [Level.NORMAL]
    for w in warnings:
        after = [*(s.t for s in w.steps[1:]), end + 1]
        stood += [s.level for s, b in zip(w.steps, after, strict=True) if s.t <= end and b > begin]
    return max(stood)


def score(at: Path, player: Player, judges: Scorers) -> Scored:  # noqa: ARG001  no published metric: it is reckoned here
    strain = pd.read_parquet(at / READINGS)
    air = pd.read_csv(at / WARMTH, parse_dates=["time"])
    t, warm = instants(strain["time"]), instants(air["time"])
    new, newer = rising(t), rising(warm)
    day = stages(t, strain["stage"].astype(str).to_list(), strain["settlement_level"].to_numpy())
    value = strain["strain_um_m"].to_numpy(np.float64)
    tables = [
        Table([STRAIN], t[new], value[None, new]),
        Table(["air"], warm[newer], air["air_temp_C"].to_numpy(np.float64)[None, newer]),
    ]
    heard, lowered = player.play(tables, LINES), lowerings(day, t, value)
    passive = heard.passive([STRAIN])
    shades = [Shade(s.begin, s.end, s.name) for s in day if "lowering" in s.name]
    shown = Panel("应变 strain [µε]", t, value)
    return Scored(
        figures(heard.warnings(), day, lowered),
        Drawing(TITLE.en, int(t[0]), int(t[-1]), [shown], shades, alarms(heard, passive)),
        parts=[] if passive is None else [Line(PASSIVE, figures(passive, day, lowered))],
        settings={
            "training": "none: the reference stage is scored too",
            "series": "strain; the air is there to explain it",
        },
    )


default = Set(
    folder=FOLDER,
    title=TITLE,
    needs=(READINGS, WARMTH),
    scorers=(),
    obtain=(
        "github.com/imcs-compsim/munich-bridge-data (MIT licence; Jaelani et al., Steel Construction 16, 2023, 215): the "
        "strain of 11 April 2022 as strain_100Hz.parquet (time, strain_um_m, stage, settlement_level), the air as "
        "air_temperature_1Hz.csv.gz (time, air_temp_C)"
    ),
    columns=(
        Column("false_reference", "基准阶段误报", "alarms in the reference stage", best=-1),
        Column("lowerings", "沉降", "lowerings"),
        Column("detected", "发现", "found", best=1),
        Column("detected_60s_pct", "60 秒内发现", "found in 60 s", "%", 1, 1),
        Column("delay_s", "各次时延", "delay of each", "s", 1),
        Column("moves_s", "应变何时动", "strain moves after", "s", 0),
        Column("delay_moved_s", "此后时延", "delay after that", "s", 1),
        Column("levels", "各状态等级", "gravest level by settlement"),
        Column("monotone", "随沉降不降", "grade rises with settlement", best=1),
        Column("false_loaded", "以后加载阶段报警", "alarms in later load stages", best=-1),
    ),
    baseline=Line(
        "CUSUM of the strain, naive",
        {"false_reference": "> 0"},
        "those who prepared the data: it alarms falsely on the load cycles",
    ),
    aim=(
        {
            "false_reference": Bound(most=0),
            "detected_60s_pct": Bound(least=100.0),
            "monotone": Bound(least=1),
        }
    ),
    notes=(
        Words(
            "没有已发表的成绩。时延自该阶段记录开始算起，而应变要过几分钟才偏离其最初十秒的均值 3 µε 以上（荷载循环的幅度）；"
            "第二、三次沉降的记录在中断数小时后开始，应变已与之前不同。",
            "No figures are published. Delays count from the start of a stage, as the set has it; the strain leaves the "
            "mean of the stage's first ten seconds by more than load cycles do (3 µε) only minutes later. The records of the "
            "second and the third lowering begin hours after the one before, at another strain than it ended.",
        ),
        Words(
            "每次发出或升级的预警算一次报警；加载阶段里桥已受损，其中的报警另计。",
            "Each warning raised, or raised further, is an alarm; in later load stages the bridge is damaged, alarms there are "
            "counted apart.",
        ),
    ),
    score=score,
)
