"""The MQTT session: takes messages, has them journaled, then acknowledges. The only file that imports paho.

paho keeps the session (CONNECT, SUBSCRIBE, keep-alive, both protocol versions, TLS); the reading is ours: paho reads a socket a
byte or two at a time, this loop reads it in large pieces, hands the packets that carry readings to `take`, gives all others
back to paho, and acknowledges a whole batch after its commit. A message that could not be journaled is never acknowledged:
the connection is closed instead, and the broker sends it again when there is room.
"""

import contextlib
import logging
import random
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.frames import ACK, ProtocolError, split
from ingest.journal import JournalFull
from lifeline.clock import now
from lifeline.config import Broker

log = logging.getLogger("lifeline.mqtt")

PIECE: Final = 1 << 18  # [byte] read at once
ENOUGH: Final = 1 << 24  # [byte] of payload in a batch
BACKOFF: Final = (0.5, 30.0)  # [s] first and longest wait between attempts to connect

Take = Callable[[list[bytes], int], None]  # ([topic, payload, ...], receive time [ns]); raises JournalFull


class Lost(Exception):
    """The connection is gone; a new one is wanted."""


class _Client(paho.Client):
    """paho with the socket's two ends in our hands: it reads what we feed it and writes where we write."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.feed = bytearray()  # packets for paho
        self.out = bytearray()  # bytes for the broker, from paho and from us, in order

    def _sock_recv(self, bufsize: int) -> bytes:
        if not self.feed:
            raise BlockingIOError
        data = bytes(self.feed[:bufsize])
        del self.feed[:bufsize]
        return data

    def _sock_send(self, buf: bytes | bytearray) -> int:
        self.out += buf
        return len(buf)


def client(broker: Broker, client_id: str, kind: type[paho.Client] = paho.Client, *, clean: bool = False) -> Any:
    """A paho client for a broker's settings. Persistent unless `clean`."""
    v5 = broker.version == "5"
    made = kind(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=paho.MQTTv5 if v5 else paho.MQTTv311,
        manual_ack=True,
        reconnect_on_failure=False,
        clean_session=None if v5 else clean,
    )
    if broker.username:
        made.username_pw_set(broker.username, broker.password or None)
    if broker.tls:
        context = ssl.create_default_context(cafile=broker.ca_file or None)
        if broker.cert_file:
            context.load_cert_chain(broker.cert_file, broker.key_file or None)
        made.tls_set_context(context)
    return made


def dial(broker: Broker, made: paho.Client, *, clean: bool = False) -> None:
    """Open the connection of a client; the CONNECT is on its way when this returns."""
    if broker.version == "5":
        wish = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho types only half of it
        if not clean:
            wish.SessionExpiryInterval = 0xFFFFFFFF
        wish.ReceiveMaximum = min(broker.receive_maximum, 65535)
        made.connect(broker.host, broker.port, keepalive=max(1, round(broker.keepalive)), clean_start=clean, properties=wish)
    else:
        made.connect(broker.host, broker.port, keepalive=max(1, round(broker.keepalive)))


