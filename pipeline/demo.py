"""The command `lifeline demo`: a simulated city, an embedded broker, the three processes, a phone, a live view."""

import asyncio
import contextlib
import json
import secrets
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from rich.console import Console

from bench.receiver import Receiver
from ingest.mqtt import Publisher
from lifeline.catalog import write
from lifeline.clock import WallClock, iso, now
from lifeline.config import Broker, Config, load
from lifeline.model import NS, Level
from pipeline import view
from pipeline.letters import books
from pipeline.publish import play
from pipeline.supervise import Crew, embedded
from pipeline.token import bearer
from simulators import stage as worlds
from simulators.scenario import find
from simulators.scenario import load as scenario

MARK: Final = ".lifeline-demo"  # only a folder that holds it is ever emptied
LEAD: Final = 1.0  # [s] from readiness to the first reading
READY: Final = 60.0  # [s] until the processes must be ready
GUEST: Final = "demo"  # who may sign in to its console
DRAIN: Final = 30.0  # [s] for what is under way at the end

SETTINGS: Final = """\
# Written by `lifeline demo`; ports are free ones of this machine.
[city]
name = "chengjiang"
catalog = "catalog.csv"
data = "data"
[broker]
embedded = true
port = {broker}
[watch]
flush = "2s"
[desk]
port = {desk}
[health]
receive_port = {receive}
watch_port = {watch}
[channels.phone]
type = "webhook"
url = "{phone}"
kinds = ["hazard"]
[channels.log]
type = "log"
"""


@dataclass
class Stage:
    """Where a demo plays."""

    folder: Path
    config: Config
    phone: Receiver
    crew: Crew

    def ask(self, path: str) -> Any:
        """JSON from the desk; None while it does not answer."""
        return ask(f"http://{self.config.desk.host}:{self.config.desk.port}{path}", bearer(self.config))

    def status(self, name: str) -> dict[str, Any]:
        port = self.config.health.receive_port if name == "receive" else self.config.health.watch_port
        return ask(f"http://{self.config.health.host}:{port}/-/status") or {}

    def waiting(self) -> list[str]:
        """What is not ready yet."""
        late = [name for name in ("receive", "watch") if not self.status(name) or self.status(name)["not_ready"]]
        return late if self.ask("/api/v1/me") else ["desk", *late]

    def let_in(self) -> str:
        """Make somebody who may sign in to the console -> how, in one line."""
        url, password = f"http://{self.config.desk.host}:{self.config.desk.port}", secrets.token_urlsafe(9)
        asked = {"name": GUEST, "role": "leader", "password": password}
        httpx.post(
            f"{url}/api/v1/users", json=asked, headers=bearer(self.config), timeout=10.0, trust_env=False
        ).raise_for_status()
        return f"console: {url}/console/  name: {GUEST}  password: {password}"


def ask(url: str, headers: Mapping[str, str] | None = None) -> Any:
    try:
        return httpx.get(url, headers=headers, timeout=2.0, trust_env=False).json()
    except (httpx.HTTPError, ValueError):
        return None


def free_ports(n: int) -> list[int]:
    """Ports nobody listens on now."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(n)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def cleared(folder: Path) -> None:
    """An empty folder; one that a demo did not make is left alone."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise SystemExit(f"{folder}: holds files that no demo made; name another with --folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


@contextlib.contextmanager
def staged(folder: Path, seed: int) -> Iterator[Stage]:
    """Everything but the city's life."""
    cleared(folder)
    with contextlib.ExitStack() as open_:
        phone = open_.enter_context(Receiver())
        broker, desk, receive, watch = free_ports(4)
        settings = folder / "lifeline.toml"
        settings.write_text(SETTINGS.format(broker=broker, desk=desk, receive=receive, watch=watch, phone=phone.url))
        write(living(now(), seed).catalog, folder / "catalog.csv")
        config = load(settings, {})
        open_.enter_context(embedded(config.broker, config.city.data))
        crew = open_.enter_context(Crew(settings, folder / "log"))
        yield Stage(folder, config, phone, crew)


def living(start: int, seed: int) -> worlds.Stage:
    """The scenario `demo` from an instant on. start [ns]"""
    return worlds.stage(replace(scenario(find("demo")), start=start), seed)


class Life(threading.Thread):
    """The city's devices, publishing by the wall clock until told to stop."""

    def __init__(self, broker: Broker, seed: int, start: int) -> None:
        super().__init__(name="city", daemon=True)
        self._broker, self._start, self._stopped = broker, start, threading.Event()
        self._city = living(start, seed)
        self.sent = 0

    def run(self) -> None:
        at, clock = self._start, WallClock()
        while not self._stopped.is_set():
            with contextlib.suppress(OSError), Publisher(self._broker, "city") as devices:
                while not self._stopped.is_set():
                    then = at + NS
                    sent = play(
                        self._city.world,
                        clock,
                        catalog=self._city.catalog,
                        start=at,
                        until=then,
                        publish=devices.publish,
                        tick=0.2,
                    )
                    self.sent += asyncio.run(sent)
                    at = then
                devices.drain()

    def stop(self) -> None:
        self._stopped.set()
        self.join(DRAIN)


