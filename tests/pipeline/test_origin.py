"""Whether gas comes from a main or ferments is told with the warning."""

import detectors
from detectors.manhole import Manhole
from pipeline.replay import Replay
from pipeline.stretch import stretches
from simulators.scenario import find, load
from simulators.stage import stage


def test_a_warning_of_gas_in_a_drain_says_how_likely_a_leak_is() -> None:
    on = stage(load(find("G7")), 1)
    replay = Replay(on.catalog, [r for r in detectors.rules() if isinstance(r.detector, Manhole)])
    told = [c for run in stretches(on.turns(), replay.engine) for c in replay.step(*run) if c.new != "NORMAL"]
    biogas = [c.evidence.leak for c in told if c.hazard == "biogas"]
    assert len(biogas) > 0
    assert all(p is not None and p < 0.2 for p in biogas)
