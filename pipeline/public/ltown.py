"""L-Town (BattLeDIM 2020): inflow, pump and tank level of a simulated town with leaks that are known, every five minutes.

S. G. Vrachimis et al., Battle of the Leakage Detection and Isolation Methods, doi 10.5281/zenodo.4017659.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from detectors.leakage import Leakage
from lifeline.model import NS
from pipeline.docket import Warned
from pipeline.foreign import found
from pipeline.public.kinds import PASSIVE, Bound, Column, Figures, Line, Scored, Set, Words
from pipeline.public.place import Scorers
from pipeline.public.play import Heard, Player, begun, instants
from pipeline.public.sketch import Drawing, Panel, Shade, alarms
from pipeline.stranger import Lines
from pipeline.tables import Table

FOLDER: Final = "LTOWN_2019H1"
TITLE: Final = Words("供水：L-Town 管网漏损", "water: L-Town, leaks from the inflow alone")
READINGS: Final = "scada_5min.parquet"
LEAKS: Final = "leaks.csv"
TRUTH: Final = "leak_flow_truth_5min.parquet"  # not needed: it is drawn where it lies too
FOUND: Final = 14 * 86400 * NS  # [ns] after the start of a leak in which an alarm finds it
HOUR: Final = 3600 * NS  # [ns]
SMOOTH: Final = 12  # [1] readings in a mean of the drawing: an hour


def lines(names: list[str]) -> Lines:
    """A catalog of the columns, by their units: flows and levels of one asset, each a device of its own."""
    kind = {"m3h": ("water_flow", "m3/h"), "m": ("water_level", "m")}
    return [
        {"key": n, "asset": "L-Town", "device": n, "domain": "water", "quantity": q, "unit": u}
        for n in names
        for q, u in [kind[n.rpartition("_")[2]]]
    ]


def figures(leak_starts: Any, warnings: list[Warned], leaks: pd.DataFrame) -> Figures:
    """As the scorer says it. One alarm a warning: at the instant at which people are first told of it."""
    made = leak_starts([np.datetime64(begun(w), "ns") for w in warnings], leaks)
    delay = made["median_delay_d"]
    return {
        "leaks": int(made["leaks"]), "detected": int(made["detected"]),
        "detected_pct": round(100 * made["detected"] / max(made["leaks"], 1), 1), "false_alarms": int(made["false_alarms"]),
        "median_delay_d": None if delay is None else round(float(delay), 2), "leakage_error_pct": None,
    }  # fmt: skip


def score(at: Path, player: Player, judges: Scorers) -> Scored:
    leaks = pd.read_csv(at / LEAKS, parse_dates=["start", "end"])
    columns = [n for n in pd.read_parquet(at / READINGS).columns if n != "timestamp"]
    catalog = lines(columns)
    tables = found(at / READINGS, {x["key"]: {} for x in catalog}).tables
    heard = player.play(tables, catalog)
    starts, passive = judges["leak_starts"], heard.passive(columns)
    made = figures(starts, heard.warnings(), leaks)
    if (at / TRUTH).is_file():
        truth = pd.read_parquet(at / TRUTH).set_index("timestamp").sum(axis=1)
        made["leakage_error_pct"] = round(error(estimated(tables[0]), truth), 1)
    return Scored(
        made,
        drawing(at, tables[0], leaks, heard, passive),
        parts=[] if passive is None else [Line(PASSIVE, figures(starts, passive, leaks))],
        settings={"training": "none: the rules learn as they go", "times": "local, taken as they stand"},
    )


def estimated(table: Table) -> "pd.Series[float]":
    """All that is lost, as the detector has it at the end of each day. [m³/h], by the day's end [ns]"""
    d = Leakage(flows=tuple(n.endswith("_m3h") for n in table.key))
    hour = -(-table.t // HOUR) * HOUR
    mean = pd.DataFrame(table.value.T).groupby(hour).mean()
    x, t = mean.to_numpy().T.copy(), mean.index.to_numpy(np.int64)
    x[np.array(d.flows)] /= 3600
    s, out = d.init(x.shape[0]), {}
    for j in range(t.size):
        s, _ = d.step(s, x[:, j : j + 1], t[j : j + 1])
        if t[j] % (24 * HOUR) == 0 and np.isfinite(s.lost[0, -1]):
            out[int(t[j])] = 3600 * d.total(s)
    return pd.Series(out)


def error(found: "pd.Series[float]", true: "pd.Series[float]") -> float:
    """Mean error of a day's leakage, of the mean leakage. true: of each reading [%]"""
    day = pd.Series(true.to_numpy(), -(-instants(true.index) // (24 * HOUR)) * 24 * HOUR).groupby(level=0).mean()
    both = pd.concat([found, day], axis=1, join="inner").to_numpy()
    return float(100 * np.abs(both[:, 0] - both[:, 1]).mean() / both[:, 1].mean())


def drawing(at: Path, table: Table, leaks: pd.DataFrame, heard: Heard, passive: list[Warned] | None) -> Drawing:
    """Shaded: the time in which an alarm counts for a new leak."""
    inlets = [i for i, name in enumerate(table.key) if name.startswith("flow_p") and "pump" not in name]
    mean = pd.Series(table.value[inlets].sum(axis=0)).rolling(SMOOTH).mean().to_numpy()
    new = leaks[~leaks.active_at_period_start]
    shades = [Shade(a, a + FOUND, f"leak {n}") for n, a in zip(new.link, instants(new.start).tolist(), strict=True)]
    panels = [Panel("两处进水合计，一小时平均 inflow, mean of an hour [m³/h]", table.t, mean)]
    if (at / TRUTH).is_file():
        truth = pd.read_parquet(at / TRUTH).set_index("timestamp").sum(axis=1)
        panels.append(Panel("真实漏损合计 true leakage [m³/h]", instants(truth.index), truth.to_numpy(np.float64)))
    return Drawing(TITLE.en, int(table.t[0]), int(table.t[-1]), panels, shades, alarms(heard, passive))


default = Set(
    folder=FOLDER,
    title=TITLE,
    needs=(READINGS, LEAKS),
    scorers=("leak_starts",),
    obtain=(
        "BattLeDIM 2020 (doi 10.5281/zenodo.4017659; leaks also at github.com/KIOS-Research/BattLeDIM, flows at "
        "github.com/SWN-group-at-TU-Berlin/LILA): inflows, pump and tank level as scada_5min.parquet (timestamp, NAME_m3h, "
        "NAME_m), leaks as leaks.csv (link, start, end, active_at_period_start, max_leak_flow_m3h)"
    ),
    columns=(
        Column("leaks", "新漏点", "new leaks"),
        Column("detected", "发现", "found in 14 days", best=1),
        Column("detected_pct", "发现率", "found", "%", 1, 1),
        Column("false_alarms", "误报", "false alarms", best=-1),
        Column("median_delay_d", "时延中位数", "median delay", "d", 1, -1),
        Column("leakage_error_pct", "漏损量误差", "error of the leakage", "%", 1, -1),
    ),
    baseline=Line(
        "CUSUM of the night flow, quick setting",
        {"leaks": 10, "detected": 7, "detected_pct": 70.0, "false_alarms": 7, "median_delay_d": 2.2},
        "measured by those who prepared the data; a slow setting has 4 false alarms and 9.4 d",
    ),
    aim=(
        {
            "detected_pct": Bound(least=90.0),
            "false_alarms": Bound(most=2),
            "median_delay_d": Bound(most=2.0),
            "leakage_error_pct": Bound(most=10.0),
        }
    ),
    notes=(
        Words(
            "没有仅凭流量的已发表成绩。漏损量误差：逐日估计与真值之差的平均，与平均真值之比；起始漏损取夜间最小流量之半。",
            "No figures from flows alone are published. Error of the leakage: mean of each day's, of the mean true "
            "one; what was lost from the beginning is taken as half of the least flow at night.",
        ),
        Words(
            "一条预警算一次报警，从发出时起；预警未解除期间新出现的漏点不再另报。",
            "A warning is one alarm, when it is raised; of a leak that begins while it stands nobody is told anew.",
        ),
    ),
    score=score,
)
