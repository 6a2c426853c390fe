"""How fast a stream goes, and how far it has come: pace, and a bar on standard error for what takes longer than two seconds."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from lifeline.clock import Pace
from lifeline.model import NS
from simulators.world import Turn

SOON: Final = 2.0  # [s] after which a bar shows how far it is
ASAP: Final = float("inf")  # a speed: as fast as it goes

Told = Callable[[float], None]  # is told how much more has been done


@contextmanager
def bar(total: float, what: str, console: Console | None = None) -> Iterator[Told]:
    """total: of whatever is done; console: where other things are printed meanwhile, above the bar if it is a terminal"""
    if console is None or not console.is_terminal:
        console = Console(stderr=True, quiet=not sys.stderr.isatty())
    with ExitStack() as open_:
        shown = Progress(console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
        task, began = shown.add_task(what, total=total), time.monotonic()

        def told(more: float) -> None:
            shown.advance(task, more)
            if not shown.live.is_started and time.monotonic() - began > SOON:
                open_.enter_context(shown)

        yield told


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """For what nobody can count: shows that it goes on."""
    shown = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True, quiet=not sys.stderr.isatty()),
        transient=True,
    )
    shown.add_task(what, total=None)
    soon = threading.Timer(SOON, shown.start)
    soon.daemon = True
    soon.start()
    try:
        yield
    finally:
        soon.cancel()
        soon.join()
        shown.stop()


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second does what it always did."""
    stop, before = threading.Event(), dict[signal.Signals, Any]()

    def say(sign: int, _frame: Any) -> None:
        stop.set()
        signal.signal(sign, before[signal.Signals(sign)])

    try:
        for sign in (signal.SIGINT, signal.SIGTERM):
            before[sign] = signal.signal(sign, say)
        yield stop
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def paced(turns: Iterable[Turn], start: int, speed: float, stop: threading.Event) -> Iterator[Turn]:
    """Each turn at its time, `speed` times as fast as it was, until told to stop. start [ns]: the instant that is now"""
    pace = Pace(speed)
    pace.wait(start, stop)
    for turn in turns:
        if not pace.wait(turn.at, stop):
            return
        yield turn


def passing(told: Told, start: int) -> Callable[[Turn], None]:
    """Tells a bar how far the time of a stream has come. start [ns]; the bar's total is in seconds"""
    reached = start

    def passed(turn: Turn) -> None:
        nonlocal reached
        told(max(0, turn.at - reached) / NS)  # what is sent again keeps its receipt
        reached = max(reached, turn.at)

    return passed
