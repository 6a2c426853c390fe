"""Which worlds there are: each folder here with a scene.py is one, and says in `maker` what scenarios may ask of it."""

import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Protocol

import simulators
from simulators.plan import Plan
from simulators.world import Scene


class Maker(Protocol):
    """What a world offers to scenarios. Keys of its tables are fields of frozen dataclasses with lifeline.measures' marks."""

    @property
    def world(self) -> type:
        """Of the table [world.NAME]: a few assets in all detail."""

    @property
    def faults(self) -> Mapping[str, type]:
        """Of the tables [[fault]] with kind = "NAME.KIND": hazards and what else really happens. Each has `at` [s]."""

    def scene(self, world: Any, faults: Sequence[Any], start: int, seed: int) -> Scene:
        """The world of such a table. start [ns]; ValueError where the tables contradict one another.

        What is wrong with the k-th of the faults given is said as "fault[k].KEY: …", counted from 0.
        """

    def town(self, plan: Plan, faults: Sequence[Any], start: int, seed: int) -> Scene:
        """The world of a whole city. start [ns]"""


@cache
def makers() -> Mapping[str, Maker]:
    """By name, found by their folder."""
    names = [m.name for m in pkgutil.iter_modules(simulators.__path__) if m.ispkg and m.name != "scenarios"]
    return {name: import_module(f"simulators.{name}.scene").maker for name in names}
