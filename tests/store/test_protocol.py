import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from lifeline.catalog import Catalog
from lifeline.model import Batch, Quality
from store.influx import Dead, Fate, Sink, Target, Writer
from store.influx_read import Reader, named, readings
from store.protocol import CODES, PIECE, Encoder, Lines, Unwritable, head, line, word, words
from tests.influxes import server

T = 1_790_000_000_000_000_000
COUNT = itertools.count()


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with server() as influx:
        made = Target(influx.url, influx.token, "lifeline", f"protocol{T}")
        reader = Reader(made)
        reader.ask(f'CREATE DATABASE "{made.bucket}"', change=True)
        yield made
        reader.ask(f'DROP DATABASE "{made.bucket}"', change=True)
        reader.close()


def plain(c: Catalog, b: Batch) -> list[bytes]:
    """One reading at a time."""
    made = []
    for row, t, value, quality in zip(b.row.tolist(), b.t.tolist(), b.value.tolist(), b.quality.tolist(), strict=True):
        tags = {tag: getattr(c, tag)[row] for tag in ("asset", "district", "domain", "device", "key")}
        made.append(line(c.quantity[row], {"city": "town", **tags}, {"value": value, "quality": quality}, t))
    return made


def parsed(text: bytes) -> tuple[bytes, float, bytes]:
    """What stands before the value, the value, what stands behind it; NaN where there is none."""
    before, _, rest = text.partition(b"value=")
    value, _, after = rest.partition(b",")
    return (before, float(value), after) if value else (text, np.nan, b"")


def test_each_line_is_that_of_a_plain_loop(city: Callable[..., Catalog], measured: Callable[..., Batch]) -> None:
    c, b = city(), measured(3, n=3000)
    b.value[::50] = np.inf
    made = Encoder(c, "town").readings(b)
    ends = [0, *made.ends.tolist()]
    found = sorted(parsed(made.text[i:j]) for i, j in itertools.pairwise(ends))
    for (mine, x, tail), (theirs, y, rest) in zip(found, sorted(map(parsed, plain(c, b))), strict=True):
        assert (mine, tail) == (theirs, rest)
        assert x == y or (np.isnan(x) and np.isnan(y))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_every_number_reads_back_to_the_last_bit(city: Callable[..., Catalog], values: list[float]) -> None:
    n = len(values)
    b = Batch(np.zeros(n, np.int32), T + np.arange(n), np.array(values), np.zeros(n, np.uint8))
    made = Encoder(city(), "town").readings(b)
    back = [float(x.partition(b"value=")[2].partition(b",")[0]) for x in made.text.splitlines()]
    np.testing.assert_array_equal(np.array(back).view(np.int64), np.array(values).view(np.int64))


def test_more_lines_than_a_piece_stand_one_behind_the_other(city: Callable[..., Catalog]) -> None:
    n = 2 * PIECE + 5
    b = Batch(np.zeros(n, np.int32), T + np.arange(n), np.arange(n) / 8, np.zeros(n, np.uint8))
    made = Encoder(city(), "town").readings(b)
    assert made.n == n
    some = made.part(PIECE - 1, PIECE + 2)
    assert [float(x.partition(b"value=")[2].partition(b",")[0]) * 8 for x in some.text.splitlines()] == [
        PIECE - 1,
        PIECE,
        PIECE + 1,
    ]
    assert made.part(0, 0).text == b""
    assert made.text == b"".join(made.part(a, min(a + 999, n)).text for a in range(0, n, 999))


def test_every_quality_has_its_code() -> None:
    assert [c.as_py() for c in CODES] == [b",quality=%di " % q for q in range(len(Quality))]


def test_a_series_that_cannot_be_written_is_named_and_left_out(city: Callable[..., Catalog]) -> None:
    c = city()
    asset = c.asset.copy()
    asset[[2, 5]] = "ends in \\", "two\nlines"
    e = Encoder(replace(c, asset=asset), "town")
    assert set(e.refused) == {2, 5}
    b = Batch(np.arange(8, dtype=np.int32), np.full(8, T), np.ones(8), np.zeros(8, np.uint8))
    assert e.readings(b).n == 6
    assert not e.writable[[2, 5]].any()


@pytest.mark.parametrize("text", ["a\\", "a\\,b", "a\\ b", "a\\=b", "a\nb", "a\rb", "\t", "\0", ""])
def test_what_has_no_escape_is_refused(text: str) -> None:
    with pytest.raises(Unwritable):
        word(text)


def sink(target: Target) -> tuple[Sink, list[Dead]]:
    dead: list[Dead] = []
    return Sink(Writer(target), most=1000, bury=dead.extend, rest=lambda _: True), dead


@pytest.mark.network
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(min_size=1, max_size=20) | st.text("\\,= \"'甲乙#\n", min_size=1, max_size=8),
    st.text(min_size=1, max_size=20) | st.text("\\,= \"'甲乙#\n", min_size=1, max_size=8),
    st.text(max_size=30) | st.text("\\,= \"'甲乙#\n", max_size=8),
)
def test_any_text_comes_back_the_same_or_is_refused_with_a_reason(
    target: Target, tag: str, measurement: str, said: str
) -> None:
    name = f"{next(COUNT)}{measurement}"
    try:
        text = line(name, {"key": tag, "none": ""}, {"said": said, "value": 1.5}, T)
    except Unwritable as refusal:
        event(str(refusal).rpartition(":")[2])
        return
    write, dead = sink(target)
    write.write(Lines.of([text]))
    assert dead == []
    reader = Reader(target)
    (found,) = reader.ask(f'SELECT "said", "value" FROM {named(name)} GROUP BY "key"')  # noqa: S608
    reader.close()
    assert (found["name"], found["tags"], found["values"]) == (name, {"key": tag}, [[T, kept(said), 1.5]])


def kept(said: str) -> str:
    """A field's text may be any, but for what UTF-8 has no place for."""
    return said.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


@pytest.mark.network
def test_a_field_of_text_may_hold_anything(target: Target) -> None:
    text = 'a "quoted" \\ path\\\nand a line, = 甲'
    write, dead = sink(target)
    write.write(Lines.of([line("fields", {"key": "k"}, {"said": text}, T)]))
    assert dead == []
    assert words(text).count("\n") == 1
    reader = Reader(target)
    assert reader.ask('SELECT "said" FROM "fields"')[0]["values"] == [[T, text]]
    reader.close()


@pytest.mark.network
def test_readings_come_back_bit_for_bit(target: Target, city: Callable[..., Catalog], measured: Callable[..., Batch]) -> None:
    c, b = city(), measured(8, n=2000)
    write, dead = sink(target)
    write.write(Encoder(c, "town").readings(b))
    assert dead == []
    reader = Reader(target)
    found = readings(reader, c, np.arange(c.n, dtype=np.int32), 0, 2**62)
    reader.close()
    wanted = b.take(np.lexsort((b.t, b.row)))
    for column in ("row", "t", "value", "quality"):
        np.testing.assert_array_equal(getattr(found, column), getattr(wanted, column))
    assert write.tally.requests == {(Fate.WRITTEN, 204): 2}


def test_a_comment_is_no_measurement() -> None:
    with pytest.raises(Unwritable):
        head("#x", {})


def test_tags_without_a_value_are_left_out() -> None:
    assert head("m", {"b": "x y", "a": "", "c": "1=2"}) == b"m,b=x\\ y,c=1\\=2 "
