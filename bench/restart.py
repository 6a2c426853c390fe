"""A restart of watch: killed in the midst of its work, how long until it has caught up, and how much memory it takes.

A city of 100,000 slow series has spoken for three minutes; while a fourth is coming in, watch is killed (SIGKILL). When all of
it is in the journal, watch is started again, and has caught up when everything is judged and in a checkpoint.
"""

import json
import signal
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.load import Wire
from bench.mosquitto import resident
from bench.stage import Stage, staged
from bench.town import MINUTE, Stream, Town
from lifeline.clock import now
from lifeline.model import NS

PATIENCE: Final = 300.0  # [s]
ALLOWED: Final = 250_000_000  # [byte] whatever the number of series
SMALL: Final = 100  # series of the city that shows what watch takes anyway


def spoken(stage: Stage, stream: Stream, at: int, seconds: int) -> None:
    """So many seconds of the town's life from `at` on [ns], as fast as the broker takes them."""
    with Wire(stage.broker.port, "town") as wire:
        for s in range(seconds):
            before = stream.messages
            packets = stream.between(at + s * NS, at + (s + 1) * NS)
            wire.send(packets, stream.messages - before)
        wire.drain()


def caught_up(stage: Stage, messages: int) -> float:
    """Wait until watch has judged and stored them all. [s]"""
    start = time.monotonic()
    while time.monotonic() < start + PATIENCE:
        stage.crew.tend()
        s = stage.status("watch")
        if s and s["checkpoint"] == messages and s["lag_s"] == 0.0:
            return time.monotonic() - start
        time.sleep(0.05)
    raise TimeoutError(f"watch has not caught up after {PATIENCE:.0f} s: {stage.status('watch')}")


def journaled(stage: Stage, messages: int) -> None:
    """Wait until receive has taken them all."""
    end = time.monotonic() + PATIENCE
    while stage.status("receive")["head"] < messages:
        if time.monotonic() > end:
            raise TimeoutError(f"receive has not taken {messages} messages after {PATIENCE:.0f} s")
        time.sleep(0.05)


def killed(stage: Stage) -> None:
    """End watch as a power failure would; nobody starts it again yet."""
    process = stage.crew.child("watch").process
    assert process is not None, "watch does not run"
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def small(folder: Path) -> int:
    """Memory of watch in a city of next to no series. [byte]"""
    town = Town(SMALL, 0)
    with staged(folder, town.catalog()) as stage:
        stage.ready()
        stream = Stream(town)
        spoken(stage, stream, now() - MINUTE * NS, MINUTE)
        caught_up(stage, stream.messages)
        return resident(stage.pid("watch"))


def run(*, slow: int = 100_000, minutes: int = 3) -> dict[str, Any]:
    """Seconds from the start of the new process; memory a series above 250 MB, and what watch takes for next to no series."""
    town = Town(slow, 0)
    with tempfile.TemporaryDirectory() as folder:
        base = small(Path(folder) / "small")
        with staged(Path(folder) / "city", town.catalog()) as stage:
            stage.ready()
            stream, begin = Stream(town), now() - (minutes + 1) * MINUTE * NS
            spoken(stage, stream, begin, minutes * MINUTE)
            caught_up(stage, stream.messages)
            before = stage.status("watch")
            spoken(stage, stream, begin + minutes * MINUTE * NS, MINUTE // 2)
            killed(stage)
            spoken(stage, stream, begin + minutes * MINUTE * NS + MINUTE // 2 * NS, MINUTE // 2)
            journaled(stage, stream.messages)
            seconds = caught_up(stage, stream.messages)
            after = stage.status("watch")
            used = resident(stage.pid("watch"))
    counts = after["counts"]
    assert after["pid"] != before["pid"], "watch was not started again"
    assert counts["stored"] == stream.messages, f"{stream.messages} messages were sent, {counts} came of them"
    return {
        "seconds": round(seconds, 2), "bytes_per_series": round((used - ALLOWED) / slow), "base_bytes": base,
        "resident_bytes": used, "series": slow, "messages_caught_up": after["offset"] - before["checkpoint"],
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
