"""The whole chain under a city's load: from publication over MQTT to graded levels, the lake, and the phone.

A load generator in its own process publishes 50,000 slow series and 6,000 bridge channels at their own pace; beside it
methane rises in wells chosen at random, and the phone notes when it hears of each. Then the channels are doubled until the
lag grows, and once more half way between what was held and what was not.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from bench.mosquitto import cpu, machine
from bench.stage import Stage, staged
from bench.town import Town
from lifeline.clock import now
from lifeline.model import NS

HELD: Final = 2.0  # [s] of lag at the end, and no more growth than this between the middle and the end
LOUD: Final = ("ORANGE", "RED")  # levels at which one sensor suffices for methane
PATIENCE: Final = 120.0  # [s] for what is under way at the end
PUSHED: Final = 15.0  # [s] for the last warnings to reach the phone
PROCESSES: Final = ("receive", "watch", "desk")


class Source:
    """The load generator, in a process of its own; its last line is always at hand."""

    def __init__(self, port: int, town: Town, seconds: float, alarms: float) -> None:
        given = {
            "port": port,
            "seconds": seconds,
            "slow": town.slow,
            "channels": town.channels,
            "alarms": alarms,
            "seed": town.seed,
        }
        words = [sys.executable, "-m", "bench.load", *(str(w) for k, v in given.items() for w in (f"--{k}", v))]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE)
        self.last: dict[str, Any] = {}
        out = self.process.stdout
        assert out is not None
        self._thread = threading.Thread(target=self._listen, args=(out,), daemon=True)
        self._thread.start()

    def _listen(self, out: IO[bytes]) -> None:
        with out:
            for line in out:
                self.last = json.loads(line)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self._thread.join(10)


@dataclass
class Course:
    """How a load went, second by second."""

    rate: float  # messages a second, alarms among them
    t: list[float] = field(default_factory=list)  # [s] since the load began
    readings: list[int] = field(default_factory=list)  # judged so far
    lag: list[float] = field(default_factory=list)  # [s] of load: planned by now and not judged yet
    spent: list[dict[str, float]] = field(default_factory=list)  # [s] processor time

    def note(self, line: dict[str, Any], status: dict[str, Any], now: int, used: dict[str, float]) -> None:
        """One look at the load's last line, at watch, and at the machine."""
        seconds = (now - line["since"]) / NS
        self.t.append(seconds)
        self.spent.append(used)
        self.readings.append(status["readings"])
        self.lag.append(max(0.0, seconds - status["offset"] / self.rate))

    @property
    def held(self) -> bool:
        """Whether the lag at the end is small, and not growing."""
        if len(self.lag) < 6:
            return False
        third = len(self.lag) // 3
        middle, end = (float(np.median(part)) for part in (self.lag[third : 2 * third], self.lag[-third:]))
        return self.lag[-1] <= HELD and end - middle <= HELD / 4

    @property
    def readings_per_s(self) -> float:
        """Judged a second, between the first look and the last."""
        return (self.readings[-1] - self.readings[0]) / (self.t[-1] - self.t[0])

    def cores(self) -> dict[str, float]:
        """How many cores each kept busy, between the first look and the last."""
        return {name: (self.spent[-1][name] - s) / (self.t[-1] - self.t[0]) for name, s in self.spent[0].items()}


def carried(town: Town, seconds: float, alarms: float) -> dict[str, Any]:
    """One load from beginning to end, in a city of its own."""
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder) / "city", town.catalog()) as stage:
        stage.ready()
        source = Source(stage.broker.port, town, seconds, alarms)
        try:
            course = observed(stage, source, town.messages_per_s + 2 * alarms)
        finally:
            source.close()
        found = {
            "readings_per_s": round(course.readings_per_s), "seconds": round(course.t[-1] - course.t[0], 1),
            "held": course.held, "lag_s_end": round(course.lag[-1], 2), "lag_s_most": round(max(course.lag), 2),
            "cores": {name: round(cores, 2) for name, cores in course.cores().items()},
        }  # fmt: skip
        if not course.held:
            return found
        stage.drained(source.last["messages"], PATIENCE)
        return found | whole(stage) | latency(stage, source.last.get("crossed", {}))


