"""Debian's influxd 1.6 as the tests of the boards start it: on a free port, with its data in a folder of its own."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final, Self

import httpx
import pytest

from tests.brokers import PATH, free_port, until

DATABASE: Final = "lifeline"
CONF: Final = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
"""


def wanted() -> str:
    """Where influxd stands; without it the test is left out, but in CI it fails."""
    found = shutil.which("influxd", path=PATH)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("influxd is missing, and CI wants it: apt-get install influxdb")
        pytest.skip("influxd is not installed")
    return found


class Influxd:
    """A server with one database. Use as a context."""

    def __init__(self) -> None:
        self._program = wanted()
        self.folder = Path(tempfile.mkdtemp(prefix="influxd-"))
        self.port = free_port()
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60.0, trust_env=False)
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        conf = self.folder / "influxdb.conf"
        conf.write_text(CONF.format(folder=self.folder, port=self.port, rpc=free_port()))
        with (self.folder / "log").open("wb") as log:
            self._server = subprocess.Popen([self._program, "-config", str(conf)], stdout=log, stderr=log)
        until(self._ready, f"influxd: {(self.folder / 'log').read_text()[-2000:]}", 60.0)
        self._http.post("/query", params={"q": f"CREATE DATABASE {DATABASE}"}).raise_for_status()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(60)
        self._http.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ready(self) -> bool:
        try:
            return self._http.get("/ping").is_success
        except httpx.TransportError:
            return False

    def write(self, lines: str, database: str = DATABASE) -> None:
        answer = self._http.post("/write", params={"db": database}, content=lines.encode())
        assert answer.is_success, answer.text

    def create(self, database: str) -> None:
        self._http.post("/query", params={"q": f"CREATE DATABASE {database}"}).raise_for_status()

    def ask(self, query: str, database: str = DATABASE) -> list[dict[str, Any]]:
        """The series of the answer; AssertionError with the server's words where it refuses."""
        answer = self._http.get("/query", params={"db": database, "q": query, "epoch": "ms"})
        result: dict[str, Any] = answer.json()["results"][0] if answer.is_success else {"error": answer.text}
        assert "error" not in result, f"{result['error']}\n{query}"
        found: list[dict[str, Any]] = result.get("series", [])
        return found
