"""From a change posted to a notice received: a real desk behind a real socket, one warning at a time."""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx
import msgspec
import numpy as np
import uvicorn

from alerts.api import app
from alerts.channels.webhook import Webhook
from alerts.desk import Desk, Settings
from alerts.route import Route
from alerts.tables import Database
from bench.receiver import Receiver
from lifeline.catalog import Catalog
from lifeline.clock import WallClock, now
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id

PORT = 18087
TOKEN = "bench"  # noqa: S105  of a desk that lives for a moment
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def run(n: int = 200, burst: int = 1000) -> dict[str, float]:
    """n warnings one after the other (latency), then `burst` changes in requests of 200 (rate)."""
    with tempfile.TemporaryDirectory() as folder, Receiver() as phone:
        database = Database(f"sqlite:///{Path(folder) / 'desk.db'}")
        channels = {"phone": Webhook(phone.url)}
        desk = Desk.of(Settings("bench", token=TOKEN), database, _nothing(), [Route("phone")], channels, WallClock())
        with _served(desk), httpx.Client(base_url=f"http://127.0.0.1:{PORT}", trust_env=False, headers=BEARER) as http:
            _post(http, [change(f"warm-{i}") for i in range(5)])
            phone.wait(lambda got: len(got) == 5)
            waits = [_once(http, phone, i) for i in range(n)]
            result = _burst(http, phone, burst)
        database.close()
    p50, p99 = np.percentile(waits, [50, 99]).tolist()
    return {"p50_s": p50, "p99_s": p99, "n": n, **result}


def _once(http: httpx.Client, phone: Receiver, i: int) -> float:
    """[s] from the first byte posted to the whole notice received."""
    time.sleep(0.01)  # as a city does: warnings come one by one
    had, said = len(phone.got), change(f"one-{i}")
    at = now()
    _post(http, [said])
    return (phone.wait(lambda got: len(got) > had)[-1].at - at) / NS


def _burst(http: httpx.Client, phone: Receiver, burst: int) -> dict[str, float]:
    said, had, at = [change(f"burst-{i}") for i in range(burst)], len(phone.got), now()
    for i in range(0, burst, 200):
        _post(http, said[i : i + 200])
    taken = now()
    phone.wait(lambda got: len(got) >= had + burst, 120.0)
    return {"changes_per_s": burst * NS / (taken - at), "notices_per_s": burst * NS / (now() - at)}


def _post(http: httpx.Client, said: list[Change]) -> None:
    http.post("/changes", content=msgspec.json.encode(said)).raise_for_status()


def change(asset: str, level: str = "ORANGE") -> Change:
    """A warning at an asset of its own."""
    t, key, place = now(), f"{asset}/ch4", crc32(asset.encode())
    seen = Evidence([t - i * NS for i in range(32)], [2.6] * 32, "%VOL", {"ORANGE": 2.5}, "%VOL")
    facts: dict[str, Any] = {
        "city": "bench",
        "district": "d",
        "owner": "o",
        "lat": 24.6 + 0.2 * (place % 1000) / 1000,  # somewhere in a city of 20 km
        "lon": 102.8 + 0.2 * (place // 1000 % 1000) / 1000,
        "score": 1.0,
        "evidence": seen,
    }
    rule: dict[str, Any] = {"rule": "r", "hazard": "gas_accumulation", "kind": Kind.HAZARD, "mode": Mode.ACTIVE, "hard": True}
    names: dict[str, Any] = {
        "asset": asset,
        "device": asset,
        "key": key,
        "quantity": "methane",
        "old": "NORMAL",
        "new": level,
    }
    return Change(id=change_id("r", key, t, Level[level]), t=t, domain=Domain.GAS, **facts, **rule, **names)


def _nothing() -> Catalog:
    texts = {
        name: np.empty(0, object) for name in ("key", "asset", "device", "domain", "district", "quantity", "unit", "owner")
    }
    numbers: dict[str, Any] = {
        name: np.empty(0) for name in ("step", "low", "high", "lat", "lon", "hold", "rated", "scale", "offset", "report")
    }
    return Catalog(**texts, **numbers)


@contextmanager
def _served(desk: Desk) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app(desk), "127.0.0.1", PORT, log_level="warning", access_log=False, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
