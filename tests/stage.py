"""A whole city on this machine for the tests: settings with free ports, and what the processes say of themselves."""

import contextlib
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

import msgspec

from lifeline.config import Config, load
from pipeline.token import bearer
from tests import town
from tests.brokers import free_port

SETTINGS: Final = """\
[city]
name = "town"
catalog = "catalog.csv"
data = "{data}"
[broker]
port = {broker}
{more_broker}
[journal]
min_free = "{min_free}"
[watch]
flush = "500ms"
rules = "rules"
[desk]
port = {desk}
console = false
[canary]
every = "0s"
[health]
receive_port = {receive}
watch_port = {watch}
[channels.phone]
type = "webhook"
url = "{phone}"
kinds = ["hazard"]
"""


class Stage:
    """A folder with everything that a city needs."""

    def __init__(
        self,
        folder: Path,
        broker: int,
        phone: str,
        *,
        wells: int,
        data: str = "data",
        more_broker: str = "",
        min_free: str = "1MB",
    ) -> None:
        self.path = folder / "lifeline.toml"
        self.catalog = town.catalog(folder, [x for x in town.lines(wells) if "methane" in x])
        town.rules(folder)
        ports = {name: free_port() for name in ("desk", "receive", "watch")}
        self.path.write_text(
            SETTINGS.format(broker=broker, phone=phone, data=data, more_broker=more_broker, min_free=min_free, **ports)
        )
        self.config: Config = load(self.path, {})
        self.data = self.config.city.data

    def answer(self, name: str, path: str) -> tuple[int, bytes]:
        """Status and body of a process's page; 0 while it does not answer."""
        port = {
            "receive": self.config.health.receive_port, "watch": self.config.health.watch_port, "desk": self.config.desk.port,
        }[name]  # fmt: skip
        shown = bearer(self.config) if name == "desk" else {}
        asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=shown)
        try:
            with urllib.request.urlopen(asked, timeout=5) as got:  # noqa: S310  our own process
                return got.status, got.read()
        except urllib.error.HTTPError as why:
            with why:
                return why.code, why.read()
        except (OSError, HTTPException):  # killed before or in the middle of its answer
            return 0, b""

    def status(self, name: str) -> dict[str, Any]:
        code, body = self.answer(name, "/-/status")
        with contextlib.suppress(msgspec.DecodeError):
            return dict(msgspec.json.decode(body)) if code == 200 else {}
        return {}

    def ready(self) -> bool:
        return all(self.answer(name, "/-/ready")[0] == 200 for name in ("desk", "watch", "receive"))

    def warnings(self) -> list[dict[str, Any]]:
        code, body = self.answer("desk", "/api/v1/warnings?limit=100000")
        return list(msgspec.json.decode(body)) if code == 200 else []

    def idle(self) -> bool:
        """Everything taken is stored, everything judged is told, everything told is pushed."""
        receive, watch = self.status("receive"), self.status("watch")
        if not receive.get("connected") or receive["head"] != watch.get("checkpoint") or watch["not_ready"]:
            return False
        code, body = self.answer("watch", "/metrics")
        unsent = b"lifeline_watch_unsent_changes 0.0" in body if code == 200 else False
        return unsent and not [w for w in self.warnings() if w["kind"] == "hazard" and w["pushed"] is None]
