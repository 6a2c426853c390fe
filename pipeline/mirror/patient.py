"""Where writes go to, and a way to write that waits for nobody."""

import time
from collections.abc import Callable

from lifeline.config import Influx
from store.influx import Dead, Sink, Stopped, Target, Writer
from store.protocol import Lines


def target(influx: Influx) -> Target:
    """The server of the settings."""
    ca = str(influx.ca_file) if influx.ca_file else None
    return Target(influx.url, str(influx.token), influx.org, influx.database, influx.timeout, ca)


class Patient:
    """Writes what can be written at once, and asks for nothing before the time that the server has named."""

    def __init__(self, writer: Writer, most: int, bury: Callable[[list[Dead]], None]) -> None:
        self.sink = Sink(writer, most=most, bury=bury, rest=self._rest)
        self._again = 0.0  # [s] monotonic

    @property
    def why(self) -> str:
        """Nothing can be written, and why."""
        return self.sink.why

    @property
    def ready(self) -> bool:
        """Whether it is worth making something to write."""
        return time.monotonic() >= self._again

    def _rest(self, seconds: float) -> bool:
        self._again = time.monotonic() + seconds
        return True

    def write(self, lines: Lines, bucket: str = "") -> bool:
        """Whether all was written, but for what is refused and dead."""
        if time.monotonic() < self._again:
            return False
        try:
            self.sink.write(lines, bucket)
        except Stopped:
            return False
        return True
