"""Starts the processes (and the embedded broker, when asked), and starts again whichever ends."""

import contextlib
import logging
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Self

from lifeline.config import Broker

log = logging.getLogger("lifeline.supervise")

PROCESSES: Final = ("desk", "watch", "receive")  # in the order of starting: who is asked before who asks
MIRROR: Final = "mirror"  # where there is an InfluxDB
COMMAND: Final = (sys.executable, "-m", "pipeline.cli", "--with-parent")
BACKOFF: Final = (0.2, 10.0)  # [s] before starting again; back to the first after a minute of life
PATIENCE: Final = 20.0  # [s] to end by themselves before they are killed


@dataclass
class Child:
    """One process under supervision."""

    name: str
    args: list[str]
    log: Path | None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    wait: float = BACKOFF[0]
    starts: int = 0
    out: IO[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        if self.log is not None and self.out is None:
            self.out = self.log.open("ab")
        self.process = subprocess.Popen(
            self.args, stdin=subprocess.PIPE, stdout=self.out, stderr=self.out, start_new_session=True
        )
        self.started = time.monotonic()
        self.starts += 1

    def tend(self) -> None:
        """Start it when it is not running and its wait is over."""
        t = time.monotonic()
        if self.process is None:
            if t >= self.due:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            if t - self.started > 60:
                self.wait = BACKOFF[0]
            return
        self._hang_up()
        log.warning("a process ended; starting it again", extra={"child": self.name, "code": code, "wait_s": self.wait})
        self.process, self.due, self.wait = None, t + self.wait, min(2 * self.wait, BACKOFF[1])

    def _hang_up(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)

    def end(self, patience: float) -> None:
        if self.process is not None:
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                log.warning("a process did not end in time; killed", extra={"child": self.name})
                self.process.kill()
                self.process.wait()
            self._hang_up()
        if self.out is not None:
            self.out.close()


class Crew:
    """The processes of a city: three, and the mirror."""

    def __init__(self, config: Path, logs: Path | None = None, *, mirrored: bool = False) -> None:
        if logs is not None:
            logs.mkdir(parents=True, exist_ok=True)
        self.children = [
            Child(
                name,
                [*COMMAND, name, "--config", str(config)],
                logs / f"{name}.log" if logs else None,
            )
            for name in ((MIRROR, *PROCESSES) if mirrored else PROCESSES)
        ]

    def __enter__(self) -> Self:
        for child in self.children:
            child.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        """Upstream ends first, so that what is under way is still carried on."""
        for child in reversed(self.children):
            child.stop()
            child.end(PATIENCE)

    def tend(self) -> None:
        for child in self.children:
            child.tend()

    def child(self, name: str) -> Child:
        return next(c for c in self.children if c.name == name)


def run(config: Path, stop: threading.Event, *, mirrored: bool = False) -> None:
    """Keep the crew alive until told to stop."""
    with Crew(config, mirrored=mirrored) as crew:
        while not stop.wait(0.2):
            crew.tend()


# iotcore: its log is small by default and then forgets silently; the payload limit of 20 kB would break waveforms
ROUTER: Final = """
id = 0
[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v4.1]
name = "lifeline"
listen = "{host}:{port}"
next_connection_delay_ms = 1
[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = {payload}
max_inflight_count = 100
dynamic_filters = true
"""


def embedded(broker: Broker, folder: Path) -> Any:
    """The embedded broker (iotcore): a child process that ends with this one. For the demo and for tests, not for service."""
    from iotcore import Broker as Embedded

    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "broker.toml"
    settings.write_text(ROUTER.format(host=broker.host, port=broker.port, payload=broker.max_payload + 65536))
    return Embedded(config_path=str(settings))
