"""Readings to a broker, turn by turn, as the devices in the field would send them: paced by a clock, QoS 1, until taken."""

import logging
import os
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import unquote, urlsplit

import numpy as np

from ingest.mqtt import Publisher
from lifeline.catalog import Catalog
from lifeline.clock import Pace
from lifeline.config import Broker, Secret
from lifeline.model import NS, Batch, Block, Ints, Quality
from lifeline.words import Failed, Unusable
from pipeline.publish import Message, messages
from simulators.world import Part, Turn, ends, readings, take

log = logging.getLogger("lifeline.delivery")

TICK: Final = 0.2  # [s] in which what is due together is sent together
WINDOW: Final = 100  # [message] under way, unacknowledged
PATIENCE: Final = 60.0  # [s] that a broker may be away
AGAIN: Final = 1.0  # [s] between attempts to reach it
PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
PASSWORD: Final = "MQTT_PASSWORD"  # noqa: S105  the variable's name
UNSPOKEN: Final = (Quality.CAL, Quality.MAINT)  # what a device says of itself, and messages have no word for
REASONS: Final[dict[type[OSError], str]] = {  # the first that fits
    socket.gaierror: "no such host ({why.strerror}); check its name",
    ssl.SSLCertVerificationError: "its certificate is not trusted ({why.verify_message}); name who signed it with --ca FILE",
    ssl.SSLError: "speaks no TLS, or another kind ({why.reason}); mqtt:// is without TLS",
    ConnectionRefusedError: "nobody listens there; start the broker, or check the port",
    ConnectionResetError: "closed the connection; a port with TLS wants mqtts://, one without wants mqtt://",
    TimeoutError: "does not answer ({why}); check the address, and whether a firewall stands in between",
}

Sent = Callable[[Turn], None]


class Delivered(NamedTuple):
    """What was sent."""

    messages: int
    readings: int
    unspoken: int  # readings that were not sent: no number, or their device says that it is being maintained or calibrated
    whole: bool  # false: told to stop before the end


def broker(url: str, ca: Path | None = None, environ: Mapping[str, str] = os.environ) -> Broker:
    """mqtt://[user[:password]@]host[:port], or mqtts:// for TLS. ca: whom to trust instead of the system's authorities

    A password that the URL does not give comes from the environment, where no list of processes shows it, or from a file named
    there.
    """
    if ca is not None and not ca.is_file():
        raise Unusable(f"--ca {ca}: there is no such file")
    try:
        at = urlsplit(url)
        port = at.port
    except ValueError as why:
        raise Unusable(f"{url!r}: {why}; write mqtt://HOST:PORT") from why
    if at.scheme not in PORTS or not at.hostname or at.path not in {"", "/"} or at.query:
        raise Unusable(f"{url!r} is no broker; write mqtt://HOST, mqtt://USER:PASSWORD@HOST:PORT, or mqtts://… for TLS")
    user = unquote(at.username or "")
    try:
        return Broker(
            host=at.hostname,
            port=port or PORTS[at.scheme],
            username=user,
            password=Secret(unquote(at.password or "") or (_password(environ) if user else "")),
            tls=at.scheme == "mqtts",
            ca_file=ca,
        )
    except ValueError as why:
        raise Unusable(f"{at.scheme}://{at.hostname}: {why}") from why


def _password(environ: Mapping[str, str]) -> str:
    """What MQTT_PASSWORD says, or the file that MQTT_PASSWORD_FILE names; empty where there is neither."""
    if PASSWORD in environ or not (file := environ.get(f"{PASSWORD}_FILE")):
        return environ.get(PASSWORD, "")
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as why:
        raise Unusable(f"{PASSWORD}_FILE: {file} cannot be read: {why}") from why


