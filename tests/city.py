"""The demo's city for the tests: with all that goes wrong in it, or with nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from lifeline.model import NS
from simulators.scenario import find, load
from simulators.stage import Stage, stage

START: Final = 1_795_420_800 * NS  # 2026-11-23, 16:00 in Beijing
DEMO: Final = load(find("demo"))


def demo(start: int = START, seed: int = 1, sensors: Sequence[Any] = ()) -> Stage:
    """As `lifeline demo` plays it. sensors: tables [[sensor]] on top"""
    return stage(replace(DEMO, start=start, sensor=(*DEMO.sensor, *sensors)), seed)


def quiet(start: int = START, seed: int = 1) -> Stage:
    """The same city on a day on which all is well."""
    return stage(replace(DEMO, start=start, fault=(), sensor=(), expect=()), seed)


def ailing(start: int = START, seed: int = 1) -> Stage:
    """Only the sensors fail."""
    return stage(replace(DEMO, start=start, fault=(), expect=()), seed)
