"""Many turns judged in one step give the very changes of one step a turn."""

import msgspec
import numpy as np
import pytest

import detectors
from lifeline.model import NS, Batch, Quality
from pipeline.replay import Replay, changes
from pipeline.stretch import Quiet, hear, stretches
from simulators.sensors import Dropout
from simulators.world import Turn, turns
from tests.city import START, demo, quiet

CATALOG = quiet().catalog
SECONDS = 240


@pytest.fixture(scope="module")
def told() -> list[Turn]:
    """Four minutes of the demo's city, in which sensors fall silent and speak again."""
    lost = [Dropout(str(key), 20.0 + i, 70.0 + 2 * i) for i, key in enumerate(CATALOG.key[::97].tolist())]
    world = demo(sensors=lost).world
    rng = np.random.default_rng(1)
    made = list(turns(world.emit(START, START + SECONDS * NS)))
    for i in rng.integers(60, len(made), 20).tolist():  # some messages come again, late
        made[i] = made[i]._replace(batch=type(made[i].batch).joined([made[i].batch, made[i - 7].batch.take(slice(0, 40))]))
    return made


def test_the_changes_are_the_same_to_the_last_bit(told: list[Turn]) -> None:
    rules = detectors.rules()
    one = Replay(CATALOG, rules)
    single = [c for turn in told for c in one.step(turn)]
    many = list(changes(CATALOG, rules, told))
    assert {c.hazard for c in single} >= {"silence", "entrapment", "gas_accumulation", "water_burst"}
    assert sorted(map(msgspec.json.encode, many)) == sorted(map(msgspec.json.encode, single))


def scattered(told: list[Turn]) -> list[Turn]:
    """Each turn in pieces that arrive one after another, as a journal has them."""
    rng, out = np.random.default_rng(2), list[Turn]()
    for turn in told:
        piece = rng.integers(0, 4, turn.batch.n)
        out += [Turn(turn.at - 4 + i, turn.batch.take(piece == i), []) for i in range(4) if (piece == i).any()]
        out += [Turn(turn.at, turn.batch.take(slice(0, 0)), turn.blocks)] if turn.blocks else []
    return out


def test_so_they_are_where_a_second_arrives_in_pieces(told: list[Turn]) -> None:
    rules, pieces = detectors.rules(), scattered(told)
    one = Replay(CATALOG, rules)
    single = [c for turn in pieces for c in one.step(turn)]
    many = list(changes(CATALOG, rules, pieces))
    assert {(c.hazard, c.new) for c in single} >= {("silence", "BLUE"), ("silence", "NORMAL")}
    assert sorted(map(msgspec.json.encode, many)) == sorted(map(msgspec.json.encode, single))


def test_a_quiet_city_is_judged_in_few_steps() -> None:
    world = quiet().world
    made = list(turns(world.emit(START, START + 60 * NS)))
    replay, steps = Replay(CATALOG, detectors.rules()), 0
    for run in stretches(made, replay.engine):
        replay.step(*run)
        steps += 1
    assert steps < len(made) / 5


def test_only_what_is_surely_fit_puts_silence_off() -> None:
    engine = Replay(CATALOG, detectors.rules()).engine
    gate = engine.gate
    known = np.isfinite(gate.low) & np.isfinite(gate.high) & np.isfinite(gate.noise) & (gate.noise > 0)
    row = np.flatnonzero(known)[:1].astype(np.int32)
    low, high, noise = (float(a[row[0]]) for a in (gate.low, gate.high, gate.noise))
    near = low + noise / 2
    begun = np.full(CATALOG.n, START)

    def put_off(value: float, *, code: Quality = Quality.GOOD, t: int = START + NS, before: float = low) -> bool:
        quiet = Quiet(
            begun.copy(), np.zeros(CATALOG.n, np.bool_), begun * 0 + 60 * NS, np.full(CATALOG.n, before), begun.copy()
        )
        said = Batch(row, np.array([t]), np.array([value]), np.array([code], np.uint8))
        hear(quiet, Turn(START + NS, said, []), gate)
        assert (np.delete(quiet.until, row[0]) == START).all()
        return bool(quiet.until[row[0]] > START)

    assert put_off(near)
    assert not put_off(high + 1)
    assert not put_off(np.nan)
    assert not put_off(near, code=Quality.SUSPECT)
    assert not put_off(near, t=START)  # late
    assert not put_off(near, t=START + 2 * NS)  # its clock is ahead
    assert not put_off(near, before=near + 2 * noise)  # it may be a spike
    assert not put_off(near, before=np.inf)
    assert put_off(near, before=np.nan)  # the first
