"""The stack of docker-compose.yml without containers: the very command lines, settings, secrets and users, on loopback.

What a container has of its own is mapped: its paths to folders, its ports to free ones, the names of services to this machine.
Where this process may make mounts, everything but a service's volumes is read-only to it, as in a container.
"""

import contextlib
import functools
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import yaml

from tests import postgres
from tests.brokers import free_port, until, wanted

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final = ROOT / "docker-compose.yml"
DOCKERFILE: Final = ROOT / "docker" / "Dockerfile"
PORTS: Final = (8883, 8884, 1883, 8085, 8087, 8088, 8089, 8086, 5432)  # each belongs to one service
NUMBER: Final = re.compile(rf"(?P<number>(?<![\w.])(?:{'|'.join(map(str, PORTS))})(?![\w.]))")
NAME: Final = re.compile(
    rf'(?P<name>(?<=[/@"])(?:mosquitto|postgres|influxdb|desk|watch|receive)(?=:(?:{"|".join(map(str, PORTS))})(?!\w)|"))'
)
VARIABLE: Final = re.compile(r"\$\$|\$\{(\w+):-([^}]*)\}")
OURS: Final = "city-lifeline"
PATIENCE: Final = 90.0  # [s]
PAUSE: Final = 0.3  # [s] between asking for health: each question is a process


def services() -> dict[str, dict[str, Any]]:
    """As compose reads them with an empty environment."""
    found: dict[str, dict[str, Any]] = interpolated(yaml.safe_load(COMPOSE.read_text("utf-8")))["services"]
    return found


def interpolated(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: interpolated(v) for k, v in value.items()}
    if isinstance(value, list):
        return [interpolated(v) for v in value]
    if isinstance(value, str):
        return VARIABLE.sub(lambda m: "$" if m[0] == "$$" else m[2], value)
    return value


def image_environment() -> dict[str, str]:
    """What the last stage of the Dockerfile sets."""
    lines = DOCKERFILE.read_text("utf-8").replace("\\\n", " ").split("\nFROM ")[-1].splitlines()
    pairs = [pair for line in lines if line.startswith("ENV ") for pair in line.removeprefix("ENV ").split()]
    return dict(pair.split("=", 1) for pair in pairs)


@functools.cache
def may_mount() -> bool:
    """Whether the root of the file system can be made read-only for a process."""
    tried = ["unshare", "--mount", "sh", "-c", "mount -o remount,bind,ro / && ! touch /.probe 2>/dev/null"]
    return shutil.which("unshare") is not None and subprocess.run(tried, capture_output=True, check=False).returncode == 0


@functools.cache
def reading(uid: int) -> tuple[str, ...]:
    """What setpriv must be told so that a user may read the interpreter, which can lie in somebody's own folder."""
    alone = ["setpriv", "--reuid", str(uid), "--clear-groups", "--", "sh", "-c", f"exec {sys.executable} -c 'import json'"]
    if subprocess.run(alone, capture_output=True, cwd=ROOT, check=False).returncode == 0:
        return ()
    return ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")


