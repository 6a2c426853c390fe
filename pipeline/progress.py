"""How fast a stream goes, and how far it has come: pace, and a bar on standard error for what takes longer than two seconds."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from rich.console import Console
from rich.progress import Progress

from lifeline.model import NS
from simulators.world import Turn

SOON: Final = 2.0  # [s] after which a bar shows how far it is
ASAP: Final = float("inf")  # a speed: as fast as it goes

Told = Callable[[float], None]  # is told how much more has been done


@contextmanager
def bar(total: float, what: str) -> Iterator[Told]:
    """total: of whatever is done"""
    with ExitStack() as open_:
        shown = Progress(console=Console(stderr=True, quiet=not sys.stderr.isatty()), transient=True)
        task, began = shown.add_task(what, total=total), time.monotonic()

        def told(more: float) -> None:
            shown.advance(task, more)
            if not shown.live.is_started and time.monotonic() - began > SOON:
                open_.enter_context(shown)

        yield told


def paced(turns: Iterable[Turn], start: int, speed: float) -> Iterator[Turn]:
    """Each turn at its time, `speed` times as fast as it was. start [ns]: the instant that is now"""
    began = time.monotonic()
    for turn in turns:
        if speed != ASAP:
            time.sleep(max(0.0, began + (turn.at - start) / NS / speed - time.monotonic()))
        yield turn


def passing(told: Told, start: int) -> Callable[[Turn], None]:
    """Tells a bar how far the time of a stream has come. start [ns]; the bar's total is in seconds"""
    reached = start

    def passed(turn: Turn) -> None:
        nonlocal reached
        told((turn.at - reached) / NS)
        reached = turn.at

    return passed
