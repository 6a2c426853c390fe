"""A scenario is judged in stretches of turns, and must tell what it would tell turn by turn."""

from pathlib import Path

import detectors
from pipeline.docket import Docket
from pipeline.replay import Replay
from pipeline.trial import listen
from simulators.scenario import load
from simulators.stage import stage

TWO = """\
id = "T"
zh = "两台变送器，一台断网"
en = "two transmitters, one of which has no connection for some hours"
start = "2026-03-10T00:00:00+08:00"
duration = "10h"

[world.gas]
every = "10m"

[[fault]]
kind = "gas.lock_up"
at = "2h"
lasts = "1h"

[[fault]]
kind = "gas.freeze"
at = "5h"
lasts = "4h"
to = "1.1 kPa"
over = "10m"

[[transport]]
kind = "outage"
device = "logger-1"
at = "1h"
lasts = "6h"

[[transport]]
kind = "store"
device = "rtu-1"
every = "20m"
"""


def test_warnings_are_those_of_one_turn_after_another_also_where_readings_come_late(tmp_path: Path) -> None:
    path = tmp_path / "T.toml"
    path.write_text(TWO, "utf-8")
    rules = detectors.rules()
    on = stage(load(path))
    replay, docket, came = Replay(on.catalog, rules), Docket(), dict[str, int]()
    for turn in on.turns():
        changes = replay.step(turn)
        docket.take(changes)
        came |= {c.id: turn.at for c in changes}
    told = listen(stage(load(path)), rules)
    one = {
        (w.case.asset, w.case.hazard): [(s.t, came[c.id], s.level, s.voices) for s, c in zip(w.steps, w.changes, strict=True)]
        for w in docket.hazards()
    }
    assert {(w.asset, w.hazard): [(s.t, s.told, s.level, s.voices) for s in w.steps] for w in told.hazards} == one
    assert len(told.tickets) == len(docket.tickets())
    assert {hazard for _, hazard in one} == {"gas_overpressure", "gas_underpressure"}
    assert max(told - t for steps in one.values() for t, told, *_ in steps) > 3600e9  # what the logger kept
