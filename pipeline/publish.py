"""Worlds as devices: their readings as the MQTT messages that terminals in the field would send."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from ingest.codecs import Readings, Waveform, flat_json, senml_cbor, senml_json, waveform
from ingest.topic import Topic
from lifeline.catalog import Catalog
from lifeline.clock import Clock
from lifeline.model import NS, Batch, Block, Domain
from lifeline.units import WORDS
from simulators.world import World

Message = tuple[str, bytes]  # topic, payload
Publish = Callable[[str, bytes], Awaitable[None] | None]

SAID: Final = {
    q: {number: word for word, number in reversed(words.items())} for q, words in WORDS.items()
}  # quantity -> number -> word


def messages(parts: Sequence[Batch | Block], catalog: Catalog, city: str = "chengjiang") -> list[Message]:
    """One message for each device and part, in the units that the device speaks.

    Gas speaks SenML CBOR, water SenML JSON, lifts flat JSON events, bridges flat JSON and packed waveforms.
    """
    return [
        m
        for part in parts
        for m in (_waves(part, catalog, city) if isinstance(part, Block) else _telemetry(part, catalog, city))
    ]


async def play(
    world: World,
    clock: Clock,
    *,
    catalog: Catalog,
    start: int,
    until: int,
    publish: Publish,
    tick: float = 1.0,
    city: str = "chengjiang",
) -> int:
    """Drive a world from `start` to `until` [ns] by a clock, every `tick` [s]; how many messages were published. [1]"""
    at, count = start, 0
    while at < until:
        then = min(at + round(tick * NS), until)
        await clock.until(then)
        for topic, payload in messages(world.emit(at, then), catalog, city):
            sent = publish(topic, payload)
            if inspect.isawaitable(sent):
                await sent
            count += 1
        at = then
    return count


def _telemetry(b: Batch, c: Catalog, city: str) -> list[Message]:
    device: dict[str, list[int]] = {}
    for i, name in enumerate(c.device[b.row].tolist()):
        device.setdefault(name, []).append(i)
    value = ((b.value - c.offset[b.row]) / c.scale[b.row]).tolist()
    row, t = b.row.tolist(), b.t.tolist()
    out = []
    for name, which in device.items():
        said = [(str(c.key[row[i]]), t[i], _word(str(c.quantity[row[i]]), value[i]), str(c.unit[row[i]])) for i in which]
        form, payload = _encoded(Domain(c.domain[row[which[0]]]), said, name)
        out.append((_topic(c, row[which[0]], city, form), payload))
    return out


def _word(quantity: str, value: float) -> float | str:
    return SAID.get(quantity, {}).get(value, value)  # a sensor at fault may say what is no state


def _encoded(domain: Domain, said: list[tuple[str, int, float | str, str]], device: str) -> tuple[str, bytes]:
    """Last segment of the topic, payload; said: series, instant [ns], value [unit], unit."""
    name, t, value, unit = (list(column) for column in zip(*said, strict=True))
    readings = Readings(name, t, value, unit, [])
    if domain is Domain.GAS:
        return "telemetry", senml_cbor.encode(readings)
    if domain is Domain.WATER:
        return "telemetry", senml_json.encode(readings)
    plain = readings._replace(unit=[""] * len(name))  # flat JSON has no place for units
    return "event" if domain is Domain.ELEVATOR else "telemetry", flat_json.encode(plain, device)


def _waves(b: Block, c: Catalog, city: str) -> list[Message]:
    out = []
    for row, t, x in zip(b.row.tolist(), b.t.tolist(), b.value, strict=True):
        value = (x - c.offset[row]) / c.scale[row]
        out.append(
            (_topic(c, row, city, "waveform"), waveform.encode(Waveform(str(c.key[row]), t, b.step, value, str(c.unit[row]))))
        )
    return out


def _topic(c: Catalog, row: int, city: str, form: str) -> str:
    return str(Topic(city, Domain(c.domain[row]), str(c.asset[row]), str(c.device[row]), form))
