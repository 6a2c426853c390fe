"""Whether a calibrated city has the false hazards it was promised: calibrated on one stretch of noise, counted on the next."""

import json
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from lifeline.model import Floats
from pipeline import backtest, calibrate

SERIES: Final = 60
STEP: Final = 900  # [s]
HISTORY: Final = 60  # [d]
AFTER: Final = 200  # [d] in which false hazards are counted
BEGIN: Final = pd.Timestamp("2026-01-01", tz="UTC")
RATE: Final = 0.4  # [1/d] promised for the city

RULES: Final = """\
domain = "any"

[[rule]]
id = "any.other.shift"
quantity = "other"
hazard = "anomaly"
kind = "hazard"
mode = "active"
detector = "cusum"
parameters = { warmup = 300 }
unit = "1"
enter = { BLUE = 0.6, YELLOW = 0.9 }
source = "to be calibrated"
confidence = "D"

[[rule]]
id = "any.other.drift"
quantity = "other"
hazard = "anomaly"
kind = "hazard"
mode = "active"
detector = "ewma"
parameters = { warmup = 300 }
unit = "1"
enter = { BLUE = 0.6, YELLOW = 0.9 }
source = "to be calibrated"
confidence = "D"
"""

NOISES: Final[dict[str, Callable[[np.random.Generator, int], Floats]]] = {
    "white": lambda rng, n: rng.normal(size=(SERIES, n)),
    "neighbours correlate by 0.8": lambda rng, n: lfilter([0.6], [1, -0.8], rng.normal(size=(SERIES, n)), axis=1),
    "heavy tails (Student, 4 degrees)": lambda rng, n: rng.standard_t(4, (SERIES, n)),
}


def run() -> dict[str, Any]:
    """False hazards a day: promised, and got afterwards; beside them those at the bounds before."""
    return {name: promised(draw) for name, draw in NOISES.items()}


def promised(draw: Callable[[np.random.Generator, int], Floats], seed: int = 1) -> dict[str, float]:
    """One kind of noise."""
    rng = np.random.default_rng(seed)
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules").mkdir()
        (folder / "rules" / "other.toml").write_text(RULES)
        keys = [f"device-{i}/x" for i in range(SERIES)]
        (folder / "city.csv").write_text("key,quantity,unit\n" + "".join(f"{k},noise,1\n" for k in keys))
        x = draw(rng, (HISTORY + AFTER) * 86_400 // STEP)
        t = pd.date_range(BEGIN, periods=x.shape[1], freq=f"{STEP}s")
        whole = pd.DataFrame(x.T, columns=keys).assign(time=t)
        whole.to_parquet(folder / "whole.parquet")
        whole[t < BEGIN + pd.Timedelta(days=HISTORY)].to_parquet(folder / "history.parquet")
        with redirect_stdout(StringIO()):
            said = calibrate.run(
                f"{RATE}/day",
                folder / "city.csv",
                folder / "history.parquet",
                None,
                folder / "rules",
                folder / "new",
                [],
                as_json=True,
            )
        return {
            "promised_per_day": RATE,
            "got_per_day": counted(folder, folder / "new"),
            "before_per_day": counted(folder, folder / "rules"),
            **{f"bound {r['id']}": r["bound"] for r in said["rules"]},
        }


def counted(folder: Path, rules: Path) -> float:
    """False hazards a day in the time after. [1/d]"""
    until, out = BEGIN + pd.Timedelta(days=HISTORY), folder / f"out-{rules.name}"
    text = StringIO()
    with redirect_stdout(text):
        backtest.run(folder / "whole.parquet", folder / "city.csv", rules, until.isoformat(), out, scores=False, as_json=True)
    warned = pd.read_parquet(out / "warnings.parquet")
    assert json.loads(text.getvalue())["readings"] > 0
    return round(len(warned) / AFTER, 4)
