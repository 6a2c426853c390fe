"""Debian's PostgreSQL as the tests start it: a cluster of its own, on a free port, gone when they end."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

import psycopg
import pytest

from tests.brokers import free_port, until

USER: Final = "postgres"  # PostgreSQL will not run as root
SETTINGS: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=127.0.0.1")


def wanted(program: str) -> Path:
    """Where a program of the newest PostgreSQL stands; without it the test is left out, but in CI it fails."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda p: float(p.parts[4]))
    which = shutil.which(program)
    if not found and which is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is missing, and CI wants it: apt-get install postgresql")
        pytest.skip(f"{program} is not installed")
    return found[-1] if found else Path(str(which))


class Postgres:
    """A server. Use as a context; `url()` names a fresh place for tables each time."""

    def __init__(self) -> None:
        self._bin = wanted("initdb").parent
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._as: dict[str, int] = {}
        if os.geteuid() == 0:
            who = pwd.getpwnam(USER)
            os.chown(self._folder, who.pw_uid, who.pw_gid)
            self._as = {"user": who.pw_uid, "group": who.pw_gid}
        self.port, self._count = free_port(), 0
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._run("initdb", "-D", "data", "--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C", "--no-sync")
        more = [f"port={self.port}", f"unix_socket_directories={self._folder}", *SETTINGS]
        with (self._folder / "log").open("wb") as log:
            args = [str(self._bin / "postgres"), "-D", "data", *(word for s in more for word in ("-c", s))]
            self._server = subprocess.Popen(args, cwd=self._folder, stdout=log, stderr=log, **self._as)  # type: ignore[call-overload]
        until(self._ready, f"PostgreSQL: {(self._folder / 'log').read_text()}", 60.0)
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(60)
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self) -> str:
        """Of an empty schema of its own, which is as good as a database and costs less."""
        self._count += 1
        with psycopg.connect(self._dsn, autocommit=True) as db:
            db.execute(f"CREATE SCHEMA desk{self._count}")
        search = quote(f"-csearch_path=desk{self._count}")
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/postgres?options={search}"

    @property
    def _dsn(self) -> str:
        return f"host=127.0.0.1 port={self.port} user={USER} dbname=postgres"

    def _ready(self) -> bool:
        try:
            psycopg.connect(self._dsn, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *args: str) -> None:
        command = [str(self._bin / program), *args]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, **self._as)  # type: ignore[call-overload]
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")
