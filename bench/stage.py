"""A whole city on loopback for benchmarks: mosquitto, the three processes, a phone; everything ends with the context."""

import contextlib
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.mosquitto import Mosquitto, free_port
from bench.receiver import Receiver
from bench.town import CITY
from lifeline.catalog import Catalog, write
from pipeline.supervise import Crew

READY: Final = 120.0  # [s]
SETTINGS: Final = """\
[city]
name = "{city}"
catalog = "catalog.csv"
data = "data"
[broker]
port = {broker}
[desk]
port = {desk}
[canary]
every = "0s"
[health]
receive_port = {receive}
watch_port = {watch}
[channels.phone]
type = "webhook"
url = "{phone}"
kinds = ["hazard"]
"""


@dataclass
class Stage:
    """What is running, and where."""

    folder: Path
    broker: Mosquitto
    phone: Receiver
    crew: Crew
    ports: dict[str, int]  # of the health pages

    def status(self, name: str) -> dict[str, Any]:
        """The health page of a process; empty while it does not answer."""
        with contextlib.suppress(OSError, ValueError):
            url = f"http://127.0.0.1:{self.ports[name]}/-/status"
            with urllib.request.urlopen(url, timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        return {}

    def pid(self, name: str) -> int:
        """Of one of the three processes."""
        process = self.crew.child(name).process
        assert process is not None, f"{name} does not run"
        return process.pid

    def ready(self) -> None:
        """Wait until receive and watch say that nothing is amiss."""
        end = time.monotonic() + READY
        while any((s := self.status(name)) == {} or s["not_ready"] for name in ("receive", "watch")):
            self.crew.tend()
            if time.monotonic() > end or any(child.starts > 2 for child in self.crew.children):
                raise RuntimeError(f"the city does not come up: {self.words()}")
            time.sleep(0.1)

    def words(self) -> dict[str, str]:
        """The last of what each process said."""
        return {log.stem: log.read_text("utf-8", "replace")[-500:] for log in (self.folder / "log").glob("*.log")}

    def drained(self, messages: int, patience: float) -> float:
        """Wait until so many messages are in a checkpoint; how long that took. [s]"""
        start = time.monotonic()
        while self.status("watch").get("checkpoint", 0) < messages:
            self.crew.tend()
            if time.monotonic() > start + patience:
                raise TimeoutError(f"{messages} messages were sent, and after {patience:.0f} s: {self.status('watch')}")
            time.sleep(0.1)
        return time.monotonic() - start


@contextlib.contextmanager
def staged(folder: Path, catalog: Catalog) -> Iterator[Stage]:
    """All of it, in a folder of its own; the processes run but need not be ready yet."""
    folder.mkdir(parents=True)
    write(catalog, folder / "catalog.csv")
    with Receiver() as phone, Mosquitto(folder / "broker") as broker:
        ports = {name: free_port() for name in ("receive", "watch", "desk")}
        settings = folder / "lifeline.toml"
        settings.write_text(SETTINGS.format(city=CITY, broker=broker.port, phone=phone.url, **ports))
        with Crew(settings, folder / "log") as crew:
            yield Stage(folder, broker, phone, crew, ports)
