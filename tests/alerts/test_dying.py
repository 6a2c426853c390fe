"""No order of acts and deaths forgets a warning, and wherever a desk dies, the receivers hear the same."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from alerts.tables import outbox
from lifeline.model import NS, Change, Kind, Level
from tests.alerts.dying import NEVER, Act, Brittle, Dead, World, forgotten, in_order, run, told
from tests.postgres import Postgres

N, B, Y, O, R = Level
T0 = 1_767_000_000 * NS
Say = Callable[..., Change]
Make = Callable[[], Brittle]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk's database before anything has happened."""
    path = tmp_path_factory.mktemp("desk") / "empty.db"
    Brittle(f"sqlite:///{path}").close()
    return path


def quick(path: Path, monkeypatch: pytest.MonkeyPatch) -> Brittle:
    """A database whose tables are there already, that waits for no disk: what is tried here is no power failure."""
    monkeypatch.setattr("alerts.database.META.create_all", lambda _: None)
    monkeypatch.setattr("alerts.database._grow", lambda _: None)
    made = Brittle(f"sqlite:///{path}")
    monkeypatch.undo()
    event.listen(made.engine, "checkout", lambda db, *_: db.execute("PRAGMA synchronous=OFF").close())
    return made


@pytest.fixture
def fresh(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Empty databases, as many as are asked for."""
    made: list[Brittle] = []

    def another() -> Brittle:
        path = tmp_path / f"desk{len(made)}.db"
        shutil.copy(empty, path)
        made.append(quick(path, monkeypatch))
        return made[-1]

    yield another
    for database in made:
        database.close()


@pytest.fixture
def story(say: Say) -> list[Act]:
    """Two sensors rise and agree, somebody answers, it gets worse, nobody answers, it ends, is closed; a ticket beside it."""

    def at(s: float) -> int:
        return T0 + round(s * NS)

    ticket = say(Y, 5, "d4", "W-3", hazard="silence", kind=Kind.TICKET, lat=24.9)
    return [
        Act("say", at(1), (say(Y),)), Act("say", at(2), (say(O, 1, "d2"),)), Act("answer", at(20)),
        Act("say", at(30), (say(R, 30), ticket)),
        Act("wait", at(400)), Act("answer", at(500), n=1), Act("say", at(600), (say(N, 600), say(N, 600, "d2"))),
        Act("wait", at(2000)), Act("answer", at(2100)), Act("close", at(2200)),
    ]  # fmt: skip


def copied(database: Brittle, into: sqlite3.Connection | None = None) -> sqlite3.Connection:
    """All of it as it is now; from there, where there is one, to here instead."""
    raw = database.engine.raw_connection()
    here = raw.driver_connection
    assert isinstance(here, sqlite3.Connection)
    snapshot = into or sqlite3.connect(":memory:", check_same_thread=False)
    if into is None:
        here.backup(snapshot)
    else:
        into.backup(here)
    raw.close()
    return snapshot


def test_wherever_a_desk_dies_once_what_it_knows_and_what_was_heard_are_the_same(fresh: Make, story: list[Act]) -> None:
    world, again, points = World(fresh()), World(fresh()), 0
    for act in story:
        before, had = copied(world.database), world.got.copy()
        world.do(act)
        known, heard = told(world.database), world.got - had
        for n in count():
            copied(again.database, before)
            again.got.clear()
            again.order.clear()
            again.database.fuse.left = n
            try:
                again.do(act)
            except Dead:
                points += 1
            else:
                break
            again.do(act)
            assert told(again.database) == known, (act, n)
            assert set(again.got) == set(heard), (act, n)
            assert max(again.got.values(), default=1) <= 2
            assert in_order(again.order)
            assert forgotten(again.database, act.at) == []
        again.database.fuse.left = NEVER
        before.close()
    assert points > 200
    assert len(world.got) > 10


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_desk_that_dies_at_every_point_one_after_the_other_tells_the_same(
    request: pytest.FixtureRequest, story: list[Act], kind: str
) -> None:
    if kind == "sqlite":
        fresh: Make = request.getfixturevalue("fresh")
        plain, dying = fresh(), fresh()
    else:
        server: Postgres = request.getfixturevalue("postgres")
        plain, dying = Brittle(server.url()), Brittle(server.url())
    calm, hard = World(plain), World(dying)
    assert run(calm, story) == 0
    assert run(hard, story, dying=True) > 200
    assert told(hard.database) == told(calm.database)
    assert set(hard.got) == set(calm.got)
    assert set(calm.got.values()) == {1}
    assert in_order(hard.order)
    plain.close()
    dying.close()


def test_a_milder_notice_whose_fate_is_unknown_gives_way_to_a_graver_one_and_says_so(fresh: Make, say: Say) -> None:
    world = World(fresh())
    assert run(world, [Act("say", T0 + NS, (say(Y), say(O, 1, "d2")))], dying=True) > 40
    with world.database.read() as db:
        rows = db.execute(select(outbox.c.channel, outbox.c.id, outbox.c.state, outbox.c.words)).all()
    waiting = {state for _, _, state, _ in rows} - {"sent", "superseded"}
    assert not waiting
    for channel, name, state, words in rows:
        assert ((channel, name) in world.got) or (state == "superseded" and "superseded by version 2" in words)
    assert {version for _, _, version in world.order} >= {2}
    assert in_order(world.order)


LEVELS = st.sampled_from(list(Level))
WORDS = st.tuples(st.just("say"), LEVELS, st.sampled_from(["d1", "d2", "d3"]), st.booleans())
ACTS = st.lists(
    st.one_of(WORDS, st.tuples(st.sampled_from(["answer", "close"]), st.integers(0, 3)), st.just(("wait",))), max_size=7
)


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_no_order_of_acts_and_deaths_forgets_a_warning(fresh: Make, say: Say, acts: list[tuple[object, ...]]) -> None:
    story = [_act(say, i, *act) for i, act in enumerate(acts)]
    calm, hard = World(fresh()), World(fresh())
    run(calm, story)
    run(hard, story, dying=True)
    assert told(hard.database) == told(calm.database)
    assert set(hard.got) == set(calm.got)
    assert in_order(hard.order)


def _act(say: Say, i: int, what: object, *more: object) -> Act:
    """The i-th act, some minutes after the one before. more: level, device and whether it is a ticket; or which warning"""
    s = 200.0 * i
    at = T0 + round((s + 1) * NS)
    if what == "say":
        level, device, ticket = more
        asset = "W-2" if device == "d3" else "W-1"
        kind = Kind.TICKET if ticket else Kind.HAZARD
        return Act("say", at, (say(level, s, device, asset, kind=kind, rule=f"r.{kind}"),))
    return Act("wait", at) if what == "wait" else Act(what, at, n=int(str(more[0])))  # type: ignore[arg-type]
