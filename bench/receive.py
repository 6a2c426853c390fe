"""Messages received: a backlog drained from mosquitto through journal and commit to acknowledgement, beside mosquitto_sub.

Both drain the same number of QoS 1 messages of one reading from a persistent session of the same broker, in turn. The rate of
receive is that of its journal, from the first batch to the last; that of mosquitto_sub, from its start to its end.
"""

import contextlib
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.load import backlog
from bench.mosquitto import Mosquitto, cpu, free_port, program
from lifeline.model import NS

SESSION: Final = "bench-receive"
OTHER: Final = "bench-sub"
TOPIC: Final = "lifeline/v1/#"
SETTINGS: Final = """\
[city]
name = "bench"
catalog = "none.csv"
data = "data"
[broker]
port = {broker}
client_id = "{session}"
[health]
receive_port = {health}
"""


def subscribe(port: int, session: str) -> None:
    """Leave a persistent session behind that collects what is published."""
    sub = program("mosquitto_sub")
    subprocess.run([sub, "-p", str(port), "-i", session, "-c", "-q", "1", "-t", TOPIC, "-E"], check=True, timeout=20)


def by_sub(broker: Mosquitto, messages: int) -> float:
    """mosquitto_sub drains its session -> messages a second."""
    sub = [program("mosquitto_sub"), "-p", str(broker.port), "-i", OTHER, "-c", "-q", "1", "-t", TOPIC, "-C", str(messages)]
    start = time.monotonic()
    subprocess.run(sub, check=True, stdout=subprocess.DEVNULL, timeout=300)
    return messages / (time.monotonic() - start)


def by_receive(broker: Mosquitto, messages: int, folder: Path) -> tuple[float, float, float, int]:
    """receive drains its session -> messages a second, processor time of the broker and of receive [s], messages said twice."""
    busy = cpu(broker.process.pid)
    with received(broker.port, folder) as (process, health):
        before = cpu(process.pid)
        head = 0
        while head < messages:
            time.sleep(0.05)
            head = status(health)["head"]
        used = cpu(process.pid) - before
    return journaled(folder / "data" / "journal.db"), cpu(broker.process.pid) - busy, used, head - messages


def journaled(path: Path) -> float:
    """Messages a second from the first batch of a journal to its last."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        n, first, t0, t1 = db.execute(
            "SELECT sum(n), (SELECT n FROM batch ORDER BY first LIMIT 1), min(t), max(t) FROM batch"
        ).fetchone()
    return float((n - first) * NS / max(t1 - t0, 1))


@contextlib.contextmanager
def received(port: int, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The process receive, and the port of its health page."""
    folder.mkdir(parents=True)
    health = free_port()
    settings = folder / "lifeline.toml"
    settings.write_text(SETTINGS.format(broker=port, session=SESSION, health=health))
    with (folder / "receive.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", "receive", "--config", settings], stdout=log, stderr=log
        )
        try:
            ready(process, health, folder / "receive.log")
            yield process, health
        finally:
            process.terminate()
            process.wait(20)


def ready(process: subprocess.Popen[bytes], health: int, log: Path) -> None:
    """Until its page answers."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"receive ended: {log.read_text(errors='replace')[-500:]}")
        with contextlib.suppress(OSError):
            status(health)
            return
        time.sleep(0.02)
    raise TimeoutError("receive does not answer after 30 s")


def status(port: int) -> dict[str, Any]:
    """The health page of a process."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/status", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def left(port: int) -> bool:
    """Whether the broker still holds a message for the session of receive: one that was not acknowledged."""
    sub = [program("mosquitto_sub"), "-p", str(port), "-i", SESSION, "-c", "-q", "1", "-t", TOPIC, "-C", "1", "-W", "1"]
    return subprocess.run(sub, check=False, capture_output=True, timeout=20).returncode == 0


def run(*, messages: int = 200_000, repetitions: int = 5, inflight: int = 1000) -> dict[str, float]:
    """Medians; inflight: messages that the broker lets go without acknowledgement, to both alike."""
    costs: list[tuple[float, float, float, int]] = []
    theirs: list[float] = []
    with tempfile.TemporaryDirectory() as folder, Mosquitto(Path(folder) / "broker", inflight=inflight) as broker:
        for session in (SESSION, OTHER):
            subscribe(broker.port, session)
        for i in range(repetitions):
            backlog(broker.port, messages)
            for turn in (i, i + 1):
                if turn % 2:
                    theirs.append(by_sub(broker, messages))
                else:
                    costs.append(by_receive(broker, messages, Path(folder) / f"receive{i}"))
        assert not left(broker.port), "the broker holds messages that receive has journaled and not acknowledged"
    ours = [c[0] for c in costs]
    mine, sub = statistics.median(ours), statistics.median(theirs)
    return {
        "messages_per_s": round(mine), "mosquitto_sub_messages_per_s": round(sub), "ratio": round(mine / sub, 3),
        "said_twice": max(c[3] for c in costs), "slowest_messages_per_s": round(min(ours)),
        "receive_cpu_us": round(statistics.median(c[2] for c in costs) / messages * 1e6, 2),
        "broker_cpu_us": round(statistics.median(c[1] for c in costs) / messages * 1e6, 2),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