def observed(stage: Stage, source: Source, rate: float) -> Course:
    """Look once a second until the load ends."""
    course = Course(rate)
    while source.process.poll() is None and "crossed" not in source.last:
        time.sleep(1.0)
        stage.crew.tend()
        line, status = source.last, stage.status("watch")
        if line and status and "crossed" not in line:
            course.note(line, status, now(), spent(stage, source))
    if source.process.poll():
        raise RuntimeError(f"the load ended with {source.process.returncode}")
    return course


def spent(stage: Stage, source: Source) -> dict[str, float]:
    """Processor time so far, of those who take part and of everybody else on this machine. [s]"""
    pids = {"broker": stage.broker.process.pid, "load": source.process.pid, **{name: stage.pid(name) for name in PROCESSES}}
    used = {**{name: cpu(pid) for name, pid in pids.items()}, "bench": time.process_time()}
    return used | {"others": machine() - sum(used.values())}


def whole(stage: Stage) -> dict[str, Any]:
    """What became of the messages and readings."""
    counts = stage.status("watch")["counts"]
    return {name: counts.get(name, 0) for name in ("stored", "duplicate", "dead_lettered", "readings_stored")}


def latency(stage: Stage, crossed: dict[str, int]) -> dict[str, Any]:
    """From the publication that crossed the limit to the phone. crossed: device -> [ns]"""
    wanted = {device: t for device, t in crossed.items() if t}
    end = time.monotonic() + PUSHED
    while (heard := reached(stage, wanted)).keys() < wanted.keys() and time.monotonic() < end:
        time.sleep(0.2)
    seconds = [(heard[d] - t) / NS for d, t in wanted.items() if d in heard]
    p50, p99 = np.percentile(seconds, [50, 99]).tolist() if seconds else (None, None)
    return {
        "alarms": len(wanted), "alarms_pushed": len(seconds),
        "p50_s": p50 and round(p50, 3), "p99_s": p99 and round(p99, 3), "worst_s": round(max(seconds), 3) if seconds else None,
    }  # fmt: skip


def reached(stage: Stage, wanted: dict[str, int]) -> dict[str, int]:
    """When the phone first heard that a well is dangerous. [ns]"""
    heard: dict[str, int] = {}
    for got in list(stage.phone.got):
        said = got.json["lifeline"]
        if said["asset"] in wanted and said["level"] in LOUD:
            heard.setdefault(said["asset"], got.at)
    return heard


def greatest(town: Town, seconds: float, steps: int, first: dict[str, Any]) -> tuple[float, list[dict[str, Any]]]:
    """The greatest load held -> readings a second, and every attempt: doubled until it fails, then once half way."""
    tried, best, low, high = [], 0.0, 0, 0
    channels, found = town.channels, first
    for _ in range(steps + 1):
        tried.append({"channels": channels, **{k: found[k] for k in ("readings_per_s", "held", "lag_s_end", "cores")}})
        if found["held"]:
            low, best = channels, max(best, found["readings_per_s"])
        else:
            high = channels
        channels = (low + high) // 2 if high else 2 * channels
        if len(tried) > steps or (high and high - low < town.channels / 4):
            break
        found = carried(Town(town.slow, channels, town.rate, town.seed), seconds, 0.0)
    return best, tried


def run(
    *,
    slow: int = 50_000,
    channels: int = 6_000,
    seconds: float = 60.0,
    alarms: float = 5.0,
    steps: int = 4,
    search: float = 30.0,
) -> dict[str, Any]:
    """steps: loads tried after the first, of `search` seconds each; alarms: wells a second in which methane rises."""
    town = Town(slow, channels)
    first = carried(town, seconds, alarms)
    best, tried = greatest(town, search, steps, first)
    return first | {"asked_readings_per_s": round(town.readings_per_s), "max_held_readings_per_s": best, "tried": tried}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