class Session:
    """One persistent session, kept up for good. State for the health page is in plain fields, written by one thread."""

    def __init__(self, broker: Broker, take: Take, *, memory: Path, linger: float, batch: int) -> None:
        self._broker, self._take, self._memory = broker, take, memory
        self._linger, self._batch = linger, batch
        self.connected = False
        self.why = "not connected yet"
        self.beat = time.monotonic()  # [s] when the loop last turned
        self.heard = 0  # [ns] UTC of the last packet
        self.connects = 0
        self.forgotten = 0  # sessions that the broker did not know any more
        self.expires = 0.0  # [s] since 1970, when the broker's certificate ends; 0: it showed none

    def run(self, stop: threading.Event) -> None:
        """Connect, take, reconnect, until told to stop."""
        wait = BACKOFF[0]
        while not stop.is_set():
            self.beat = time.monotonic()
            before = self.connects
            try:
                self._take([], now())  # no connection before there is room for what it brings
                self._converse(stop)
            except (JournalFull, Lost, ProtocolError, OSError, ValueError) as why:
                self.why = f"{type(why).__name__}: {why}"
                wait = BACKOFF[0] if self.connects > before else wait  # it had worked
                log.warning("mqtt connection ended", extra={"why": self.why, "again_s": round(wait, 1)})
                self._pause(stop, wait * random.uniform(0.8, 1.2))  # noqa: S311  jitter, no secret
                wait = min(2 * wait, BACKOFF[1])

    def _pause(self, stop: threading.Event, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not stop.is_set() and (left := end - time.monotonic()) > 0:
            self.beat = time.monotonic()
            stop.wait(min(left, 1.0))

    def _converse(self, stop: threading.Event) -> None:
        """One connection from dial to end."""
        talk = _Talk(self, self._broker, self._take, self._memory)
        try:
            talk.open()
            while not stop.is_set():
                self.beat = time.monotonic()
                talk.turn(self._linger, self._batch)
        finally:
            self.connected = False
            talk.close()


class _Talk:
    """One connection: bytes in, batches to the journal, acknowledgements out."""

    def __init__(self, session: Session, broker: Broker, take: Take, memory: Path) -> None:
        self._session, self._broker, self._take, self._memory = session, broker, take, memory
        self._v5 = broker.version == "5"
        self._client: _Client = client(broker, broker.client_id, _Client)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._failed = ""
        self._fresh = True  # the broker knew no session of ours: what it retained is news; else we have had it
        self._rest, self._need = bytearray(), 2
        self._flat: list[bytes] = []
        self._acks: list[bytes] = []
        self._size = 0
        self._due = float("inf")
        self._misc = 0.0

    def open(self) -> None:
        dial(self._broker, self._client)
        sock = self._client.socket()
        if sock is None:
            raise Lost("no socket after connecting")
        self._sock: Any = sock
        shown = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
        self._session.expires = ssl.cert_time_to_seconds(str(shown["notAfter"])) if shown else 0.0
        self._poll = select.poll()
        self._opened = time.monotonic()

    def close(self) -> None:
        """Leave without a word: what was not acknowledged is the broker's again."""
        with contextlib.suppress(OSError):
            sock = self._client.socket()
            if sock is not None:
                sock.close()

    def turn(self, linger: float, batch: int) -> None:
        """Wait for bytes, take what came, commit when the batch is full or its time is up."""
        t = time.monotonic()
        self._wait(max(0.0, min(0.1, self._due - t)))
        if self._read():
            t = time.monotonic()
            if self._flat and self._due == float("inf"):
                self._due = t + linger
        if self._flat and (len(self._flat) >= 2 * batch or self._size >= ENOUGH or time.monotonic() >= self._due):
            self._commit()
        self._write()
        if t >= self._misc:
            self._misc = t + 0.5
            self._check(self._client.loop_misc())
            if not self._session.connected and t > self._opened + 15:
                raise Lost("the broker does not answer the CONNECT within 15 s")

    def _wait(self, seconds: float) -> None:
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return
        self._poll.register(self._sock, select.POLLIN | (select.POLLOUT if self._client.out else 0))
        self._poll.poll(seconds * 1000)

    def _read(self) -> bool:
        """Take what the socket holds, up to a few pieces; says whether anything came."""
        came = False
        for _ in range(4):
            try:
                piece = self._sock.recv(PIECE)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            if not piece:
                raise Lost(self._failed or "closed by the broker")
            came = True
            self._rest += piece
            if len(piece) < PIECE and not self._broker.tls:
                break
        if came:
            self._session.heard = now()
            if len(self._rest) >= self._need:
                self._parse()
        return came

    def _parse(self) -> None:
        frames = split(bytes(self._rest), v5=self._v5, retained=self._fresh)
        del self._rest[: frames.used]
        self._need = frames.need
        self._flat += frames.flat
        self._acks += frames.acks
        self._size += sum(map(len, frames.flat))
        for packet in frames.others:
            self._client.feed += packet
        while self._client.feed:
            self._check(self._client.loop_read())

    def _commit(self) -> None:
        self._take(self._flat, now())
        if self._acks:
            self._client.out += ACK + ACK.join(self._acks)
        self._flat, self._acks, self._size, self._due = [], [], 0, float("inf")

    def _write(self) -> None:
        if self._client.want_write():  # said within a callback: paho keeps it until asked
            self._check(self._client.loop_write())
        out = self._client.out
        while out:
            try:
                sent = self._sock.send(out)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            del out[:sent]

    def _check(self, rc: MQTTErrorCode) -> None:
        if self._failed:
            raise Lost(self._failed)
        if rc != paho.MQTT_ERR_SUCCESS:
            raise Lost(paho.error_string(rc))

    def _on_connect(self, _c: Any, _u: Any, flags: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            self._failed = f"the broker refuses the session of {self._broker.client_id!r}: {reason}"
            return
        self._fresh = not flags.session_present
        remembered = _remembered(self._memory)
        if self._fresh and remembered:
            self._session.forgotten += 1
            log.error(
                "the broker has forgotten the session; what it held for us is lost", extra={"client": self._broker.client_id}
            )
        share = f"$share/{self._broker.share}/" if self._broker.share else ""
        wanted = [share + topic for topic in self._broker.topics]
        if stale := [t for t in remembered if t not in wanted]:
            self._client.unsubscribe(stale)  # a persistent session keeps filters that the configuration no longer names
        self._client.subscribe([(topic, 1) for topic in wanted])
        _remember(self._memory, wanted)

    def _on_subscribe(self, _c: Any, _u: Any, _mid: int, reasons: list[Any], _p: Any) -> None:
        if bad := [str(r) for r in reasons if r.is_failure]:
            self._failed = (
                f"the broker refuses the subscription to {', '.join(self._broker.topics)}: {', '.join(bad)}; check its ACL"
            )
            return
        self._session.connected, self._session.why = True, ""
        self._session.connects += 1


def _remembered(path: Path) -> list[str]:
    """The filters of the last connection; none when the file cannot be read, for that must not keep us from connecting."""
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[str])
    except msgspec.DecodeError as why:
        log.warning("the filters of the last connection are not known; the broker may still have some", extra={"why": why})
        return []


def _remember(path: Path, topics: list[str]) -> None:
    """Whole or not at all, whenever we are killed."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(topics))
    draft.replace(path)


class Publisher:
    """Sends at QoS 1 with a bounded number of messages under way; for simulators, replays and checks."""

    def __init__(self, broker: Broker, client_id: str, *, window: int = 100) -> None:
        self._broker = broker
        self._room = threading.Semaphore(window)
        self._window = window
        self._answered, self._up = threading.Event(), threading.Event()
        self._why = "no answer"
        self._client: paho.Client = client(broker, client_id, clean=True)
        self._client.max_inflight_messages_set(window)
        self._client.on_connect = self._on_connect
        self._client.on_publish = lambda *_: self._room.release()
        self._client.on_disconnect = lambda *_: self._up.clear()

    def __enter__(self) -> Self:
        dial(self._broker, self._client, clean=True)
        self._client.loop_start()
        self._answered.wait(10)
        if not self._up.is_set():
            self._client.loop_stop()
            raise ConnectionError(f"{self._broker.host}:{self._broker.port} does not take the session: {self._why}")
        return self

    def __exit__(self, *_exc: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, _c: Any, _u: Any, _flags: Any, reason: Any, _p: Any) -> None:
        self._why = str(reason)
        if not reason.is_failure:
            self._up.set()
        self._answered.set()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand one message over; waits while too many are under way, raises when the connection is gone."""
        if len(payload) > self._broker.max_payload:
            raise ValueError(f"{topic}: {len(payload)} bytes, the limit is {self._broker.max_payload} ([broker] max_payload)")
        if not self._room.acquire(timeout=30) or not self._up.is_set():
            raise ConnectionError(f"{self._broker.host}:{self._broker.port} takes nothing any more")
        self._client.publish(topic, payload, qos=1, retain=retain)

    def drain(self, timeout: float = 30.0) -> None:
        """Return when all that was handed over has been acknowledged by the broker."""
        end = time.monotonic() + timeout
        for held in range(self._window):
            if not self._room.acquire(timeout=max(0.0, end - time.monotonic())):
                self._room.release(held)
                raise TimeoutError(f"{self._window - held} messages are not acknowledged after {timeout} s")
        self._room.release(self._window)


def reachable(broker: Broker, timeout: float = 3.0) -> str:
    """Empty when something accepts connections at the broker's address, else why not."""
    try:
        with socket.create_connection((broker.host, broker.port), timeout):
            return ""
    except OSError as why:
        return f"{broker.host}:{broker.port}: {why}"
