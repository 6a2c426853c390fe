"""From the desk's booking of a warning to the line in the browser. Run it as: python docs/console/delay.py"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
from picture import chromium, city, page

from lifeline.clock import now
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id, warning_id
from pipeline import demo
from pipeline.token import bearer

TIMES = 40
SEEN = """
window.seen = {};
new MutationObserver(() => {
  for (const e of document.querySelectorAll('.entry[data-id]')) window.seen[e.dataset.id] ??= Date.now();
}).observe(document, { childList: true, subtree: true });
"""


def change(i: int) -> Change:
    """A warning at an asset of its own."""
    t, key, rule = now(), f"d{i}/ch4", "gas.methane.limit"
    facts: dict[str, Any] = {"city": "chengjiang", "district": "d", "owner": "o", "lat": 24.0 + 0.05 * i, "lon": 102.0}
    facts |= {"domain": Domain.GAS, "quantity": "methane", "hazard": "gas_accumulation", "rule": rule, "hard": True}
    facts |= {"id": change_id(rule, key, t, Level.ORANGE), "t": t, "asset": f"W-{i}", "device": f"d{i}", "key": key}
    seen = Evidence([t], [3.0], "%VOL", {}, "%VOL")
    return Change(**facts, kind=Kind.HAZARD, mode=Mode.ACTIVE, old="NORMAL", new="ORANGE", score=1.0, evidence=seen)


def measured(stage: demo.Stage) -> list[float]:
    """One after the other. [s]"""
    found = []
    http = httpx.Client(
        base_url=f"http://127.0.0.1:{stage.config.desk.port}", headers=bearer(stage.config), trust_env=False, timeout=30.0
    )
    with chromium() as browser:
        seen = page(stage, browser, "light", "en", (1400, 900), SEEN)
        seen.goto("/console/cases")
        seen.wait_for_selector("#live.good, #live.ill")
        for i in range(TIMES):
            said = change(i)
            http.post("/changes", content=msgspec.json.encode([said])).raise_for_status()
            id_ = warning_id(said.asset, said.hazard, said.t)
            seen.wait_for_function(f"window.seen['{id_}']")
            booked = http.get(f"/api/v1/warnings/{id_}").json()["raised"] / NS
            found.append(seen.evaluate(f"window.seen['{id_}']") / 1000 - booked)
            time.sleep(0.5)
    return found


def main() -> None:
    """Print median and worst."""
    with tempfile.TemporaryDirectory() as folder, city(Path(folder) / "demo") as stage:
        found = measured(stage)
    soon = sum(x <= 1.0 for x in found)
    print(f"{TIMES} warnings: median {statistics.median(found):.2f} s, worst {max(found):.2f} s, {soon} within 1 s")


if __name__ == "__main__":
    main()
