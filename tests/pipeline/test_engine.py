"""The step from the journal to changes and stored readings: the same journal gives the same, however it is read."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ingest.journal import Entry
from lifeline.model import NS, Change, Codes, Level, Quality, Rows
from pipeline.engine import Engine
from pipeline.evidence import KEPT
from pipeline.watch import Watch
from tests import town
from tests.town import START, Said

SECONDS = 60


@pytest.fixture(scope="module")
def journal() -> list[Entry]:
    """A minute of a town in trouble, over a poor network."""
    return town.entries(town.disturbed(town.life(3, SECONDS), 4), 5)


def judged(watch: Watch, entries: list[Entry], sizes: Iterable[int], flush_every: int = 0) -> Watch:
    """Read in turns of these sizes, over and over; with a checkpoint after every so many turns."""
    at, turn = 0, 0
    turns = list(sizes)
    while at < len(entries):
        size = turns[turn % len(turns)]
        watch.judge(entries[at : at + size])
        at, turn = at + size, turn + 1
        if flush_every and turn % flush_every == 0:
            watch.flush(wait=True)
    watch.flush(wait=True)
    return watch


@pytest.fixture(scope="module")
def one_by_one(journal: list[Entry], tmp_path_factory: pytest.TempPathFactory) -> Watch:
    return judged(town.watched(tmp_path_factory.mktemp("one")), journal, [1])


def changes(watch: Watch) -> list[Change]:
    return watch.courier.unsent()


def test_the_town_is_in_enough_trouble_to_test_with(one_by_one: Watch) -> None:
    seen = changes(one_by_one)
    assert {c.hazard for c in seen} >= {"gas_accumulation", "entrapment"}
    assert {c.domain for c in seen} >= {"gas", "water", "elevator", "bridge"}
    assert {c.new for c in seen} == {level.name for level in Level}
    counts = one_by_one.checkpoints.mark.counts or {}
    assert min(counts[k] for k in ("readings_late", "readings_duplicate", "readings_conflict", "readings_refused")) > 5


@pytest.mark.parametrize("sizes", [[64], [7], [2, 1, 40, 3], [10_000]])
@pytest.mark.parametrize("flush_every", [0, 1, 5])
def test_any_cut_of_the_journal_gives_the_same_changes_and_readings(
    tmp_path: Path, journal: list[Entry], one_by_one: Watch, sizes: list[int], flush_every: int
) -> None:
    other = judged(town.watched(tmp_path), journal, sizes, flush_every)
    assert town.said(other) == town.said(one_by_one)
    assert town.stored(other) == town.stored(one_by_one)
    assert other.checkpoints.mark.counts == one_by_one.checkpoints.mark.counts


def test_every_reading_that_was_said_is_stored_once(one_by_one: Watch) -> None:
    times = {key: [t for t, _, _ in said] for key, said in town.stored(one_by_one).items()}
    assert all(t == sorted(set(t)) for t in times.values())
    calm = [s for second in town.life(3, SECONDS) for s in second if b"laser" in s[0]]
    for topic, payload in calm:
        said = msgspec.json.decode(payload)
        assert said["ts"] * 1_000_000 in times[topic.split(b"/")[5].decode() + "/ch4"]
    assert sum(map(len, times.values())) == (one_by_one.checkpoints.mark.counts or {})["readings_stored"]


def test_the_changes_of_one_series_and_rule_follow_on_each_other(one_by_one: Watch) -> None:
    stands: dict[tuple[str, str], tuple[int, str]] = {}
    for c in changes(one_by_one):
        t, level = stands.get((c.rule, c.key), (0, "NORMAL"))
        assert (level, t <= c.t) == (c.old, True)
        stands[c.rule, c.key] = (c.t, c.new)
    assert len({c.id for c in changes(one_by_one)}) == len(changes(one_by_one))


def test_every_change_carries_its_evidence(one_by_one: Watch) -> None:
    for c in changes(one_by_one):
        if c.key == "laser-3/ch4":  # its clock ran ahead: what it said last lies in the future
            continue
        if c.hazard == "silence":
            assert c.evidence.t == [] or max(c.evidence.t) < c.t
        elif c.hazard not in {"entrapment", "stop_outside_zone", "door_open_moving", "overspeed"}:
            assert c.evidence.t[-1] == c.t, c
            assert c.evidence.t == sorted(c.evidence.t)


def at(*said: tuple[float, Said]) -> list[Entry]:
    """One commit for each message, received at these seconds."""
    return [Entry(i, START + round(s * NS), [m[0]], [m[1]]) for i, (s, m) in enumerate(said)]


def level(watch: Watch, key: str, hazard: str) -> str:
    return ([c.new for c in changes(watch) if c.key == key and c.hazard == hazard] or ["NORMAL"])[-1]


def gas(well: int, seconds: Iterable[float], value: float) -> list[tuple[float, Said]]:
    return [(s + 0.3, town.methane(well, START + round(s * NS), value)) for s in seconds]


def test_a_well_that_falls_silent_is_noticed_by_the_clock_of_the_others(tmp_path: Path) -> None:
    said = gas(0, range(20), 0.1) + gas(1, range(60), 0.1) + gas(0, range(50, 60), 0.1)
    watch = judged(town.watched(tmp_path), at(*sorted(said)), [5])
    silent = [c for c in changes(watch) if c.hazard == "silence" and c.key == "laser-0/ch4"]
    assert [c.new for c in silent] == ["BLUE", "NORMAL"]
    assert START + 21 * NS < silent[0].t <= START + 40 * NS
    assert level(watch, "laser-1/ch4", "silence") == "NORMAL"
    assert level(watch, "laser-5/ch4", "silence") != "NORMAL"  # never heard at all


def test_late_gas_is_stored_and_counted_but_not_judged(tmp_path: Path) -> None:
    said = gas(0, range(30), 0.1) + [(31 + i / 10, town.methane(0, START + i * NS + NS // 2, 15.0)) for i in range(10)]
    watch = judged(town.watched(tmp_path), at(*said), [5])
    assert level(watch, "laser-0/ch4", "gas_accumulation") == "NORMAL"
    assert len(town.stored(watch)["laser-0/ch4"]) == 40
    assert (watch.checkpoints.mark.counts or {})["readings_late"] == 10


def test_a_device_that_contradicts_itself_is_told_so_and_the_first_word_stands(tmp_path: Path) -> None:
    said = [*gas(0, range(10), 0.1), (11.0, town.methane(0, START + 4 * NS, 9.0)), (11.1, town.methane(0, START + 5 * NS, 0.1))]
    watch = judged(town.watched(tmp_path), at(*said), [1], 1)
    kept = {t: v for t, v, _ in town.stored(watch)["laser-0/ch4"]}
    assert kept[START + 4 * NS] == pytest.approx(0.001)
    counts = watch.checkpoints.mark.counts or {}
    assert (counts["readings_conflict"], counts["readings_duplicate"]) == (1, 1)
    assert (counts["stored"], counts["dead_lettered"], counts["duplicate"]) == (10, 1, 1)


def test_a_clock_that_ran_ahead_and_is_set_right_is_judged_at_once(tmp_path: Path) -> None:
    ahead = [(s + 0.3, town.methane(0, START + (s + 20) * NS, 0.1)) for s in range(5)]
    watch = judged(town.watched(tmp_path), at(*ahead, *gas(0, range(5, 30), 15.0)), [2], 3)
    assert [c.new for c in changes(watch) if c.rule == "gas.methane.limit"] == ["RED"]
    times = [t for t, _, _ in town.stored(watch)["laser-0/ch4"]]
    assert times == sorted(set(times))  # the instants that were said twice are stored once
    assert (watch.checkpoints.mark.counts or {})["readings_conflict"] == 5


def test_a_date_in_the_future_does_not_move_the_clock(tmp_path: Path) -> None:
    said = [
        *gas(0, range(10), 0.1),
        (9.5, town.methane(1, START + 200 * NS, 0.1)),
        (9.6, town.methane(1, START + 900 * NS, 0.1)),
    ]
    watch = judged(town.watched(tmp_path), at(*said), [3])
    assert watch.engine.clock <= START + 10 * NS
    assert level(watch, "laser-0/ch4", "silence") == "NORMAL"
    assert (watch.checkpoints.mark.counts or {})["readings_refused"] == 1


@pytest.mark.parametrize("lost", [5, 59, 61, 500])
def test_gas_is_graded_again_at_once_after_a_gap(tmp_path: Path, lost: int) -> None:
    seconds = [*range(20), *range(20 + lost, 26 + lost)]
    said = [(s + 0.3, town.methane(0, START + s * NS, 0.1 if s < 20 else 15.0)) for s in seconds]
    watch = judged(town.watched(tmp_path), at(*said), [4])
    assert level(watch, "laser-0/ch4", "gas_accumulation") == "RED"


def test_a_waveform_warns_with_the_samples_that_led_to_it(tmp_path: Path) -> None:
    x = np.random.default_rng(1).normal(0, 0.01, (13, town.RATE))  # the rule wants ten seconds of rest first
    x[12, 4:] += 0.9  # 0.09 g, early in its block
    said = [(s + 1.2, town._deck(0, START + s * NS, x[s])) for s in range(13)]
    watch = judged(town.watched(tmp_path), at(*said), [2])
    (first, *_) = [c for c in changes(watch) if c.rule == "bridge.pier.impact"]
    assert first.t == START + 12 * NS + 4 * NS // town.RATE
    assert len(first.evidence.t) == KEPT
    assert first.evidence.t[-1] == first.t
    assert first.evidence.value[-1] == pytest.approx(0.9 / 9.80665, abs=0.005)  # [g], as people read it
    assert np.diff(first.evidence.t).tolist() == [NS // town.RATE] * (KEPT - 1)


def test_a_rule_that_is_met_by_no_series_harms_nothing(tmp_path: Path) -> None:
    town.catalog(tmp_path, [x for x in town.lines() if "methane" in x])
    watch = judged(town.watched(tmp_path), at(*gas(0, range(5), 0.1)), [2])
    assert watch.engine.joints == []
    assert len(town.stored(watch)["laser-0/ch4"]) == 5


ONLINE = (b"lifeline/v1/town/gas/well-0/laser-0/telemetry", b'{"ch4": 0.1}')


def test_a_message_without_a_time_among_a_backlog_does_not_silence_the_town(tmp_path: Path) -> None:
    """An hour was queued; what is received first of it says no time of its own."""
    back = 3660.0
    queued = [(back, m) for s in range(20, 60) for m in (town.methane(i, START + s * NS, 0.1) for i in range(12))]
    said = [x for i in range(12) for x in gas(i, range(20), 0.1)]
    watch = judged(town.watched(tmp_path), at(*sorted(said), (back, ONLINE), *queued), [1])
    assert watch.engine.clock == START + 59 * NS
    assert {c.key for c in changes(watch) if c.hazard == "silence" and c.key.startswith("laser-")} <= {"laser-0/ch4"}


def test_where_no_device_says_its_time_the_time_of_receipt_moves_the_clock_after_a_minute(tmp_path: Path) -> None:
    watch = judged(town.watched(tmp_path), at(*((float(s), ONLINE) for s in range(120))), [7])
    assert watch.engine.clock == START + 119 * NS
    assert watch.engine.born == START + 61 * NS
    assert level(watch, "laser-0/ch4", "silence") == "NORMAL"
    assert level(watch, "laser-1/ch4", "silence") != "NORMAL"


@pytest.mark.parametrize("size", [1, 7])
def test_gas_is_told_of_though_the_clock_of_the_receiver_is_slow(tmp_path: Path, size: int) -> None:
    """Every reading is ahead of its receipt by 3 s."""
    said = [(float(s), town.methane(0, START + (s + 3) * NS, 15.0)) for s in range(120)]
    watch = judged(town.watched(tmp_path), at(*said), [size])
    assert level(watch, "laser-0/ch4", "gas_accumulation") == "RED"
    assert level(watch, "laser-0/ch4", "silence") == "NORMAL"
    assert [t for t, _, _ in town.stored(watch)["laser-0/ch4"]] == [START + (s + 3) * NS for s in range(120)]
    assert {q for _, _, q in town.stored(watch)["laser-0/ch4"]} == {Quality.CLOCK}
    assert watch.engine.clock == START + 119 * NS


def test_changes_follow_on_each_other_when_a_clock_that_was_ahead_is_set_right(tmp_path: Path) -> None:
    ahead = [(s + 0.3, town.methane(0, START + (s + 20) * NS, 15.0)) for s in range(10)]
    watch = judged(town.watched(tmp_path), at(*ahead, *gas(0, range(10, 60), 0.1)), [3])
    told = [c for c in changes(watch) if c.hazard == "gas_accumulation" and c.key == "laser-0/ch4"]
    assert (told[0].old, told[-1].new) == ("NORMAL", "NORMAL")
    assert "RED" in {c.new for c in told}
    assert [c.t for c in told] == sorted(c.t for c in told)
    assert all(c.t <= START + 60 * NS for c in told)


@pytest.mark.parametrize("ahead", [0, 4])
def test_a_series_sent_as_waveforms_and_as_readings_is_judged_in_order_of_arrival(tmp_path: Path, ahead: int) -> None:
    x = np.random.default_rng(1).normal(0, 0.01, (14, town.RATE))
    x[12, 4:] += 0.9
    said: list[tuple[float, Said]] = []
    for s in range(14):
        lone = town.telemetry("bridge", "bridge-0", "deck-0", START + s * NS + NS // 2, z=0.0)
        wave = town._deck(0, START + s * NS, x[s])
        said += [(s + 1.2 - ahead, m) for m in ((wave, lone) if s % 3 else (lone, wave))]
    one, many = (judged(town.watched(tmp_path / str(n)), at(*said), [n]) for n in (1, 100))
    assert town.said(one) == town.said(many)
    assert town.stored(one) == town.stored(many)
    assert any(c.rule == "bridge.pier.impact" for c in changes(many))


def queued(folder: Path, size: int, seconds: list[int], monkeypatch: pytest.MonkeyPatch) -> tuple[Watch, int]:
    """Readings of these seconds from three wells, so many in a message -> the watch, and its calls of the judging."""
    calls: list[int] = []
    arrive = Engine._arrive

    def counted(engine: Engine, rows: Rows, *rest: Any) -> Codes:
        calls.append(rows.size)
        return arrive(engine, rows, *rest)

    monkeypatch.setattr(Engine, "_arrive", counted)
    value = [round(abs(12.0 * math.sin(s / 40)), 3) for s in seconds]
    made: list[tuple[float, Said]] = []
    for i in range(0, len(seconds), size):
        now = list(zip(seconds, value, strict=True))[i : i + size]
        for well in range(3):
            body = msgspec.json.encode([{"ts": (START + s * NS) // 10**6, "values": {"ch4": v}} for s, v in now])
            made.append((1000.0, (f"lifeline/v1/town/gas/well-{well}/laser-{well}/telemetry".encode(), body)))
    watch = judged(town.watched(folder), at(*made), [1000])
    monkeypatch.undo()
    return watch, len(calls)


@pytest.mark.parametrize("lost", [set(), {100}, {150, 151, 152}], ids=str)
def test_a_queue_of_readings_is_judged_whole_and_says_the_same(
    tmp_path: Path, lost: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [s for s in range(300) if s not in lost]
    (one, _), (many, calls) = (queued(tmp_path / str(n), n, seconds, monkeypatch) for n in (1, 300))
    assert {c.new for c in changes(one)} >= {"RED", "NORMAL"}
    single = [c for c in changes(one) if c.hazard != "silence"]
    assert {c.id for c in single} == {c.id for c in changes(many) if c.hazard != "silence"}
    assert town.stored(one) == town.stored(many)
    assert calls <= (300 if lost else 3) * 3
