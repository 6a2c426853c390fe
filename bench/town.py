"""A city's mix as MQTT packets made beforehand: slow series in small messages, bridge channels in blocks of a second.

All packets of one kind are rows of one array of bytes. Only packet ids, times and some digits are written anew, so that the
load costs next to nothing beside what it measures.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.codecs import Waveform, waveform
from lifeline.catalog import Catalog
from lifeline.model import NS, Ints
from lifeline.units import UNITS

Bytes = NDArray[np.uint8]

MINUTE: Final = 60  # [s] between the readings of a slow series
MS: Final = 1_000_000  # [ns]
CITY: Final = "bench"
MARK: Final = 0x1111_1111_1111_1111  # stands where the time of a waveform will be


class Kind(NamedTuple):
    """Slow series of one kind."""

    letter: str
    domain: str
    quantity: str
    unit: str
    high: float  # [unit] of the range
    usual: float  # [unit]


KINDS: Final = (
    Kind("M", "gas", "methane", "%VOL", 20.0, 0.02),
    Kind("P", "gas", "gas_pressure", "kPa", 600.0, 200.0),
    Kind("W", "water", "water_pressure", "mH2O", 100.0, 35.0),
    Kind("F", "water", "water_flow", "m³/h", 2000.0, 150.0),
    Kind("T", "elevator", "temperature", "°C", 120.0, 25.0),
)
SHAKE: Final = Kind("B", "bridge", "acceleration", "m/s²", 20.0, 0.0)


class Sheet(NamedTuple):
    """Packets of equal length, and where in them stands what changes."""

    packet: Bytes  # [n, length]
    pid: int  # where the packet id begins
    t: int  # where the time begins
    value: int  # where the value begins


@dataclass(frozen=True)
class Town:
    """slow: series at one reading a minute; channels: of bridges, at `rate` readings a second."""

    slow: int
    channels: int
    rate: int = 100  # [1/s]
    seed: int = 1

    @property
    def readings_per_s(self) -> float:
        return self.slow / MINUTE + self.channels * self.rate

    @property
    def messages_per_s(self) -> float:
        return self.slow / MINUTE + self.channels

    def kind(self, i: int) -> Kind:
        """Of a slow series."""
        return KINDS[i % len(KINDS)]

    def instant(self, row: int) -> int:
        """When in its minute a slow series speaks. [ns]"""
        alike = len(range(row % len(KINDS), self.slow, len(KINDS)))
        return row // len(KINDS) * MINUTE * NS // alike

    def catalog(self) -> Catalog:
        """Every series, its own device and asset."""
        kinds = [self.kind(i) for i in range(self.slow)] + [SHAKE] * self.channels
        device = [f"{k.letter}{i:06d}" for i, k in enumerate(kinds)]
        step = np.r_[np.full(self.slow, float(MINUTE)), np.full(self.channels, 1 / self.rate)]
        n, units = len(kinds), [UNITS[k.unit] for k in kinds]
        names, words = np.array(device, object), {f: np.array([getattr(k, f) for k in kinds], object) for f in Kind._fields}
        high = np.array([u.to_si(k.high) for u, k in zip(units, kinds, strict=True)])
        low = np.array([u.to_si(-k.high if k is SHAKE else 0.0) for u, k in zip(units, kinds, strict=True)])
        scale, offset = np.array([u.scale for u in units]), np.array([u.offset for u in units])
        return Catalog(
            key=np.array([f"{d}/{k.quantity}" for d, k in zip(device, kinds, strict=True)], object),
            asset=names, device=names, domain=words["domain"], district=np.array([f"street {i % 6}" for i in range(n)], object),
            quantity=words["quantity"], unit=words["unit"], owner=np.full(n, "town", object), step=step, low=low, high=high,
            lat=24.6 + 0.1 * np.arange(n) / n, lon=np.full(n, 102.9), hold=np.full(n, np.nan), rated=np.full(n, np.nan),
            scale=scale, offset=offset, report=np.full(n, np.nan),
        )  # fmt: skip

    def telemetry(self, kind: Kind) -> tuple[Ints, Sheet]:
        """Catalog rows of the slow series of a kind, and their packets."""
        rows = np.array([i for i in range(self.slow) if self.kind(i) is kind], np.int64)
        head, tail = '{"ts":', f'0000000000000,"values":{{"{kind.quantity}":{kind.usual:9.4f}}}}}'
        bodies = [(head + tail).encode()] * rows.size
        packets, pid = _packets([_topic(kind, int(i), "telemetry") for i in rows], bodies)
        start = packets.shape[1] - len(bodies[0]) if rows.size else 0
        return rows, Sheet(packets, pid, start + len(head), start + len(head + tail) - 11)

    def waves(self) -> Sheet:
        """Packets of all bridge channels: noise of 0.02 m/s², of another size on each."""
        rng = np.random.default_rng(self.seed)
        value = rng.normal(0, 0.02, (self.channels, self.rate)) * rng.uniform(0.5, 1.5, (self.channels, 1))
        rows = range(self.slow, self.slow + self.channels)
        bodies = [
            waveform.encode(Waveform(f"B{i:06d}/acceleration", MARK, NS // self.rate, v, ""))
            for i, v in zip(rows, value, strict=True)
        ]
        packets, pid = _packets([_topic(SHAKE, i, "waveform") for i in rows], bodies)
        start = packets.shape[1] - len(bodies[0]) if bodies else 0
        at = bodies[0].index(MARK.to_bytes(8, "big")) if bodies else 0
        return Sheet(packets, pid, start + at, packets.shape[1] - 4 * self.rate)


def publish(topic: str, payload: bytes, pid: int = 0) -> bytes:
    """A PUBLISH at QoS 1 of MQTT 3.1.1; pid in 1..65535, or 0 where it is written later."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + pid.to_bytes(2, "big") + payload
    return b"\x32" + length(len(body)) + body


