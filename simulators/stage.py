"""A scenario set up: its catalog, what is true in it, and its readings turn by turn as they arrive."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import NS
from simulators.columns import joined
from simulators.faults import Fault, Truth
from simulators.kinds import makers
from simulators.placing import placed
from simulators.scenario import Scenario, ScenarioRefused, located
from simulators.transport import carried, truth
from simulators.world import City, Run, Scene, Turn, turns

LOT: Final = 10_000_000  # [1] samples of waveforms that are simulated at a time: 90 MB


@dataclass(frozen=True)
class Stage:
    """One scenario, once. Its turns can be told once; set it up again for another telling."""

    scenario: Scenario
    catalog: Catalog
    world: City
    seed: int
    chunk: int  # [s] stepped at a time
    maps: Mapping[str, Path]  # of pipes and networks, as a city's configuration names them

    @property
    def truth(self) -> list[Truth]:
        """What is wrong in the world, with its sensors and with the network."""
        return [*self.world.truth(), *truth(self.scenario.transport, self.catalog, self.scenario.start)]

    def turns(self) -> Iterator[Turn]:
        """Every reading of the scenario, in the order in which they arrive."""
        told = carried(self._measured(), self.scenario.transport, self.catalog, self.scenario.start, self.seed)
        return takewhile(lambda turn: turn.at <= self.scenario.end, told)

    def _measured(self) -> Iterator[Turn]:
        at, end, chunk = self.scenario.start, self.scenario.end, self.chunk * NS
        while at < end:
            then = min((at // chunk + 1) * chunk, end)
            yield from turns(self.world.emit(at, then))
            at = then


def stage(scenario: Scenario, seed: int | None = None) -> Stage:
    """Set up a scenario; with a seed of its own instead of the file's. ScenarioRefused where tables contradict one another."""
    seed = scenario.seed if seed is None else seed
    problems: list[str] = []
    scenes = [s for name in (scenario.worlds or makers()) for s in _scene(name, scenario, seed, problems)]
    _refuse(scenario, problems)
    with _noted(problems, "world"):
        catalog = joined([s.catalog for s in scenes])
    _refuse(scenario, problems)
    problems += strangers(scenario, set(catalog.asset.tolist()))
    ill: list[Fault] = []
    for i, said in enumerate(scenario.sensor):
        with _noted(problems, f"sensor[{i}]"):
            ill += placed(said, catalog, scenario.start, seed)
    for i, said in enumerate(scenario.transport):
        with _noted(problems, f"transport[{i}]"):
            truth([said], catalog, scenario.start)
            carried(iter(()), [said], catalog, scenario.start, seed)
    _refuse(scenario, problems)
    runs, shift = [], 0
    for s in scenes:
        mine = [f for f in ill if shift <= f.row < shift + s.catalog.n]
        runs.append(Run(s.model, scenario.start, mine, shift))
        shift += s.catalog.n
    maps = {name: file for s in scenes for name, file in s.maps.items()}
    chunk = min(max(s.model.span for s in scenes), max(int(LOT / max(dense(catalog), 1.0)), 1))
    return Stage(scenario, catalog, City(runs), seed, chunk, maps)


def dense(c: Catalog) -> float:
    """Samples of waveforms in a second."""
    return float((1 / c.step[(c.step < 1.0) & np.isnan(c.hold)]).sum())


def strangers(s: Scenario, assets: set[str]) -> Iterator[str]:
    """Expectations of assets that the scenario does not have."""
    wanted = [(f"expect[{i}]", e.asset) for i, e in enumerate(s.expect)] + [
        (f"ticket[{i}]", t.asset) for i, t in enumerate(s.ticket)
    ]
    some = ", ".join(sorted(assets)[:5])
    for place, pattern in wanted:
        if not any(fnmatchcase(a, pattern) for a in assets):
            yield f"{place}.asset: no asset fits {pattern!r}; there are {len(assets)}, such as {some}"


def _scene(name: str, s: Scenario, seed: int, problems: list[str]) -> list[Scene]:
    """The world of a name, or none and what is wrong with it."""
    mine = [i for i, (world, _) in enumerate(s.fault) if world == name]
    faults: Sequence[Any] = [s.fault[i][1] for i in mine]
    maker = makers()[name]
    with _noted(problems, "city" if s.city is not None else f"world.{name}", mine):
        if s.city is not None:
            return [maker.town(s.city, faults, s.start, seed)]
        return [maker.scene(s.worlds[name], faults, s.start, seed)]
    return []


@contextmanager
def _noted(problems: list[str], place: str, faults: Sequence[int] = ()) -> Iterator[None]:
    """A ValueError is a problem of a place in the file; "fault[k]: …" is one of a world's own k-th fault.

    faults: where they stand among all of the file.
    """
    try:
        yield
    except ValueError as why:
        own = re.match(r"fault\[(\d+)\]", str(why))
        problems.append(f"fault[{faults[int(own[1])]}]{str(why)[own.end() :]}" if own else f"{place}: {why}")


def _refuse(s: Scenario, problems: list[str]) -> None:
    if problems:
        text = s.path.read_text("utf-8-sig") if s.path.is_file() else ""
        raise ScenarioRefused(s.path, located(s.path, text, problems))
