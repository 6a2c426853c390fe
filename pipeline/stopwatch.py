"""How long each rule takes: counted beside the work, told to Prometheus, and of no consequence for any result."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import wraps
from time import perf_counter
from typing import Concatenate, Final, ParamSpec, TypeVar

from lifeline.model import Rule

P = ParamSpec("P")
R = TypeVar("R")

SPENT: Final[defaultdict[str, list[float]]] = defaultdict(lambda: [0.0, 0.0])  # rule -> [steps, seconds] of this process


def timed(work: Callable[Concatenate[Rule, P], R]) -> Callable[Concatenate[Rule, P], R]:
    """The same work, its time put down to the rule."""

    @wraps(work)
    def watched(rule: Rule, /, *args: P.args, **more: P.kwargs) -> R:
        begun = perf_counter()
        said = work(rule, *args, **more)
        spent = SPENT[rule.id]
        spent[0] += 1.0
        spent[1] += perf_counter() - begun
        return said

    return watched


def spent(which: int) -> Iterable[tuple[tuple[str, ...], float]]:
    """By rule. which: 0: steps [1], 1: time [s]"""
    return [((rule,), both[which]) for rule, both in list(SPENT.items())]
