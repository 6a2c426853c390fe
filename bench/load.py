"""A fast raw MQTT 3.1.1 publisher: backlogs at full speed, and a town at its own pace. `python -m bench.load --help`

It prints a line of JSON each second: what it has sent, and how far it is behind its own plan. Over the town's mix it lets
methane rise in wells of its choice; the last line says when each of them crossed its limit.
"""

import argparse
import contextlib
import json
import select
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

import numpy as np

from bench.town import KINDS, MINUTE, Stream, Town, publish
from lifeline.clock import now
from lifeline.model import NS

WINDOW: Final = 20_000  # messages without acknowledgement; ids are used again after 65,535
ALIVE: Final = 60  # [s] keep-alive asked for; a load is never silent that long
TICK: Final = 20_000_000  # [ns] between pieces of a town's load
ALARM: Final = 6.0  # [%VOL] of methane: beyond the lower explosive limit of 5
CONFIRM: Final = NS  # [ns] a terminal in alarm sends again after so long; the second reading completes the hold
QUIET: Final = 5  # [s] around the usual reading of a well
REST: Final = 2.0  # [s] at the end without alarms


class Wire:
    """One connection of a device; blocks when the broker does not keep up."""

    def __init__(self, port: int, client_id: str, host: str = "127.0.0.1") -> None:
        self._sock = socket.create_connection((host, port), 10)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.sendall(connect(client_id))
        if self._exactly(4)[3]:
            raise ConnectionError(f"the broker refuses {client_id!r}")
        self._sock.setblocking(False)
        self._sent = self._acked = self._heard = 0  # messages, messages, [byte]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._sock.setblocking(True)
        with contextlib.suppress(OSError):
            self._sock.sendall(b"\xe0\x00")
        self._sock.close()

    def _exactly(self, n: int) -> bytes:
        data = b""
        while len(data) < n:
            piece = self._sock.recv(n - len(data))
            if not piece:
                raise ConnectionError("closed by the broker")
            data += piece
        return data

    def send(self, packets: bytes, messages: int) -> None:
        """Hand over whole packets; returns when the kernel has them and the window is open again."""
        view = memoryview(packets)
        self._sent += messages
        while view:
            _, writable, _ = select.select([], [self._sock], [], 10)
            if not writable and not self._listen(0):
                raise ConnectionError("the broker takes nothing for 10 s")
            with contextlib.suppress(BlockingIOError):
                view = view[self._sock.send(view[: 1 << 18]) :]
            self._listen(0)
        while self._sent - self._acked > WINDOW:
            self._listen(10)

    def drain(self, patience: float = 60.0) -> None:
        """Until all is acknowledged."""
        end = time.monotonic() + patience
        while self._acked < self._sent:
            if time.monotonic() > end:
                raise TimeoutError(f"{self._sent - self._acked} messages are not acknowledged after {patience:.0f} s")
            self._listen(1)

    def _listen(self, seconds: float) -> bool:
        """Count acknowledgements: four bytes each, and nothing else comes."""
        ready, _, _ = select.select([self._sock], [], [], seconds)
        if not ready:
            return False
        piece = self._sock.recv(1 << 16)
        if not piece:
            raise ConnectionError("closed by the broker")
        self._heard += len(piece)
        self._acked = self._heard // 4
        return True


def connect(client_id: str) -> bytes:
    """CONNECT of MQTT 3.1.1 with a clean session."""
    name = client_id.encode()
    body = b"\x00\x04MQTT\x04\x02" + ALIVE.to_bytes(2, "big") + len(name).to_bytes(2, "big") + name
    return b"\x10" + bytes([len(body)]) + body


def backlog(port: int, messages: int, say: Callable[[int], None] = lambda _: None, devices: int = 1000) -> None:
    """Messages of one reading, flat JSON of about 60 bytes, as fast as the broker takes them."""
    with Wire(port, "backlog") as wire:
        at, done = now() // 1_000_000, 0
        while done < messages:
            many = min(devices, messages - done)
            ids = range(done, done + many)
            wire.send(b"".join(_reading(i, at, i % devices) for i in ids), many)
            done += many
            say(done)
        wire.drain()


