"""A mosquitto of one's own on a free loopback port, and what the kernel says of a process."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Final, Self

PLACES: Final = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
SETTINGS: Final = """\
listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages {inflight}
persistence {persistence}
persistence_location {folder}/
log_dest file {folder}/mosquitto.log
log_type error
log_type warning
{more}
"""


class Absent(RuntimeError):
    """The program is not installed."""


def program(name: str) -> str:
    """Where a program is."""
    found = shutil.which(name) or shutil.which(name, path=PLACES)
    if found is None:
        raise Absent(f"{name} is not installed (Debian: apt-get install mosquitto mosquitto-clients)")
    return found


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


class Mosquitto:
    """Use as a context; ends with it. Its queues have no limit, for a backlog is what benchmarks want."""

    def __init__(self, folder: Path, *, inflight: int = 1000, persistence: bool = False, more: str = "") -> None:
        self.folder, self.port = folder, free_port()
        settings = {"port": self.port, "inflight": inflight, "folder": folder, "more": more}
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "mosquitto.conf"
        self._file.write_text(SETTINGS.format(persistence=str(persistence).lower(), **settings))

    def __enter__(self) -> Self:
        self.process = subprocess.Popen([program("mosquitto"), "-c", self._file], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            time.sleep(0.02)
        self.process.kill()
        raise TimeoutError(f"mosquitto does not listen at port {self.port} after 10 s")

    def __exit__(self, *_exc: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def cpu(pid: int) -> float:
    """Processor time of a process so far. [s]"""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def machine() -> float:
    """Processor time of everything that runs on this machine so far. [s]"""
    words = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _, _, irq, softirq = (int(w) for w in words[:7])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Memory of a process. [byte]"""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
