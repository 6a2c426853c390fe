"""Processes that do not hear Ctrl-C."""

from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIG_IGN, SIGINT, signal
from threading import current_thread, main_thread


@contextmanager
def deaf() -> Iterator[None]:
    """Processes that begin meanwhile do not hear Ctrl-C, and have nothing to say of it: this one ends them."""
    if current_thread() is not main_thread():
        yield
        return
    heard = signal(SIGINT, SIG_IGN)
    try:
        yield
    finally:
        signal(SIGINT, heard)