def length(n: int) -> bytes:
    """The variable byte integer of MQTT."""
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out) + bytes([n])


def _topic(kind: Kind, i: int, form: str) -> str:
    device = f"{kind.letter}{i:06d}"
    return f"lifeline/v1/{CITY}/{kind.domain}/{device}/{device}/{form}"


def _packets(topics: list[str], bodies: list[bytes]) -> tuple[Bytes, int]:
    """[n, length], and where the packet id begins."""
    if not topics:
        return np.empty((0, 0), np.uint8), 0
    packets = [publish(t, b) for t, b in zip(topics, bodies, strict=True)]
    return np.frombuffer(b"".join(packets), np.uint8).reshape(len(packets), -1).copy(), len(packets[0]) - len(bodies[0]) - 2


class Stream:
    """The town's packets in the order of time; every device speaks at its own instant of the second or minute."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self._waves = town.waves()
        self._slow = [town.telemetry(kind) for kind in KINDS]
        self._pid = 0
        self._rng = np.random.default_rng(town.seed)
        self.messages = 0

    def between(self, t0: int, t1: int) -> bytes:
        """What is sent in [t0, t1) [ns]: instants of the load's own time, which tell who speaks. No more than a second."""
        parts = [self._take(sheet, span, t1) for _, sheet in self._slow for span in spans(len(sheet.packet), t0, t1, MINUTE)]
        parts += [self._shake(span, t1) for span in spans(self.town.channels, t0, t1, 1)]
        return b"".join(parts)

    def one(self, row: int, t: int, value: float) -> bytes:
        """One reading more of a slow series. t [ns], value [unit]"""
        kind = self.town.kind(row)
        body = f'{{"ts":{t // MS},"values":{{"{kind.quantity}":{value}}}}}'
        return publish(_topic(kind, row, "telemetry"), body.encode(), int(self._ids(1)[0]))

    def _ids(self, n: int) -> Ints:
        ids = (self._pid + np.arange(n)) % 65535 + 1
        self._pid = (self._pid + n) % 65535
        self.messages += n
        return ids

    def _take(self, sheet: Sheet, span: slice, t: int) -> bytes:
        """Small messages of this instant, with other last digits."""
        packet = sheet.packet[span]
        packet[:, sheet.pid : sheet.pid + 2] = _big(self._ids(len(packet)), 2)
        packet[:, sheet.t : sheet.t + 13] = np.frombuffer(b"%013d" % (t // MS), np.uint8)
        packet[:, sheet.value + 7 : sheet.value + 9] = self._rng.integers(48, 58, (len(packet), 2))
        return packet.tobytes()

    def _shake(self, span: slice, t: int) -> bytes:
        """Blocks of the second that ends at t, their samples moved on."""
        sheet = self._waves
        packet = sheet.packet[span]
        packet[:, sheet.pid : sheet.pid + 2] = _big(self._ids(len(packet)), 2)
        packet[:, sheet.t : sheet.t + 8] = _big(np.array([t - NS]), 8)
        packet[:, sheet.value :] = np.roll(packet[:, sheet.value :], 28, axis=1)
        return packet.tobytes()


def spans(n: int, t0: int, t1: int, period: int) -> list[slice]:
    """Which of n devices, spread evenly over a period [s], speak in [t0, t1) [ns]; two spans where the period turns."""
    a, b = (-(-(t % (period * NS)) * n // (period * NS)) for t in (t0, t1))
    found = [slice(a, b)] if a <= b else [slice(a, n), slice(0, b)]
    return [s for s in found if s.stop > s.start]


def _big(x: Ints, size: int) -> Bytes:
    """Big-endian bytes. [n, size]"""
    return x.astype(">i8").view(np.uint8).reshape(-1, 8)[:, 8 - size :]
