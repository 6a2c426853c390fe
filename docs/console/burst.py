"""What the console costs the desk: changes a second without it, with it, and with browsers looking on, by turns.

python docs/console/burst.py
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import msgspec
from picture import chromium

from bench.desk import change
from lifeline.catalog import write
from lifeline.clock import now
from lifeline.config import load
from pipeline.demo import free_ports, living
from pipeline.token import bearer

TURNS, BURST, SIZE, BROWSERS = 3, 1500, 100, 4
PASSWORD = "a long password"  # noqa: S105  of a desk that lives for a moment
SETTINGS = """\
[city]
name = "town"
catalog = "catalog.csv"
[desk]
port = {desk}
console = {console}
[health]
receive_port = {receive}
watch_port = {watch}
[channels.log]
type = "log"
min_level = "RED"
"""


def rate(*, console: bool, browsers: int) -> float:
    """Of one desk, from the first change posted to the last one booked. [1/s]"""
    with tempfile.TemporaryDirectory() as name:
        folder, (desk, receive, watch) = Path(name), free_ports(3)
        write(living(now(), 1).catalog, folder / "catalog.csv")
        path = folder / "lifeline.toml"
        path.write_text(SETTINGS.format(desk=desk, receive=receive, watch=watch, console=str(console).lower()))
        config, url = load(path, {}), f"http://127.0.0.1:{desk}"
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", "desk", "--config", str(path)], stderr=subprocess.DEVNULL
        )
        try:
            with httpx.Client(base_url=url, headers=bearer(config), trust_env=False, timeout=60.0) as http:
                until_up(http)
                return looked_at(http, url, browsers) if browsers else posted(http)
        finally:
            process.terminate()
            process.wait()


def until_up(http: httpx.Client) -> None:
    """Within a minute."""
    for _ in range(600):
        try:
            if http.get("/-/healthy").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise TimeoutError("the desk does not start")


def looked_at(http: httpx.Client, url: str, browsers: int) -> float:
    """With so many pages of cases open."""
    http.post("/api/v1/users", json={"name": "wang", "role": "leader", "password": PASSWORD}).raise_for_status()
    with chromium() as browser:
        context = browser.new_context(base_url=url)
        context.request.post("/api/v1/login", data={"name": "wang", "password": PASSWORD})
        for _ in range(browsers):
            page = context.new_page()
            page.goto("/console/cases")
            page.wait_for_selector("#live.good, #live.ill")
        return posted(http)


def posted(http: httpx.Client) -> float:
    said = [change(f"burst-{i}") for i in range(BURST)]
    begun = time.perf_counter()
    for i in range(0, BURST, SIZE):
        http.post("/changes", content=msgspec.json.encode(said[i : i + SIZE])).raise_for_status()
    return BURST / (time.perf_counter() - begun)


def main() -> None:
    """Medians and ratios."""
    kinds = {"without": (False, 0), "with": (True, 0), f"{BROWSERS} browsers": (True, BROWSERS)}
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(TURNS):
        for name, (console, browsers) in kinds.items():
            found[name].append(rate(console=console, browsers=browsers))
    base = statistics.median(found["without"])
    for name, rates in found.items():
        print(f"{name}: {statistics.median(rates):.0f} changes/s, {statistics.median(rates) / base:.2f} of without")


if __name__ == "__main__":
    main()