class Line:
    """A connection that is made again when it is lost, for as long as that is bearable. Use it in a `with`."""

    def __init__(self, to: Broker, name: str) -> None:
        self._to, self._name = to, f"{name}-{os.getpid()}"  # two under one name would throw each other out
        self._publisher: Publisher | None = None
        self._recent: deque[Message] = deque(maxlen=WINDOW + 1)  # whatever may not have arrived is among them

    def __enter__(self) -> Self:
        try:
            self._open()
        except OSError as why:
            raise self._given_up(why) from why
        return self

    def send(self, topic: str, payload: bytes) -> None:
        self._recent.append((topic, payload))
        try:
            self._open().publish(topic, payload)
        except OSError as why:
            self._again(why)

    def _open(self) -> Publisher:
        if self._publisher is None:
            self._publisher = Publisher(self._to, self._name, window=WINDOW).__enter__()
        return self._publisher

    def _again(self, why: OSError) -> None:
        """Connect, and say once more what may not have arrived: a reading said twice is stored once."""
        end = time.monotonic() + PATIENCE
        log.warning("the broker is away; trying again", extra={"broker": self._place, "why": str(why)})
        while True:
            self._drop()
            time.sleep(AGAIN)
            try:
                line = self._open()
                for topic, payload in self._recent:
                    line.publish(topic, payload)
            except OSError as later:
                if time.monotonic() > end:
                    raise self._given_up(later) from later
            else:
                return

    @property
    def _place(self) -> str:
        return f"{self._to.host}:{self._to.port}"

    def _given_up(self, why: OSError) -> Failed:
        """In words, with what may be done."""
        for kind, words in REASONS.items():
            if isinstance(why, kind):
                return Failed(f"{self._place}: {words.format(why=why)}")
        said = str(why).removeprefix(f"{self._place} ")
        if "uthori" in said or "password" in said:
            user = f"as user {self._to.username!r}" if self._to.username else "without a user"
            return Failed(f"{self._place} {said}, {user}; write mqtt://USER@HOST, and the password into {PASSWORD}")
        return Failed(f"{self._place} {said}" + ("" if self._to.tls else "; does it want TLS? write mqtts://"))

    def _drop(self) -> None:
        if self._publisher is not None:
            self._publisher.__exit__()
            self._publisher = None

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        """Wait until the broker has all."""
        try:
            if kind is None or issubclass(kind, KeyboardInterrupt):
                self._drained()
        finally:
            self._drop()

    def _drained(self) -> None:
        try:
            self._open().drain()
        except OSError as why:  # a time-out is one
            self._again(why)
            self._open().drain()


def deliver(
    turns: Iterable[Turn],
    catalog: Catalog,
    city: str,
    line: Line,
    *,
    speed: float,
    start: int,
    shift: int,
    sent: Sent,
    stop: threading.Event,
) -> Delivered:
    """Send a stream. start [ns]: its instant that is now; shift [ns]: added to the time of every reading."""
    pace, count, said, unspoken = Pace(speed), 0, 0, 0
    pace.wait(start, stop)
    for turn in turns:
        heard = spoken(turn)
        for at, parts in pieces(heard):
            if not pace.wait(at, stop):
                return Delivered(count, said, unspoken, whole=False)
            for topic, payload in messages([moved(p, shift) for p in parts], catalog, city):
                line.send(topic, payload)
                count += 1
            said += sum(p.n if isinstance(p, Batch) else p.value.size for p in parts)
        unspoken += readings(turn) - readings(heard)
        sent(turn)
    return Delivered(count, said, unspoken, whole=True)


def later(start: int, end: int, speed: float, at: int) -> int:
    """So much is added to the times of a stream that is sent from now on that none is of the future. [ns]

    Up to its own speed its first instant is now; faster, its last is dated when it is sent. Whole seconds, so that what is
    judged in slots of a second falls into the same ones. start, end: of the stream; at: now [ns]
    """
    return (at - start - round((end - start) * (1.0 - 1.0 / max(speed, 1.0)))) // NS * NS


def spoken(turn: Turn) -> Turn:
    """What of a turn its devices have words for."""
    b = turn.batch
    batch = b.take(np.isfinite(b.value) & ~np.isin(b.quality, UNSPOKEN))
    heard = ((x, np.isfinite(x.value).any(axis=1) & ~np.isin(x.quality, UNSPOKEN).any(axis=1)) for x in turn.blocks)
    return Turn(turn.at, batch, [part for x, m in heard if m.any() and isinstance(part := take(x, m), Block)])


def pieces(turn: Turn) -> Iterator[tuple[int, list[Part]]]:
    """What of a turn is due when [ns]: each reading within a tick of its time, what comes late at the turn's end."""
    told: list[Part] = [turn.batch, *turn.blocks]
    dues = [(part, due(ends(part), turn.at)) for part in told]
    for at in np.unique(np.concatenate([d for _, d in dues])).tolist():
        yield at, [take(part, d == at) for part, d in dues if (d == at).any()]


def due(t: Ints, at: int) -> Ints:
    """t [n] [ns], at [ns] the turn's end; [n] [ns]"""
    tick = round(TICK * NS)
    return np.where((t > at - NS) & (t <= at), np.minimum(-(-t // tick) * tick, at), at)


def moved(part: Part, shift: int) -> Part:
    """At other times. shift [ns]"""
    if isinstance(part, Batch):
        return Batch(part.row, part.t + shift, part.value, part.quality)
    return Block(part.row, part.t + shift, part.step, part.value, part.quality)
