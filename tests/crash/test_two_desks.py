"""Two desks on one PostgreSQL: each notice is sent once, and when one is killed the other takes over."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from bench.receiver import Receiver, Reply
from lifeline.clock import now
from lifeline.config import load
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id
from pipeline.token import bearer
from tests import town
from tests.brokers import free_port, until
from tests.postgres import Postgres

pytestmark = [pytest.mark.crash, pytest.mark.timeout(200)]
SETTINGS = """\
[city]
name = "town"
catalog = "catalog.csv"
[desk]
name = "{name}"
port = {port}
database = "{database}"
console = false
[canary]
every = "0s"
[health]
receive_port = {receive}
watch_port = {watch}
[channels.phone]
type = "webhook"
url = "{phone}"
"""
TAKEOVER = 15.0  # [s]


class Desk:
    """One process."""

    def __init__(self, folder: Path, name: str, database: str, phone: str) -> None:
        self.path = folder / f"{name}.toml"
        ports = {key: free_port() for key in ("port", "receive", "watch")}
        self.path.write_text(SETTINGS.format(name=name, database=database, phone=phone, **ports))
        config = load(self.path, {})
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{config.desk.port}", headers=bearer(config), trust_env=False)
        self._log = (folder / f"{name}.log").open("wb")
        command = [sys.executable, "-m", "pipeline.cli", "desk", "--config", str(self.path)]
        self.process = subprocess.Popen(command, stdout=self._log, stderr=self._log)

    def up(self) -> bool:
        try:
            return self.http.get("/-/healthy").status_code == 200
        except httpx.HTTPError:
            return False

    def say(self, assets: range) -> None:
        self.http.post("/changes", content=msgspec.json.encode([change(i) for i in assets]), timeout=30).raise_for_status()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.http.close()
        self._log.close()


@contextmanager
def two(folder: Path, phone: str) -> Iterator[tuple[Desk, Desk]]:
    town.catalog(folder, [x for x in town.lines(5) if "methane" in x])
    with Postgres() as server:
        url = server.url()
        desks = Desk(folder, "one", url, phone), Desk(folder, "two", url, phone)
        try:
            for desk in desks:
                until(desk.up, f"a desk does not start; its log is in {folder}", 60)
            yield desks
        finally:
            for desk in desks:
                desk.end()


def change(i: int) -> Change:
    """A warning at an asset of its own."""
    t, key, rule = now(), f"d{i}/ch4", "gas.methane.limit"
    facts: dict[str, Any] = {"city": "town", "district": "d", "owner": "o", "lat": 24.0 + 0.05 * i, "lon": 102.0}
    facts |= {"domain": Domain.GAS, "quantity": "methane", "hazard": "gas_accumulation", "rule": rule, "hard": True}
    facts |= {"id": change_id(rule, key, i, Level.ORANGE), "t": t, "asset": f"W-{i}", "device": f"d{i}", "key": key}
    seen = Evidence([t], [3.0], "%VOL", {}, "%VOL")
    return Change(**facts, kind=Kind.HAZARD, mode=Mode.ACTIVE, old="NORMAL", new="ORANGE", score=1.0, evidence=seen)


def test_each_notice_is_sent_by_one_of_them(tmp_path: Path) -> None:
    with Receiver() as phone, two(tmp_path, phone.url) as (one, other):
        one.say(range(200))
        other.say(range(100, 300))  # half of it was said before
        phone.wait(lambda got: len(got) >= 300, 60.0)
        time.sleep(2.0)
        times = Counter(got.headers["idempotency-key"] for got in phone.got)
    assert len(times) == 300
    assert set(times.values()) == {1}


def test_the_other_takes_over_when_one_is_killed(tmp_path: Path) -> None:
    with Receiver([Reply(wait=8.0)] * 8) as phone, two(tmp_path, phone.url) as (one, other):
        one.say(range(40))
        phone.wait(lambda got: len(got) >= 4, 30.0)  # some are on their way, and not answered
        killed = now()
        one.process.kill()
        live = "/api/v1/warnings?live=true&limit=1000"
        until(lambda: all(w["pushed"] for w in other.http.get(live).json()), "a notice is forgotten", 40)
        pushed = [w["pushed"] for w in other.http.get(live).json()]
    assert len(pushed) == 40
    assert max(pushed) - killed < TAKEOVER * NS
