"""Debian's mosquitto as the tests start it: on a free port, with its own settings and its own data."""

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import pytest

PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
PATIENCE: Final = 20.0  # [s]


def wanted(program: str) -> str:
    """Where a program of Debian's mosquitto stands; without it the test is left out, but in CI it fails."""
    found = shutil.which(program, path=PATH)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is missing, and CI wants it: apt-get install mosquitto mosquitto-clients")
        pytest.skip(f"{program} is not installed")
    return found


def free_port() -> int:
    """A port that nobody has, below those that the system gives to others: it stays free while its server is down."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as s, suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def until(true: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Return as soon as it is so; TimeoutError says what was waited for."""
    end = time.monotonic() + patience
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"after {patience:g} s: {what}")
        time.sleep(0.01)


def accepts(port: int) -> bool:
    with socket.socket() as s:
        s.settimeout(1.0)
        return s.connect_ex(("127.0.0.1", port)) == 0


class Mosquitto:
    """A broker that keeps its port and its data over restarts. Use as a context."""

    def __init__(self, folder: Path, *settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self._settings = settings or ("allow_anonymous true",)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it accepts connections."""
        conf = self.folder / "mosquitto.conf"
        plain = [
            f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {self.folder}/", "user root",
            "autosave_interval 100", "autosave_on_changes true", "max_queued_messages 0", *self._settings,
        ]  # fmt: skip
        conf.write_text("\n".join(plain) + "\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([wanted("mosquitto"), "-c", str(conf)], stdout=log, stderr=log)
        until(lambda: accepts(self.port), f"mosquitto does not listen; see {self.folder}/mosquitto.log")

    def kill(self) -> None:
        """As a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