def run(folder: Path, seconds: float, report: Path | None, seed: int) -> int:
    """Play until the time is up or Ctrl-C; exit code 1 when the books do not balance."""
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended by others as by Ctrl-C
    warnings: list[dict[str, Any]] = []
    with staged(folder, seed) as stage, contextlib.suppress(KeyboardInterrupt):
        ready(stage, console)
        console.print(stage.let_in(), highlight=False)
        start = now() + round(LEAD * NS)
        life = Life(stage.config.broker, seed, start)
        life.start()
        try:
            watch(stage, life, console, start + round(seconds * NS) if seconds else 2**63 - 1)
        finally:
            life.stop()
            drained(stage)
            warnings = stage.ask("/api/v1/warnings?limit=100000") or []
    return concluded(stage, warnings, report, console)


def ready(stage: Stage, console: Console) -> None:
    """Wait until everything stands."""
    end = time.monotonic() + READY
    with console.status("starting broker, desk, watch and receive"):
        while waiting := stage.waiting():
            stage.crew.tend()
            if time.monotonic() > end:
                raise SystemExit(f"{', '.join(waiting)} not ready after {READY:.0f} s; see {stage.folder / 'log'}")
            time.sleep(0.1)


def watch(stage: Stage, life: Life, console: Console, until: int) -> None:
    """Show what goes on until then [ns]."""
    picture = view.Picture(stage.config.city.name, str(stage.folder))
    with view.shown(console, picture) as show:
        while now() < until:
            stage.crew.tend()
            show(look(stage, life))
            time.sleep(0.5)


def look(stage: Stage, life: Life) -> view.Scene:
    """All that the view shows, asked of the processes."""
    return view.Scene(
        t=time.monotonic(),
        sent=life.sent,
        receive=stage.status("receive"),
        watch=stage.status("watch"),
        map=stage.ask("/api/v1/map") or {},
        warnings=stage.ask("/api/v1/warnings?live=true") or [],
        pushed=len(stage.phone.got),
    )


def drained(stage: Stage) -> None:
    """Wait until what is under way is stored and pushed."""
    end = time.monotonic() + DRAIN
    while time.monotonic() < end:
        stage.crew.tend()
        head = stage.status("receive").get("head")
        if head is not None and head == stage.status("watch").get("checkpoint") and not pending(stage):
            return
        time.sleep(0.2)


def pending(stage: Stage) -> bool:
    """Whether the desk still has something to push."""
    return any(w["pushed"] is None and w["kind"] == "hazard" for w in stage.ask("/api/v1/warnings?limit=100000") or [])


def heard(stage: Stage) -> list[float]:
    """Keep what the phone got in a file -> seconds from the sensor's instant to the phone, for each rise of a level."""
    notices = [(got.at, got.json) for got in stage.phone.got]
    with (stage.folder / "phone.jsonl").open("w") as out:
        out.writelines(json.dumps({"at": iso(at), **body}, ensure_ascii=False) + "\n" for at, body in notices)
    said = [(at, body["lifeline"]) for at, body in notices]
    return [(at - s["t"]) / NS for at, s in said if Level[s["level"]] > Level[s["before"]]]


def told(w: dict[str, Any]) -> dict[str, Any]:
    """A warning as the report has it."""
    return {
        **{k: w[k] for k in ("id", "domain", "asset", "hazard")},
        "level": view.level(w["peak"]),
        "onset": iso(w["onset"]),
        "pushed": iso(w["pushed"]) if w["pushed"] else None,
        "latency_s": w["latency"],
    }


def concluded(stage: Stage, warnings: list[dict[str, Any]], report: Path | None, console: Console) -> int:
    """Say how it went; the processes have ended and the books are closed."""
    found = books(stage.config.city.data)
    latencies = heard(stage)
    p50, p99 = np.percentile(latencies, [50, 99]).tolist() if latencies else (None, None)
    outcome = {
        "ledger": found["ledger"],
        "readings": found["readings"],
        "warnings": [told(w) for w in sorted(warnings, key=lambda w: w["onset"]) if w["kind"] == "hazard"],
        "latency_s": {"p50": p50, "p99": p99},
    }
    if report is not None:
        report.write_text(json.dumps(outcome, indent=1, ensure_ascii=False) + "\n")
    ledger = outcome["ledger"]
    fates = {k: v for k, v in ledger.items() if k != "acknowledged"}
    balanced = ledger["acknowledged"] == sum(fates.values())
    console.print(
        f"acknowledged {ledger['acknowledged']} = " + " + ".join(f"{k} {v}" for k, v in fates.items()),
        "(balanced)" if balanced else "(DOES NOT BALANCE)",
        soft_wrap=True,
    )
    console.print(
        f"{len(outcome['warnings'])} warnings; what was pushed: {stage.folder / 'phone.jsonl'}"
        + (f"; latency p50 {p50:.2f} s, p99 {p99:.2f} s" if latencies else ""),
        soft_wrap=True,
    )
    sys.stdout.flush()
    return 0 if balanced else 1
