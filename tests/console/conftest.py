"""A duty room: a whole town on this machine, its console in a real Chromium. One for all tests of a module."""

import contextlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bench.receiver import Receiver
from ingest.mqtt import Publisher
from lifeline.clock import now
from lifeline.model import NS
from pipeline.supervise import Child, Crew
from pipeline.token import bearer
from tests import town
from tests.brokers import Mosquitto, until
from tests.stage import Stage

WELLS: Final = 8
PASSWORD: Final = "a long password"  # noqa: S105  of a town that lives for a minute
USERS: Final = {"li": "leader", "wang": "operator", "guest": "viewer"}
PEOPLE: Final = """\
zone = "Asia/Shanghai"
[units.gas]
zh = "燃气公司"
en = "Gas Company"
kind = "operator"
[units.gas.roles.duty]
zh = "值班工程师"
en = "engineer on duty"
[persons.yang]
zh = "杨俊"
en = "Yang Jun"
unit = "gas"
roles = ["duty"]
[persons.yang.contacts]
phone = "1"
[persons.feng]
zh = "冯杰"
en = "Feng Jie"
unit = "gas"
roles = ["duty"]
[persons.feng.contacts]
phone = "2"
[[rosters]]
unit = "gas"
role = "duty"
[[rosters.layers]]
turns = ["yang"]
start = "2026-01-01 00:00"
every = "7d"
"""
SEEN: Final = """
window.seen = {};
new MutationObserver(() => {
  for (const e of document.querySelectorAll('.entry[data-id]')) window.seen[e.dataset.id] ??= Date.now();
}).observe(document, { childList: true, subtree: true });
"""


class Room:
    """The town, and who looks at it."""

    def __init__(self, stage: Stage, browser: Browser, devices: Publisher, desk: Child) -> None:
        self.stage, self.browser, self._devices, self.desk = stage, browser, devices, desk
        self.url = f"http://127.0.0.1:{stage.config.desk.port}"
        self.http = httpx.Client(base_url=self.url, headers=bearer(stage.config), trust_env=False, timeout=30)
        self.kept: dict[str, Any] = {}  # user -> the browser's cookies after signing in
        self.troubles: list[str] = []  # what browsers complained of, and requests that left this machine

    @contextlib.contextmanager
    def looking(
        self, user: str = "li", *, lang: str = "en", theme: str = "light", size: tuple[int, int] = (1400, 900)
    ) -> Iterator[Page]:
        """A browser of somebody who has signed in."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, storage_state=self.kept.get(user), base_url=self.url, locale="zh-CN"
        )
        chosen = {"lifeline_language": lang, "lifeline_theme": theme}
        context.add_cookies([{"name": k, "value": v, "url": self.url} for k, v in chosen.items()])
        context.add_init_script(SEEN)
        page = context.new_page()
        self._listen(page)
        if user and user not in self.kept:
            self.sign_in(page, user)
            self.kept[user] = context.storage_state()
        yield page
        context.close()

    def sign_in(self, page: Page, user: str, password: str = PASSWORD) -> None:
        page.goto("/console/")
        page.fill("#name", user)
        page.fill("#password", password)
        page.press("#password", "Enter")
        if password == PASSWORD:
            page.wait_for_selector("header.top")

    def _listen(self, page: Page) -> None:
        page.on("console", lambda m: self.troubles.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda e: self.troubles.append(str(e)))
        page.on("request", lambda r: None if re.match(rf"{self.url}/|data:|blob:", r.url) else self.troubles.append(r.url))
        page.on(
            "websocket",
            lambda w: None if f"//127.0.0.1:{self.stage.config.desk.port}/" in w.url else self.troubles.append(w.url),
        )

    def leak(self, well: int, top: float = 6.0) -> str:
        """Gas at a well over MQTT, up to `top` [%VOL] -> the warning that the desk makes of it."""
        start = now() // NS * NS - 9 * NS
        for i, x in enumerate((0.02, 0.03, 0.02, 0.04, *(top + 0.1 * k for k in range(5)))):
            topic, payload = town.methane(well, start + i * NS, x)
            self._devices.publish(topic.decode(), payload)
        found: list[dict[str, Any]] = []

        def raised() -> bool:
            time.sleep(0.2)  # the desk has others to serve
            found[:] = [w for w in self.stage.warnings() if w["asset"] == f"well-{well}" and w["hazard"] == "gas_accumulation"]
            return bool(found) and found[0]["level"] in {"RED", "ORANGE"}

        until(raised, f"no warning for well {well}", 60)
        return str(found[0]["id"])

    def case(self, warning: str) -> dict[str, Any]:
        return dict(self.http.get(f"/api/v1/warnings/{warning}").raise_for_status().json())


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Broker, receive, watch, desk, browser."""
    folder = tmp_path_factory.mktemp("room")
    with contextlib.ExitStack() as held:
        phone, broker = held.enter_context(Receiver()), held.enter_context(Mosquitto(folder / "broker"))
        stage = Stage(folder, broker.port, phone.url, wells=WELLS)
        (folder / "people.toml").write_text(PEOPLE, "utf-8")
        stage.path.write_text(stage.path.read_text("utf-8").replace("console = false\n", 'people = "people.toml"\n'), "utf-8")
        crew = held.enter_context(Crew(stage.path, folder / "log"))
        browser = held.enter_context(_chromium())
        until(stage.ready, f"the town does not start; see {folder}/log", 120)
        devices = held.enter_context(Publisher(stage.config.broker, "devices"))
        made = Room(stage, browser, devices, crew.child("desk"))
        held.callback(made.http.close)
        for name, role in USERS.items():
            made.http.post("/api/v1/users", json={"name": name, "role": role, "password": PASSWORD}).raise_for_status()
        yield made


@contextlib.contextmanager
def _chromium() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is missing, and CI wants it: apt-get install chromium")
        pytest.skip("chromium is not installed")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
