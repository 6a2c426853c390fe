"""The supervisor for tests that kill."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.supervise import Crew


@contextmanager
def tended(crew: Crew) -> Iterator[None]:
    """The supervisor at its work, without the patience it has with a process that dies again and again."""
    stop = threading.Event()

    def tend() -> None:
        while not stop.wait(0.05):
            for child in crew.children:
                child.wait = 0.1
            crew.tend()

    thread = threading.Thread(target=tend, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
