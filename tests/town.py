"""A small town of all four domains for the tests of the pipeline: its catalog, and minutes of its life as messages."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

import detectors
from ingest.codecs import Waveform, waveform
from ingest.journal import Entry
from lifeline import config as settings
from lifeline.catalog import Catalog, load
from lifeline.config import City, Config, complete
from lifeline.model import NS
from pipeline.watch import Watch

HEADER: Final = "key,asset,device,domain,district,quantity,unit,step,low,high,lat,lon,owner,hold,rated"
PLACE: Final = "24.67,102.91,the owner"
LIFT: Final = {"door": 1, "door_zone": 1, "motion": 1, "passengers": 20, "speed": 10, "mode": 2, "alarm_button": 1}
WELLS, GAUGES, LIFTS, DECKS = 12, 4, 3, 2
RATE: Final = 50  # [Hz] of a deck
START: Final = 1_795_420_800 * NS

Said = tuple[bytes, bytes]  # topic, payload


def lines(wells: int = WELLS) -> list[str]:
    """The catalog's lines, without the header."""
    out = [f"laser-{i}/ch4,well-{i},laser-{i},gas,Fenglu,methane,%VOL,1,0,20,{PLACE},," for i in range(wells)]
    out += [f"gauge-{i}/p,node-{i},gauge-{i},water,Fenglu,water_pressure,mH2O,1,0,160,{PLACE},,30" for i in range(GAUGES)]
    for i in range(LIFTS):
        for q, top in LIFT.items():
            unit = {"speed": "m/s", "passengers": "count"}.get(q, "state")
            out.append(f"car-{i}/{q},lift-{i},car-{i},elevator,Fenglu,{q},{unit},20,0,{top},{PLACE},60,")
    shaken = ["pier_acceleration", *["acceleration"] * (DECKS - 1)]
    out += [f"deck-{i}/z,bridge-{i},deck-{i},bridge,Fenglu,{q},m/s²,0.02,-20,20,{PLACE},," for i, q in enumerate(shaken)]
    return out


def catalog(folder: Path, chosen: Sequence[str] | None = None) -> Catalog:
    """Written as a file and read as one."""
    path = folder / "catalog.csv"
    path.write_text("\n".join([HEADER, *(lines() if chosen is None else chosen)]) + "\n", "utf-8")
    return load(path)


