"""MQTT packets in a stream of bytes: the few that carry readings, told from the rest. No I/O.

MQTT 3.1.1 (OASIS 2014) and 5.0 (OASIS 2019), sections 2.2 fixed header, 3.3 PUBLISH, 3.4 PUBACK.
"""

from typing import Final, NamedTuple

PUBLISH: Final = 0x30
RETAIN: Final = 0x01  # in a PUBLISH from the broker: kept from before, sent because of our SUBSCRIBE
ACK: Final = b"\x40\x02"  # PUBACK with nothing but a packet id: success, in both versions


class ProtocolError(Exception):
    """The peer does not speak MQTT, or not as it may."""


class Frames(NamedTuple):
    """What a piece of the stream held."""

    flat: list[bytes]  # topic, payload, topic, payload, ...
    acks: list[bytes]  # packet ids of those at QoS 1, as they came
    others: list[bytes]  # whole packets of other kinds
    used: int  # [byte] of the piece
    need: int  # [byte] the next packet needs before it can be read


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Variable byte integer at a position -> (value, position behind it). Raises IndexError when it is cut off."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 21:
            raise ProtocolError("a length of more than four bytes")


def publish(data: bytes, at: int, stop: int, first: int, *, v5: bool) -> tuple[bytes, bytes, bytes]:
    """Topic, packet id (empty at QoS 0) and payload of the PUBLISH whose variable header begins at `at`."""
    topic = at + 2 + (data[at] << 8 | data[at + 1]) if stop - at >= 2 else stop + 1
    body = topic + 2 if first & 0x06 else topic
    mid = data[topic:body]
    if v5 and body < stop:
        try:
            skip, body = varint(data, body)
        except IndexError:
            skip = stop  # cut off by the end of the packet
        body += skip
    if body > stop:
        raise ProtocolError(f"a PUBLISH of {stop - at} bytes is too short for what it says it holds")
    return data[at + 2 : topic], mid, data[body:stop]


def split(data: bytes, *, v5: bool, retained: bool = True) -> Frames:
    """Take all whole packets off the front of `data`. retained: also messages that the broker kept from before."""
    flat: list[bytes] = []
    acks: list[bytes] = []
    others: list[bytes] = []
    used, end, need = 0, len(data), 2
    while end - used >= 2:
        first, length, at = data[used], data[used + 1], used + 2
        if length >= 0x80:
            try:
                length, at = varint(data, used + 1)
            except IndexError:
                need = end - used + 1
                break
        stop = at + length
        if stop > end:
            need = stop - used
            break
        if first & 0xF0 == PUBLISH:
            topic, mid, payload = publish(data, at, stop, first, v5=v5)
            if mid:
                acks.append(mid)
            if retained or not first & RETAIN:
                flat.append(topic)
                flat.append(payload)
        else:
            others.append(data[used:stop])
        used = stop
        need = 2
    return Frames(flat, acks, others, used, need)
