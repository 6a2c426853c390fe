"""Public measurements with known truth: one file for each set, found by this folder. `score` judges all that a folder holds."""

import pkgutil
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import pyarrow as pa

from lifeline.model import Rule
from lifeline.words import Unusable
from pipeline.public.kinds import Set, report
from pipeline.public.place import Scorers, places, scorers, wanting
from pipeline.public.play import Player

ELEVATORS: Final = {
    "zh": "电梯没有像样的公开标注数据：电梯的数字只来自本项目自己的仿真。",
    "en": "There are no public labelled data of elevators worth the name: figures of elevators are of our simulation alone.",
}
BAD: Final = (Unusable, pa.ArrowException, OSError, ValueError, KeyError, IndexError, AttributeError)  # of files of strangers

Told = dict[str, Any]


def named() -> list[Set]:
    """Every set of this folder: the modules that have a `default`."""
    modules = (import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return [m.default for m in modules if hasattr(m, "default")]


def score(folder: Path, rules: Sequence[Rule], source: str) -> dict[str, Told]:
    """The report of each set that a folder holds, or what is missing of it. source: where the rules are from"""
    judges, said = scorers(folder), sys.stderr.write
    told: dict[str, Told] = {}
    for one in named():
        for name, result in scored(one, folder, judges, rules, source):
            told[name] = result
            missing = result.get("missing")
            said(f"{name}: " + (f"not scored: {missing}\n" if missing else f"scored in {result['seconds']:.1f} s\n"))
    return told


def scored(one: Set, folder: Path, judges: Scorers, rules: Sequence[Rule], source: str) -> Iterator[tuple[str, Told]]:
    """One set, once for each place that holds its files: other records of the same kind may lie beside the one we know."""
    found = places(folder, one.needs)
    if not found:
        yield one.folder, absent(one, wanting(folder / one.folder, one.needs))
    for at in found:
        name = at.name if len(found) > 1 or at != folder else one.folder
        lacking = judges.lacking(one.scorers)
        yield name, absent(one, lacking) if lacking else tried(one, at, judges, Player(rules, source, name))


def tried(one: Set, at: Path, judges: Scorers, player: Player) -> Told:
    """The report, or why the files cannot be read; the other sets go on."""
    began = perf_counter()
    try:
        made = one.score(at, player, judges)
    except BAD as why:
        return absent(one, f"{at.name} cannot be read as {one.title.en}: {type(why).__name__}: {why}")
    return report(one, made, player, perf_counter() - began)


def absent(one: Set, why: str) -> Told:
    return {"zh": one.title.zh, "en": one.title.en, "missing": why, "obtain": one.obtain, "met": False}