def _reading(i: int, ms: int, device: int) -> bytes:
    body = b'{"ts":%d,"values":{"methane":%.4f}}' % (ms + i, i % 1000 / 10_000)
    return publish(f"lifeline/v1/bench/gas/W{device}/M{device:06d}/telemetry", body, i % 65535 + 1)


class Alarms:
    """Wells in which methane rises: who is next, who is waiting for the reading that confirms, when each crossed."""

    def __init__(self, town: Town, rate: float, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        wells = [i for i in range(town.slow) if town.kind(i) is KINDS[0]]
        self._wells: list[int] = self._rng.permutation(wells).tolist()
        self._town, self._rate = town, rate
        self._waiting: list[tuple[int, int]] = []  # (due [ns], row)
        self.crossed: dict[str, int] = {}  # device -> [ns] UTC of the publication that crossed

    def due(self, at: int) -> Iterator[int]:
        """Rows that publish a reading in alarm now [ns]."""
        for row in [row for t, row in self._waiting if t <= at]:
            self.crossed[f"{KINDS[0].letter}{row:06d}"] = 0
            yield row
        self._waiting = [w for w in self._waiting if w[0] > at]
        if self._rng.random() < self._rate * TICK / NS and (row := self._quiet(at)) >= 0:
            self._waiting.append((at + CONFIRM, row))
            yield row

    def _quiet(self, at: int) -> int:
        """A well that has not spoken just now and is not about to: its usual reading would contradict the alarm. -1: none"""
        for i, row in enumerate(self._wells):
            if QUIET * NS < (at - self._town.instant(row)) % (MINUTE * NS) < (MINUTE - QUIET) * NS:
                return self._wells.pop(i)
        return -1


def play(port: int, town: Town, seconds: float, alarms: Alarms, say: Callable[[dict[str, Any]], None]) -> None:
    """The town at its own pace for so long. Every second: what was sent, and how late."""
    stream = Stream(town)
    with Wire(port, "town") as wire:
        start = at = now() // NS * NS + NS
        end, told = start + round(seconds * NS), start
        while at < end:
            then = at + TICK
            time.sleep(max(0.0, (then - now()) / NS))
            before = stream.messages
            packets = stream.between(at, then)
            wire.send(packets, stream.messages - before)
            if at < end - REST * NS:
                alarm(wire, stream, alarms)
            at = then
            if at >= told + NS:
                told = at
                say({"at": at, "since": start, "messages": stream.messages, "late_s": round((now() - at) / NS, 3)})
        wire.drain()
    say({"at": now(), "since": start, "messages": stream.messages, "late_s": 0.0, "crossed": alarms.crossed})


def alarm(wire: Wire, stream: Stream, alarms: Alarms) -> None:
    """Readings of the wells in alarm, and when they were published."""
    for row in alarms.due(now()):
        t = now()
        wire.send(stream.one(row, t, ALARM), 1)
        device = f"{KINDS[0].letter}{row:06d}"
        if device in alarms.crossed:
            alarms.crossed[device] = t


def main() -> None:
    """The command."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--port", type=int, required=True)
    wanted.add_argument("--backlog", type=int, default=0, help="so many messages of one reading at full speed, and no town")
    wanted.add_argument("--seconds", type=float, default=60.0)
    wanted.add_argument("--slow", type=int, default=50_000)
    wanted.add_argument("--channels", type=int, default=6_000)
    wanted.add_argument("--alarms", type=float, default=5.0, help="wells a second in which methane rises")
    wanted.add_argument("--seed", type=int, default=1)
    given = wanted.parse_args()
    if given.backlog:
        backlog(given.port, given.backlog)
        return
    town = Town(given.slow, given.channels)

    def say(line: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    play(given.port, town, given.seconds, Alarms(town, given.alarms, given.seed), say)


if __name__ == "__main__":
    main()
