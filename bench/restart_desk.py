"""A restart of the desk: killed while thousands of warnings stand, how long until it answers, lists them, and pushes a new one.

The desk is a process of its own on SQLite, killed with SIGKILL. Each start is measured from the start of the process: until
/-/healthy answers, until the first page of warnings and the map are answered, and until a new RED warning has reached a phone.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, Self

import httpx
import msgspec

from bench.desk import change
from bench.mosquitto import free_port
from bench.receiver import Receiver
from bench.town import Town
from lifeline.catalog import write
from lifeline.config import load
from lifeline.model import Change
from pipeline.token import bearer

PATIENCE: Final = 600.0  # [s]
BATCH: Final = 200  # [1] changes in a request
SETTINGS: Final = """\
[city]
name = "bench"
catalog = "catalog.csv"
data = "data"
[desk]
port = {desk}
[health]
receive_port = {receive}
watch_port = {watch}
[canary]
every = "0s"
[channels.phone]
type = "webhook"
url = "{phone}"
min_level = "RED"
"""


class Process:
    """The desk as a process; started as often as it is asked to."""

    def __init__(self, folder: Path, phone: str) -> None:
        self.path = folder / "lifeline.toml"
        write(Town(100, 0).catalog(), folder / "catalog.csv")
        ports = {name: free_port() for name in ("desk", "receive", "watch")}
        self.path.write_text(SETTINGS.format(phone=phone, **ports), "utf-8")
        config = load(self.path, {})
        self.http = httpx.Client(base_url=config.watch.desk, headers=bearer(config), trust_env=False, timeout=60.0)
        self._log = (folder / "log").open("wb")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.http.close()
        self._log.close()

    def start(self) -> float:
        """Until /-/healthy answers. [s]"""
        command = [sys.executable, "-m", "pipeline.cli", "desk", "--config", str(self.path)]
        begun = time.monotonic()
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        while time.monotonic() - begun < PATIENCE:
            try:
                if self.http.get("/-/healthy").is_success:
                    return time.monotonic() - begun
            except httpx.HTTPError:
                time.sleep(0.01)
        raise TimeoutError("the desk does not start")

    def kill(self) -> None:
        """As a power failure would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def spent(self) -> float:
        """Processor time of the process so far. [s]"""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def say(self, changes: list[Change]) -> None:
        self.http.post("/changes", content=msgspec.json.encode(changes)).raise_for_status()


def restarted(desk: Process, phone: Receiver, i: int, n: int) -> dict[str, float]:
    """One death and what came after it. [s] from the start of the process"""
    desk.kill()
    begun = time.monotonic()
    healthy, cpu, new = desk.start(), desk.spent(), f"new-{i}"
    page = desk.http.get("/api/v1/warnings", params={"live": "true", "limit": 1000}).raise_for_status().json()
    assert len(page) >= min(n, 1000), f"{len(page)} warnings are listed"
    listed = time.monotonic() - begun
    desk.http.get("/api/v1/map").raise_for_status()
    painted = time.monotonic() - begun
    desk.say([change(new, "RED")])
    phone.wait(lambda got: any(new.encode() in one.body for one in got), 60.0)
    return {
        "healthy_s": healthy,
        "healthy_cpu_s": cpu,
        "listed_s": listed,
        "map_s": painted,
        "pushed_s": time.monotonic() - begun,
    }


def run(n: int = 10_000, runs: int = 5) -> dict[str, Any]:
    """n warnings stand, too mild for the phone; then the desk dies `runs` times."""
    with tempfile.TemporaryDirectory() as folder, Receiver() as phone, Process(Path(folder), phone.url) as desk:
        desk.start()
        for i in range(0, n, BATCH):
            desk.say([change(f"stands-{k}", "YELLOW") for k in range(i, min(n, i + BATCH))])
        found = [restarted(desk, phone, i, n) for i in range(runs)]
    middle = {name: round(statistics.median(f[name] for f in found), 2) for name in found[0]}
    return {**middle, "healthy_s_worst": round(max(f["healthy_s"] for f in found), 2), "warnings": n, "runs": runs}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
