"""Makes the pictures of docs/console.md: the demo's city after some minutes, in Chromium. python docs/console/picture.py"""

import contextlib
import io
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from lifeline.clock import now
from lifeline.config import load
from lifeline.model import NS
from pipeline import demo
from pipeline.supervise import Crew
from pipeline.token import bearer

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECONDS = 100  # of the city's life
PASSWORD = "a long password"  # noqa: S105  of a city that lives for two minutes
COLOURS = 128  # [1] of a picture
MORE = 'people = "people.toml"\nstores = "stores.csv"\n'
SHOTS = (  # name, path, theme, language, size
    ("map", "/console/", "dark", "zh-CN", (1600, 900)),
    ("cases", "/console/cases", "light", "en", (1600, 900)),
    ("case", "CASE", "dark", "en", (1600, 1250)),
    ("roster", "/console/roster", "light", "zh-CN", (1600, 900)),
    ("ledger", "/console/dangers", "dark", "zh-CN", (1600, 620)),
    ("health", "/console/health", "light", "en", (1600, 800)),
    ("wall", "/console/wall", "dark", "zh-CN", (1920, 1080)),
    ("phone", "CASE", "light", "zh-CN", (390, 844)),
)


@contextlib.contextmanager
def city(folder: Path) -> Iterator[demo.Stage]:
    """The demo's city with people, stores, and somebody who may sign in."""
    with demo.staged(folder, seed=1) as stage:
        demo.ready(stage, Console(quiet=True))
        stage.crew.__exit__()
        path = folder / "lifeline.toml"
        for name in ("people.toml", "stores.csv"):
            (folder / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
        text = path.read_text("utf-8").replace("[desk]\n", f"[desk]\n{MORE}")
        path.write_text(f'{text}[channels.duty]\ntype = "webhook"\nurl = "{stage.phone.url}"\naudience = "persons"\n', "utf-8")
        stage.config = load(path, {})
        with Crew(path, folder / "log") as stage.crew:
            demo.ready(stage, Console(quiet=True))
            user = {"name": "wang", "role": "leader", "password": PASSWORD}
            said(stage, "/api/v1/users", user)
            yield stage


def said(stage: demo.Stage, path: str, body: dict[str, Any]) -> Any:
    """Something done over the desk's HTTP interface."""
    url = f"http://127.0.0.1:{stage.config.desk.port}{path}"
    return httpx.post(url, json=body, headers=bearer(stage.config), timeout=30.0, trust_env=False).raise_for_status().json()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


def page(stage: demo.Stage, browser: Browser, theme: str, language: str, size: tuple[int, int], script: str = "") -> Page:
    """A browser of somebody who has signed in."""
    url = f"http://127.0.0.1:{stage.config.desk.port}"
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, base_url=url)
    for name, value in (("lifeline_theme", theme), ("lifeline_language", language)):
        context.add_cookies([{"name": name, "value": value, "url": url}])
    context.add_init_script(script)
    made = context.new_page()
    made.goto("/console/")
    made.fill("#name", "wang")
    made.fill("#password", PASSWORD)
    made.press("#password", "Enter")
    made.wait_for_selector("header.top")
    return made


def story(stage: demo.Stage) -> str:
    """What people have done by then -> the warning whose page is shown."""
    live = [w for w in stage.ask("/api/v1/warnings?live=true") if w["kind"] == "hazard"]
    grave = [w for w in live if w["domain"] == "gas" and w["level"] == "RED"] or live
    shown, other = grave[0]["id"], next(w["id"] for w in live if w["id"] != grave[0]["id"])
    said(stage, f"/api/v1/warnings/{other}/ack", {"by": "王芳", "comment": "已派人到场"})
    said(stage, f"/api/v1/warnings/{shown}/stages/assess", {"by": "王芳", "verdict": "hazard", "note": "邻井同时升高"})
    for place, text in (("北门街 12 号调压箱", "箱门锈蚀，无法关闭"), ("抚仙路 3 号井", "井盖破损，有异味")):
        found = {"by": "王芳", "finder": "王芳", "place": place, "description": text, "district": "凤麓街道"}
        made = said(stage, "/api/v1/dangers", found)
    judged = {"by": "王芳", "grade": "general", "colour": "YELLOW", "cause": "年久失修"}
    said(stage, f"/api/v1/dangers/{made['id']}/assess", judged)
    said(stage, "/api/v1/dangers", {"by": "王芳", "warning": shown})
    return f"/console/case/{shown}"


def main() -> None:
    """Play the city and keep the pictures."""
    with tempfile.TemporaryDirectory() as folder, city(Path(folder) / "demo") as stage, chromium() as browser:
        life = demo.Life(stage.config.broker, 1, now() + NS)
        life.start()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            stage.crew.tend()
            time.sleep(0.5)
        case = story(stage)
        for name, path, theme, language, size in SHOTS:
            seen = page(stage, browser, theme, language, size)
            seen.goto(case if path == "CASE" else path)
            seen.wait_for_selector("#live.good, #live.ill")
            seen.wait_for_timeout(3000)
            picture = Image.open(io.BytesIO(seen.screenshot())).convert("RGB")
            picture.quantize(COLOURS, dither=Image.Dither.NONE).save(HERE / f"{name}.png", optimize=True)
            print(name, (HERE / f"{name}.png").stat().st_size)
            seen.context.close()
        life.stop()


if __name__ == "__main__":
    main()
