"""The few MQTT packets that carry readings, taken out of a stream of bytes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.frames import Frames, ProtocolError, split, varint


def length(n: int) -> bytes:
    """MQTT's variable byte integer."""
    out = bytearray()
    while True:
        n, low = divmod(n, 128)
        out.append(low | (0x80 if n else 0))
        if not n:
            return bytes(out)


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + length(len(body)) + body


def publish(topic: bytes, payload: bytes, qos: int, mid: int, properties: bytes | None) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if qos else b"")
    if properties is not None:
        body += length(len(properties)) + properties
    return packet(0x30 | qos << 1, body + payload)


short = st.binary(max_size=20)
sayings = st.lists(
    st.one_of(
        st.tuples(short, st.binary(max_size=300), st.integers(0, 1), st.integers(1, 65535), st.binary(max_size=200)),
        st.sampled_from([b"\xd0\x00", b"\x90\x03\x00\x01\x01", b"\x20\x02\x00\x00", packet(0x90, bytes(200))]),
    ),
    max_size=12,
)  # fmt: skip
Saying = tuple[bytes, bytes, int, int, bytes] | bytes


def stream(said: list[Saying], *, v5: bool) -> bytes:
    return b"".join(s if isinstance(s, bytes) else publish(*s[:4], s[4] if v5 else None) for s in said)


def gathered(data: bytes, cuts: list[int], *, v5: bool) -> Frames:
    """What a reader makes of the stream that comes in these pieces; it only looks again when the packet can be whole."""
    all_, rest, need = Frames([], [], [], 0, 2), b"", 2
    for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True):
        rest += data[a:b]
        if len(rest) >= need:
            got = split(rest, v5=v5)
            rest, need = rest[got.used :], got.need
            all_ = Frames(all_.flat + got.flat, all_.acks + got.acks, all_.others + got.others, all_.used + got.used, 0)
    return all_


def test_what_was_retained_is_acknowledged_but_no_news_when_it_is_known() -> None:
    old = bytearray(publish(b"a/b", b"old", 1, 7, None))
    old[0] |= 0x01
    both = bytes(old) + publish(b"a/b", b"new", 1, 8, None)
    assert split(both, v5=False, retained=False).flat == [b"a/b", b"new"]
    assert split(both, v5=False).flat == [b"a/b", b"old", b"a/b", b"new"]
    assert split(both, v5=False, retained=False).acks == [b"\x00\x07", b"\x00\x08"]


@given(sayings, st.booleans(), st.data())
def test_any_cut_of_the_stream_gives_the_same_messages(said: list[Saying], v5: bool, data: st.DataObject) -> None:  # noqa: FBT001
    whole = stream(said, v5=v5)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    got = gathered(whole, cuts, v5=v5)
    assert got.used == len(whole)
    assert got.flat == [part for s in said if not isinstance(s, bytes) for part in s[:2]]
    assert got.acks == [s[3].to_bytes(2, "big") for s in said if not isinstance(s, bytes) and s[2]]
    assert got.others == [s for s in said if isinstance(s, bytes)]


@given(st.binary(max_size=60), st.booleans())
@example(b"\x30\x03\x00\x00\x80", True)  # its properties' length runs out of the packet
@example(b"\x30\x00", False)
@example(b"\x30\x02\x00\x09", False)
@example(b"\x32\x03\x00\x00\x01", False)  # half a packet id
@example(b"\x30\x04\x00\x00\x05\x01\x30\x00", True)  # properties longer than the packet
def test_junk_is_refused_or_waited_for_and_never_crashes(junk: bytes, v5: bool) -> None:  # noqa: FBT001
    try:
        got = split(junk, v5=v5)
    except ProtocolError:
        return
    assert 0 <= got.used <= len(junk)
    assert got.used + got.need > len(junk)  # what is left is not whole yet


@given(st.integers(0, 268_435_455), st.binary(max_size=3))
def test_a_length_reads_as_it_was_written(n: int, after: bytes) -> None:
    assert varint(length(n) + after, 0) == (n, len(length(n)))


def test_a_length_of_five_bytes_is_no_mqtt() -> None:
    with pytest.raises(ProtocolError, match="four bytes"):
        split(b"\x30\xff\xff\xff\xff\x01", v5=False)


def test_an_acknowledgement_is_asked_for_only_at_qos_1() -> None:
    got = split(publish(b"a", b"0", 0, 0, None) + publish(b"a", b"1", 1, 7, None), v5=False)
    assert got.flat == [b"a", b"0", b"a", b"1"]
    assert got.acks == [b"\x00\x07"]