class Stack:
    """A folder that stands for the volumes, binds and secrets of all services. Use as a context."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="stack-"))
        self.root.chmod(0o711)
        self.services, self.port = services(), {number: free_port() for number in PORTS}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        command = self.root / "bin" / "lifeline"  # pip's own may be its owner's alone
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m pipeline.cli "$@"\n')
        command.chmod(0o755)
        self.secrets = self.root / "secrets"
        self.secrets.mkdir()
        self._bind = {ROOT / "docker" / "secrets": self.secrets}
        self.config = self._copied(ROOT / "docker" / "lifeline")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(list(self.running)):
            self.stop(name)
        shutil.rmtree(self.root, ignore_errors=True)

    # where things are

    def _copied(self, source: Path) -> Path:
        """A folder that is bound into containers, its own copy: what stands in it is mapped where it is read."""
        if source not in self._bind:
            self._bind[source] = self.root / "binds" / source.relative_to(ROOT)
            shutil.copytree(source, self._bind[source])
        return self._bind[source]

    def volume(self, name: str, owner: int | None = None) -> Path:
        path = self.root / "volumes" / name
        if not path.exists():
            path.mkdir(parents=True)
            if owner is not None and os.geteuid() == 0:
                os.chown(path, owner, owner)
        return path

    def _mounts(self, name: str) -> dict[str, tuple[Path, bool]]:
        """Path in the container -> path here, and whether it may be written."""
        service, user = self.services[name], self._user(name)
        mounts: dict[str, tuple[Path, bool]] = {}
        for v in service.get("volumes", []):
            if v["type"] == "bind":
                mounts[v["target"]] = (self._copied((ROOT / v["source"]).resolve()), not v.get("read_only"))
            else:
                mounts[v["target"]] = (self.volume(v["source"], user[0] if user else None), True)
        for t in service.get("tmpfs", []):
            path = self.root / "tmpfs" / name / t.split(":")[0].strip("/")
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o1777)
            mounts[t.split(":")[0]] = (path, True)
        for s in service.get("secrets", []):
            mounts[f"/run/secrets/{s}"] = (self.secrets / Path(secret_files()[s]).name, False)
        return mounts

    def _user(self, name: str) -> tuple[int, int, list[int]] | None:
        """User, group and further groups; None where we are nobody who could change to them."""
        user = self.services[name].get("user")
        if os.geteuid() != 0 or user is None:
            return None
        uid, gid = map(int, user.split(":"))
        return uid, gid, [int(g) for g in self.services[name].get("group_add", [])]

    def mapped(self, text: str, mounts: Mapping[str, tuple[Path, bool]]) -> str:
        """A text of a container as it is true here, in one pass: what was mapped is not mapped again."""
        paths = "|".join(map(re.escape, sorted(mounts, key=len, reverse=True))) or "(?!)"
        known = re.compile(
            rf"(?P<path>(?<![\w./-])(?:{paths})(?![\w.-]))|(?P<data>@postgres/desk$)|{NAME.pattern}|{NUMBER.pattern}"
        )

        def there(found: re.Match[str]) -> str:
            if found["path"]:
                return str(mounts[found["path"]][0])
            if found["data"]:
                return f"@localhost:{self.port[5432]}/desk"
            return "localhost" if found["name"] else str(self.port[int(found["number"])])

        return known.sub(there, text)

    # running it

    def prepare(self) -> None:
        """What `docker compose run --rm prepare` does; whoever is not root gives files to its own group instead."""
        (command,) = self.services["prepare"]["command"]
        if os.geteuid() != 0:
            command = command.replace("--stack", f"--stack --group {os.getegid()}")
        mounts = self._mounts("prepare")
        self.run([*self.services["prepare"]["entrypoint"], self.mapped(command, mounts)], {})
        database = self.secrets / "desk_database"
        database.write_text(self.mapped(database.read_text(), {}))
        for path in [p for p in (self.root / "binds").rglob("*") if p.suffix in {".toml", ".conf"}]:
            self._settle(path)

    def _settle(self, path: Path) -> None:
        """Map what stands in a configuration file that containers mount."""
        name = "mosquitto" if path.suffix == ".conf" else "receive"
        text = self.mapped(path.read_text("utf-8"), self._mounts(name))
        text = re.sub(r"^(listener \d+)$", r"\1 127.0.0.1", text, flags=re.MULTILINE)
        path.write_text(text.replace('"0.0.0.0"', '"127.0.0.1"'), "utf-8")

    def run(self, command: list[str], more: Mapping[str, str]) -> str:
        done = subprocess.run(command, env=self._path() | dict(more), capture_output=True, text=True, check=False, timeout=200)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def _path(self) -> dict[str, str]:
        return {"PATH": f"{self.root / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"}

    def once(self, name: str, *arguments: str) -> str:
        """`docker compose run --rm NAME ARGUMENTS`, or its own command."""
        command, environment, _ = self._line(name, list(arguments))
        return self.run(command, environment)

    def start(self, name: str) -> None:
        """Start a service, and wait until its own health check says that it is healthy."""
        if name == "postgres":
            self._initialised()
        command, environment, user = self._line(name, [])
        with (self.root / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.root, **user
            )
        if "healthcheck" in self.services[name]:
            until(lambda: self.healthy(name), f"{name} is not healthy: {self.log(name)[-3000:]}", PATIENCE)

    def healthy(self, name: str) -> bool:
        assert self.running[name].poll() is None, f"{name} has ended: {self.log(name)[-3000:]}"
        kind, *test = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        command = [self.program(self.mapped(word, self._mounts(name))) for word in test]
        if name == "postgres":  # which listens where its socket is
            command[1:1] = ["-p", str(self.port[5432])]
        done = subprocess.run(command, env=self._path(), cwd=ROOT, capture_output=True, check=False, timeout=60)
        if done.returncode:
            time.sleep(PAUSE)
        return done.returncode == 0

    def program(self, word: str) -> str:
        if word == "python":
            return sys.executable
        if word in {"mosquitto", "mosquitto_sub"}:
            return wanted(word)
        return str(postgres.wanted(word)) if word in {"postgres", "pg_isready"} else word

    def _line(self, name: str, arguments: list[str]) -> tuple[list[str], dict[str, str], dict[str, Any]]:
        """Command, environment, and as whom."""
        service, mounts, user = self.services[name], self._mounts(name), self._user(name)
        ours = service["image"].startswith(OURS)
        words = [self.mapped(str(word), mounts) for word in (arguments or service["command"])]
        environment = {k: self.mapped(str(v), mounts) for k, v in service.get("environment", {}).items()}
        if not ours:
            who: dict[str, Any] = {"user": user[0], "group": user[1], "extra_groups": user[2]} if user else {}
            if name == "postgres":
                words += [
                    "-D",
                    str(self._cluster()),
                    "-c",
                    f"port={self.port[5432]}",
                    "-c",
                    f"unix_socket_directories={self.root / 'tmpfs'}",
                ]
                who = self._as_postgres()
            return [self.program(words[0]), *words[1:]], self._path() | environment, who
        inherited = {k: self.mapped(v, mounts) for k, v in image_environment().items() if k != "PATH"}
        temporary = {"TMPDIR": str(mounts["/tmp"][0])} if "/tmp" in mounts else {}  # noqa: S108  the container's
        shell = None if arguments else service.get("entrypoint")
        command = [*shell, *words] if shell else [sys.executable, "-m", "pipeline.cli", *words]
        return (
            self._shut_in(command, mounts, user),
            {**self._path(), **inherited, **temporary, "PYTHONPATH": str(ROOT), **environment},
            {},
        )

    def _shut_in(
        self, command: list[str], mounts: Mapping[str, tuple[Path, bool]], user: tuple[int, int, list[int]] | None
    ) -> list[str]:
        """With nothing to write to but volumes and memory, as the user of the service."""
        if user is None:
            return command
        groups = ["--groups", ",".join(map(str, user[2]))] if user[2] else ["--clear-groups"]
        command = ["setpriv", "--reuid", str(user[0]), "--regid", str(user[1]), *groups, *reading(user[0]), "--", *command]
        if not may_mount():
            return command
        writable = [str(path) for path, may in mounts.values() if may]
        script = 'for d in $W; do mount --bind "$d" "$d" || exit 1; done; mount -o remount,bind,ro / || exit 1; exec "$@"'
        return ["unshare", "--mount", "env", f"W={' '.join(writable)}", "sh", "-c", script, "sh", *command]

    # PostgreSQL, as its image's entry point makes it

    def _cluster(self) -> Path:
        return self.volume("database") / "cluster"

    def _as_postgres(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        who = pwd.getpwnam(postgres.USER)
        return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}

    def _initialised(self) -> None:
        if self._cluster().exists():
            return
        said, who = self.services["postgres"]["environment"], self._as_postgres()
        for folder in (self.volume("database"), self.root / "tmpfs"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)
        word = self.root / "tmpfs" / "word"
        word.write_text((self.secrets / "postgres_password").read_text())
        word.chmod(0o644)
        made = [
            str(postgres.wanted("initdb")),
            "-D",
            str(self._cluster()),
            "--username",
            said["POSTGRES_USER"],
            f"--pwfile={word}",
        ]
        made += [
            *said["POSTGRES_INITDB_ARGS"].split(),
            "--auth-local=scram-sha-256",
            "--no-sync",
            "--locale=C",
            "--encoding=UTF8",
        ]
        subprocess.run(made, check=True, capture_output=True, cwd=self.root / "tmpfs", env=self._path(), **who)
        single = [str(postgres.wanted("postgres")), "--single", "-D", str(self._cluster()), "postgres"]
        subprocess.run(
            single,
            input=b"CREATE DATABASE desk\n",
            check=True,
            capture_output=True,
            env=self._path(),
            cwd=self._cluster(),
            **who,
        )

    # ending it

    def stop(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def log(self, name: str) -> str:
        return (self.root / f"{name}.log").read_text("utf-8", "replace")


def secret_files() -> dict[str, str]:
    return {name: s["file"] for name, s in yaml.safe_load(COMPOSE.read_text("utf-8"))["secrets"].items()}


@contextlib.contextmanager
def standing(*names: str, catalog: str, elsewhere: Mapping[int, int]) -> Iterator[Stack]:
    """A prepared stack with these services running, in this order, over a catalog of its own.

    elsewhere: ports of a container -> where a program that stands for it is listening
    """
    with Stack() as stack:
        (stack.config / "catalog.csv").write_text(catalog, "utf-8")
        for number, port in elsewhere.items():
            stack.port[number] = port
        for name in names:
            stack._mounts(name)
        stack.prepare()
        for name in names:
            stack.start(name)
        yield stack
