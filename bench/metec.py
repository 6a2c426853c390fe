"""Real methane sensors beside known releases: the METEC week, replayed through broker, receive, watch and desk to a phone.

What was warned is set against what was released. Run: python -m bench.metec [--speed 600] [--start 2022-05-13] [--days 1]
[--plot FILE]. The record is read where it lies (bench/metec_record.py).
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import track

from bench.metec_record import MISSING, Event, folder, picture, scored
from bench.receiver import Receiver
from ingest.mqtt import Publisher
from lifeline.clock import WallClock, iso, now, parse
from lifeline.config import load
from lifeline.model import NS, Level
from pipeline.demo import Stage, drained, free_ports
from pipeline.public.metec import TRAINING, Record, lines, record
from pipeline.stranger import write
from pipeline.supervise import Crew, embedded

LONG: Final = True  # a week at 600 times its pace: not among `lifeline bench all`
HAZARD: Final = "open_air_release"
READY: Final = 60.0  # [s] until the processes must be ready

SETTINGS: Final = """\
[city]
name = "metec"
catalog = "catalog.csv"
data = "data"
[broker]
embedded = true
port = {broker}
[watch]
flush = "2s"
oldest = "3650d"
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


class Heard(NamedTuple):
    """What came of a replay."""

    events: list[Event]
    notices: int
    latency: list[float]  # [s] from the publication of the reading to the phone, for each rise of a level
    desk: int  # warnings that the desk lists
    tickets: int
    seconds: float


@contextlib.contextmanager
def staged(at: Path, r: Record) -> Iterator[Stage]:
    """Broker, phone and the three processes, ready."""
    with contextlib.ExitStack() as open_:
        phone = open_.enter_context(Receiver())
        broker, desk, receive, watch = free_ports(4)
        settings = at / "lifeline.toml"
        settings.write_text(SETTINGS.format(broker=broker, desk=desk, receive=receive, watch=watch, phone=phone.url))
        write(lines(r), at / "catalog.csv")
        config = load(settings, {})
        open_.enter_context(embedded(config.broker, config.city.data))
        crew = open_.enter_context(Crew(settings, at / "log"))
        stage = Stage(at, config, phone, crew)
        ready(stage)
        yield stage


def ready(stage: Stage) -> None:
    end = time.monotonic() + READY
    while waiting := stage.waiting():
        if time.monotonic() > end:
            raise TimeoutError(f"{', '.join(waiting)} not ready after {READY:.0f} s; see {stage.folder / 'log'}")
        time.sleep(0.1)


async def publish(r: Record, stage: Stage, speed: float) -> dict[int, int]:
    """One message a sensor and minute, at so many times the recorded pace -> instant of each reading [ns]: sent at [ns]."""
    sent: dict[int, int] = {}
    topics = [f"lifeline/v1/metec/gas/metec/ch4-{name}/telemetry" for name in r.name]
    minutes = zip(r.t.tolist(), r.value.T.tolist(), strict=True)
    tty = Console(stderr=True, quiet=not sys.stderr.isatty())
    with Publisher(stage.config.broker, "metec-sensors") as sensors:
        clock = WallClock(speed)
        begin = clock.now() - int(r.t[0])
        for t, row in track(minutes, "replaying METEC", r.t.size, console=tty):
            await clock.until(begin + t)
            sent[t] = now()
            for topic, value in zip(topics, row, strict=True):
                if np.isfinite(value):
                    sensors.publish(topic, msgspec.json.encode({"ts": t // 1_000_000, "values": {"ch4": value}}))
            stage.crew.tend()
        sensors.drain()
    return sent


def replay(r: Record, speed: float, at: Path) -> Heard:
    """Play the record on a stage in a folder, and wait for the last word."""
    began = time.monotonic()
    with staged(at, r) as stage:
        sent = asyncio.run(publish(r, stage, speed))
        drained(stage)
        listed = stage.ask("/api/v1/warnings?limit=100000") or []
    said = {
        got.json["lifeline"]["id"]: (got.at, got.json["lifeline"]) for got in reversed(stage.phone.got)
    }  # the first of each
    ours = sorted((s for _, s in said.values() if s["hazard"] == HAZARD), key=lambda s: s["version"])
    rises = [(t, s) for t, s in said.values() if s["hazard"] == HAZARD and Level[s["level"]] > Level[s["before"]]]
    return Heard(
        events(ours, int(r.t[-1])),
        len(ours),
        sorted((t - sent[s["t"]]) / NS for t, s in rises),
        sum(w["hazard"] == HAZARD for w in listed),
        sum(w["kind"] == "ticket" for w in listed),
        time.monotonic() - began,
    )


def events(said: list[dict[str, Any]], last: int) -> list[Event]:
    """The intervals in which a warning stood, of all notices in the order of their versions. last [ns]"""
    found: dict[str, Event] = {}
    for s in said:
        had = found.get(s["warning"])
        peak = max(Level[s["level"]], Level[had.peak] if had else Level.NORMAL)
        end = last if s["ended"] is None else s["ended"]
        found[s["warning"]] = Event(s["warning"], s["onset"], end, peak.name)
    return sorted(found.values(), key=lambda e: e.onset)


def told(r: Record, e: Event) -> dict[str, Any]:
    """An event for the report; `releases`: numbers of those that it overlaps."""
    overlaps = [i for i, (a, b) in enumerate(r.releases) if a <= e.end and b >= e.onset]
    return {"onset": iso(e.onset), "end": iso(e.end), "peak": e.peak, "releases": overlaps}


def run(speed: float = 600, start: str | None = None, days: float | None = None, plot: Path | None = None) -> dict[str, Any]:
    """Replay and score; figures of the whole record and, without the first day, of the part no setting was taken from."""
    at = folder()
    if not (at / "cms_1min.parquet").exists():
        sys.stderr.write(MISSING.format(at) + "\n")
        return {"missing": str(at)}
    r = record(at, None if start is None else parse(f"{start}T00:00:00Z"), days)
    with tempfile.TemporaryDirectory(prefix="lifeline-metec-") as stage:
        heard = replay(r, speed, Path(stage))
    trained = int(record(at).t[0]) + round(TRAINING * NS)
    latency = np.percentile(heard.latency, [50, 99]).round(3).tolist() if heard.latency else [None, None]
    if plot is not None:
        picture(r, heard.events, plot)
    return {
        "speed": speed, "readings": int(np.isfinite(r.value).sum()), "seconds": round(heard.seconds, 1),
        "releases": len(r.releases), "warnings": len(heard.events), "desk_warnings": heard.desk, "notices": heard.notices,
        "tickets": heard.tickets, "latency_s": dict(zip(("p50", "p99"), latency, strict=True)),
        "score": scored(at, r, heard.events, int(r.t[0])), "score_after_first_day": scored(at, r, heard.events, trained),
        "events": [told(r, e) for e in heard.events],
    }  # fmt: skip


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--speed", type=float, default=600.0, help="times the recorded pace")
    ask.add_argument("--start", help="first day, such as 2022-05-13")
    ask.add_argument("--days", type=float)
    ask.add_argument("--plot", type=Path)
    print(json.dumps(run(**vars(ask.parse_args())), indent=1))


if __name__ == "__main__":
    main()