def telemetry(domain: str, asset: str, device: str, t: int, **values: float) -> Said:
    """One message in flat JSON. t [ns] of whole milliseconds"""
    body = {"ts": t // 1_000_000, "values": {k: float(v) for k, v in values.items()}}
    return f"lifeline/v1/town/{domain}/{asset}/{device}/telemetry".encode(), msgspec.json.encode(body)


def methane(well: int, t: int, value: float) -> Said:
    """value [%VOL]"""
    return telemetry("gas", f"well-{well}", f"laser-{well}", t, ch4=round(value, 3))


def life(seed: int, seconds: int) -> list[list[Said]]:
    """What is said in each second: leaks, falling pressure, shaken decks, lifts that stop; some sensors fall silent."""
    rng = np.random.default_rng(seed)
    heard = rng.random((WELLS, seconds)) > 0.05
    heard[0, 8:30] = False
    gas = np.abs(rng.normal(0.0, 0.05, (WELLS, seconds))) + _leaks(rng, WELLS, seconds, 6.0)
    head = 30.0 + rng.normal(0, 0.1, (GAUGES, seconds)) - _leaks(rng, GAUGES, seconds, 25.0)
    out: list[list[Said]] = []
    for s in range(seconds):
        t = START + s * NS
        now = [methane(i, t + i * 7_000_000, gas[i, s]) for i in range(WELLS) if heard[i, s]]
        now += [telemetry("water", f"node-{i}", f"gauge-{i}", t, p=round(head[i, s], 2)) for i in range(GAUGES)]
        now += [telemetry("elevator", f"lift-{i}", f"car-{i}", t, **_car(i, s)) for i in range(LIFTS) if (s + i) % 5 == 0]
        now += [_deck(i, t, rng.normal(0, 0.05 if s < seconds // 2 else 1.0, RATE)) for i in range(DECKS)]
        out.append(now)
    return out


def _leaks(rng: np.random.Generator, n: int, seconds: int, most: float) -> np.ndarray:
    onset, height = rng.integers(seconds // 4, seconds, n), rng.choice([0.0, 0.3, 1.0], n) * most
    return np.clip((np.arange(seconds) - onset[:, None]) / 10, 0, 1) * height[:, None]


def _car(i: int, s: int) -> dict[str, float]:
    """Lift 0 stops between landings with a passenger who presses the button; the others stand idle."""
    stuck = i == 0 and s > 10
    return dict(zip(LIFT, (0, not stuck, 0, stuck, 0, 0, stuck and s > 20), strict=True))


def _deck(i: int, t: int, x: np.ndarray) -> Said:
    body = waveform.encode(Waveform(f"deck-{i}/z", t, NS // RATE, x, "m/s²"))
    return f"lifeline/v1/town/bridge/bridge-{i}/deck-{i}/waveform".encode(), body


def disturbed(said: list[list[Said]], seed: int) -> list[list[Said]]:
    """The same, as a poor network brings it: repeated, late, contradicted, and with junk in between."""
    rng = np.random.default_rng(seed)
    out: list[list[Said]] = []
    for s, now in enumerate(said):
        seen = list(now)
        if s >= 5:
            seen += [said[s - 5][int(i)] for i in rng.integers(0, len(said[s - 5]), 3)]  # known already
            seen.append(methane(0, START + (s - 3) * NS + 500_000_000, 9.0))  # late, and new
        if s % 7 == 6:
            seen.append(methane(1, START + (s - 4) * NS + 7_000_000, 19.0))  # contradicts what was said, if it was
            seen.append((b"lifeline/v1/town/gas/well-1/laser-1/telemetry", b"\x00junk"))
            seen.append(telemetry("gas", "well-x", "laser-x", START + s * NS, ch4=1.0))
            seen.append(methane(2, START + s * NS + 3600 * NS, 19.0))  # from the future
        if s == 20:
            seen.append(methane(3, START + 50 * NS, 0.0))  # its clock runs ahead, by less than is refused
        out.append(seen)
    return out


def entries(said: list[list[Said]], seed: int) -> list[Entry]:
    """The journal that a receiver makes of it: each second in one to five commits, received half a second later."""
    rng = np.random.default_rng(seed)
    made: list[Entry] = []
    first = 0
    for s, now in enumerate(said):
        cuts = np.unique(rng.integers(1, max(2, len(now)), 4)).tolist()
        for a, b in zip([0, *cuts], [*cuts, len(now)], strict=True):
            if part := now[a:b]:
                made.append(Entry(first, START + s * NS + NS // 2, [x for x, _ in part], [x for _, x in part]))
                first += len(part)
    return made


def rules(folder: Path) -> Path:
    """The shipped rules with windows of seconds instead of hours: a minute of life fills them."""
    made = folder / "rules"
    made.mkdir(exist_ok=True)
    for path in sorted((Path(detectors.__file__).parent / "rules").glob("*.toml")):
        (made / path.name).write_text(re.sub(r"window = \d+\.\d*", "window = 8.0", path.read_text("utf-8")), "utf-8")
    return made


def configured(folder: Path, **watch: Any) -> Config:
    """Settings of the town, with its catalog and rules in place."""
    folder.mkdir(parents=True, exist_ok=True)
    city = City("town", folder / "catalog.csv", folder / "data")
    if not city.catalog.exists():
        catalog(folder)
    return complete(Config(city, watch=settings.Watch(flush=1e9, rules=rules(folder), **watch), folder=folder))


def watched(folder: Path, **watch: Any) -> Watch:
    """A watch of the town with nobody at the desk: what it says stays in its courier."""
    config = configured(folder, **watch)
    return Watch(config, load(config.city.catalog))


def said(watch: Watch) -> list[bytes]:
    """Every change so far, whole, by rule, series and time."""
    return sorted(msgspec.json.encode(c) for c in watch.courier.unsent())


def stored(watch: Watch) -> dict[str, list[tuple[int, float, int]]]:
    """(time, value, quality) of every reading in the lake, by series."""
    b = watch.lake.scan(np.arange(watch.catalog.n, dtype=np.int32), 0, 2**62)
    out: dict[str, list[tuple[int, float, int]]] = {}
    value = np.nan_to_num(b.value, nan=-1e9)  # NaN is not even itself
    for row, t, x, q in zip(b.row.tolist(), b.t.tolist(), value.tolist(), b.quality.tolist(), strict=True):
        out.setdefault(str(watch.catalog.key[row]), []).append((t, x, q))
    return out
