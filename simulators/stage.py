"""A scenario set up: its catalog, what is true in it, and its readings turn by turn as they arrive."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from lifeline.catalog import Catalog
from lifeline.model import NS
from lifeline.words import Unusable
from simulators.columns import joined
from simulators.faults import Truth
from simulators.kinds import makers
from simulators.scenario import Scenario
from simulators.sensors import placed
from simulators.transport import carried, truth
from simulators.world import City, Run, Scene, Turn, turns


@dataclass(frozen=True)
class Stage:
    """One scenario, once. Its turns can be told once; set it up again for another telling."""

    scenario: Scenario
    catalog: Catalog
    world: City
    seed: int
    chunk: int  # [s] stepped at a time

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
    """Set up a scenario; with a seed of its own instead of the file's. Unusable where its tables contradict one another."""
    seed = scenario.seed if seed is None else seed
    try:
        scenes = [_scene(name, scenario, seed) for name in (scenario.worlds or makers())]
        catalog = joined([s.catalog for s in scenes])
        truth(scenario.transport, catalog, scenario.start)  # refuses what fits no device
        ill = [f for said in scenario.sensor for f in placed(said, catalog, scenario.start)]
    except ValueError as why:
        raise Unusable(f"{scenario.path}: {why}") from why
    runs, shift = [], 0
    for s in scenes:
        mine = [f for f in ill if shift <= f.row < shift + s.catalog.n]
        runs.append(Run(s.model, scenario.start, mine, shift))
        shift += s.catalog.n
    return Stage(scenario, catalog, City(runs), seed, max(s.model.span for s in scenes))


def _scene(name: str, s: Scenario, seed: int) -> Scene:
    faults: Sequence[Any] = [fault for world, fault in s.fault if world == name]
    maker = makers()[name]
    if s.city is not None:
        return maker.town(s.city, faults, s.start, seed)
    return maker.scene(s.worlds[name], faults, s.start, seed)
