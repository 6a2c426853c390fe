"""Debian's InfluxDB 1.6 as the tests start it, behind an nginx that knows the path of later versions; and VictoriaMetrics."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import pytest

from bench import influxd
from bench.influxd import answers
from tests.brokers import PATH, free_port, until


def wanted(program: str) -> str:
    """Where a program stands; without it the test is left out, but in CI it fails."""
    found = shutil.which(program, path=PATH)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is missing, and CI wants it: apt-get install influxdb victoria-metrics nginx-light")
        pytest.skip(f"{program} is not installed")
    return found


class Influx(influxd.Influx):
    """InfluxDB 1.6."""

    def __init__(self, *, body: int = 0) -> None:
        wanted("influxd")
        wanted("nginx")
        super().__init__(body=body)


class Victoria:
    """VictoriaMetrics, which takes what InfluxDB 2 takes. Use as a context."""

    def __init__(self) -> None:
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="victoria-")), free_port()
        self.url, self.token = f"http://127.0.0.1:{self.port}", ""
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        args = [
            wanted("victoria-metrics"), f"-storageDataPath={self.folder}", f"-httpListenAddr=127.0.0.1:{self.port}",
            "-retentionPeriod=100y", "-loggerLevel=ERROR", "-search.latencyOffset=0s",
        ]  # fmt: skip
        with (self.folder / "log").open("wb") as log:
            self._server = subprocess.Popen(args, stdout=log, stderr=log)
        until(lambda: answers(f"{self.url}/health"), f"victoria-metrics does not answer; see {self.folder}/log", 60)
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)


class Given:
    """The server that INFLUX_URL and INFLUX_TOKEN name."""

    def __init__(self) -> None:
        self.url, self.token = os.environ["INFLUX_URL"], os.environ.get("INFLUX_TOKEN", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def server() -> Influx | Given:
    """The one to test against."""
    return Given() if os.environ.get("INFLUX_URL") else Influx()
