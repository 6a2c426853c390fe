"""watch and receive as they are asked for their health, and what they say when something is amiss."""

import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter

from bench.receiver import Receiver, Reply
from ingest.journal import JournalBroken, JournalFull, connect
from lifeline.clock import now
from lifeline.config import Config, Journal
from lifeline.model import NS
from pipeline.courier import Courier
from pipeline.health import Page
from pipeline.receive import Receive
from tests import town
from tests.brokers import free_port, until
from tests.town import START


def asked(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as got:
            return got.status, got.read().decode()
    except urllib.error.HTTPError as why:
        with why:
            return why.code, why.read().decode()


def test_a_page_tells_alive_from_ready() -> None:
    why, registry, port = ["journal: full"], CollectorRegistry(), free_port()
    Counter("lifeline_test_readings", "Readings", registry=registry).inc(3)
    with Page("127.0.0.1", port, registry, lambda: why, lambda: {"offset": 7}):
        assert asked(port, "/-/healthy") == asked(port, "/healthz") == (200, "healthy")
        assert asked(port, "/-/ready") == asked(port, "/readyz") == (503, "journal: full")
        why.clear()
        assert asked(port, "/-/ready") == (200, "ready")
        assert asked(port, "/-/status") == (200, '{"offset": 7}')
        assert "lifeline_test_readings_total 3.0" in asked(port, "/metrics")[1]
        assert asked(port, "/nowhere")[0] == 404


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return town.watched(tmp_path)._config


def flat(n: int, first: int = 0) -> list[bytes]:
    return [part for i in range(first, first + n) for part in town.methane(0, START + i * NS, 0.1)]


def test_receive_says_that_its_journal_is_full_until_there_is_room(config: Config) -> None:
    receive = Receive(replace(config, journal=Journal(max_size=1500, min_free=0)))
    receive.take(flat(10), 0)
    with pytest.raises(JournalFull):
        receive.take(flat(20, 10), 0)
    assert any("max_size is 1500" in why for why in receive.reasons())
    assert receive.status()["head"] == 10
    receive.take(flat(1, 10), 0)
    assert not any("journal" in why for why in receive.reasons())


def test_a_journal_with_a_hole_stops_the_watch_instead_of_being_passed_over(tmp_path: Path, config: Config) -> None:
    receive = Receive(config)
    for i in range(4):
        receive.take(flat(5, 5 * i), START + 60 * NS)
    connect(config.city.data / "journal.db").execute("DELETE FROM batch WHERE first = 10")
    watch = town.watched(tmp_path)
    with pytest.raises(JournalBroken, match="messages 10 to 14 are missing"):
        watch.turn()


def test_a_watch_that_falls_behind_says_so(tmp_path: Path, config: Config) -> None:
    receive = Receive(config)
    for i in range(300):
        receive.take(flat(1, i), now() - 100 * NS)
    watch = town.watched(tmp_path)
    watch.turn(10)
    assert any("s behind" in why for why in watch.reasons())
    while watch.turn():
        pass
    assert watch.reasons() == []


def test_nothing_that_nobody_has_judged_is_let_go(config: Config) -> None:
    receive = Receive(replace(config, journal=Journal(retention=0.0, min_free=0)))
    receive.take(flat(5), 0)
    receive._purge_at = 0.0
    receive.take(flat(5, 5), 10**6 * NS)
    watch = town.watched(config.folder)
    assert watch.turn()
    watch.flush(wait=True)
    receive.take(flat(1, 10), 10**6 * NS)
    receive._purge_at = 0.0
    receive.take(flat(1, 11), 2 * 10**6 * NS)
    assert watch._reader.stat()["messages"] == 2


@pytest.fixture
def said(tmp_path: Path) -> Callable[[], Courier]:
    """A courier for the changes of half a minute, and the desk it goes to."""
    watch = town.watched(tmp_path)
    watch.judge(town.entries(town.life(3, 30), 1))
    changes = watch.courier.unsent()
    assert len(changes) > 5

    def courier(desk: str = "") -> Courier:
        made = Courier(desk, "t")
        made.send(changes)
        return made

    return courier


def ids(desk: Receiver) -> list[str]:
    return [c["id"] for got in desk.got if got.path == "/changes" for c in got.json]


def test_changes_wait_for_a_desk_that_is_down_and_arrive_in_order(said: Callable[..., Courier]) -> None:
    with Receiver(script=[Reply(status=503), Reply(reset=True), Reply(status=500)]) as desk:
        courier = said(desk.url)
        wanted = [c.id for c in courier.unsent()]
        courier.start()
        until(lambda: not courier.unsent(), "the changes do not arrive")
        courier.close()
        assert ids(desk)[-len(wanted) :] == wanted
        assert len(ids(desk)) == 4 * len(wanted)  # thrice in vain: the desk knows them by their ids


def test_a_change_that_the_desk_will_not_have_costs_no_other(said: Callable[..., Courier]) -> None:
    with Receiver(script=[Reply(status=422), Reply(status=422)]) as desk:
        courier = said(desk.url)
        wanted = [c.id for c in courier.unsent()]
        courier.start()
        until(lambda: courier.refused and len(courier.unsent()) == 1, "the changes do not arrive")
        courier.close()
        assert [c.id for c in courier.unsent()] == wanted[:1]  # kept, to be offered again: the desk may learn it
        assert ids(desk)[len(wanted) :] == wanted  # all at once, refused; then one by one


def test_what_a_closing_courier_could_not_bring_is_still_known(said: Callable[..., Courier]) -> None:
    courier = said(f"http://127.0.0.1:{free_port()}")
    wanted = courier.unsent()
    courier.start()
    until(lambda: courier.why, "the failure is not said")
    courier.close(patience=0.2)
    assert courier.unsent() == wanted
