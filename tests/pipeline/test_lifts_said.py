"""What terminals of lifts say, through the codecs that read it in service."""

import msgspec
import numpy as np

from ingest.admit import Terms
from ingest.decode import decode
from lifeline.model import NS, Batch, Block
from pipeline.publish import messages
from simulators.elevator.hazards import Entrapment
from simulators.elevator.scene import STATES, ElevatorWorld, maker
from simulators.elevator.stops import FEATURES
from simulators.world import Run

START = 1_795_420_800 * NS
TERMS = Terms(skew=300.0, oldest=86_400.0, max_payload=1_000_000)


def test_events_features_and_waveforms_are_heard_as_they_were_said() -> None:
    channels = (
        *STATES,
        "direction",
        "floor",
        "power",
        "safety_circuit",
        "limit_switch",
        "buffer_switch",
        "air_pressure",
        "rope_speed",
    )
    world = ElevatorWorld(lifts=3, trips=1500, channels=channels, features=FEATURES, accelerometer=True)  # type: ignore[arg-type]
    s = maker.scene(world, [Entrapment(at=120.0, lasts=60.0, cause="power")], START, 1)
    parts = Run(s.model, START).emit(START, START + 300 * NS)
    sent = messages(parts, s.catalog)
    heard = decode(sent, START + 300 * NS, s.catalog, TERMS)
    assert heard.refused == []
    true = Batch.joined([p for p in parts if isinstance(p, Batch)])
    for one, two in ((true, heard.batch), *(((a.flat()), b.flat()) for a, b in _matched(parts, heard.blocks))):
        a, b = (x.take(np.lexsort((x.t, x.row))) for x in (one, two))
        np.testing.assert_array_equal(a.row, b.row)
        np.testing.assert_array_equal(a.t, b.t)
        np.testing.assert_allclose(a.value, b.value, rtol=1e-6, atol=1e-9)
    events = [msgspec.json.decode(p) for topic, p in sent if topic.endswith("/event")]
    words = str(events)
    for word in ("'open'", "'closed'", "'moving'", "'stopped'", "'off'", "'pressed'", "'up'"):
        assert word in words


def _matched(parts: list[Batch | Block], heard: list[Block]) -> list[tuple[Block, Block]]:
    """All waveforms as one block each side, row by row."""
    sent = sorted(
        (int(r), int(t), v) for p in parts if isinstance(p, Block) for r, t, v in zip(p.row, p.t, p.value, strict=True)
    )
    got = sorted((int(r), int(t), v) for p in heard for r, t, v in zip(p.row, p.t, p.value, strict=True))
    return [(_block(sent), _block(got))]


def _block(rows: list[tuple[int, int, np.ndarray]]) -> Block:
    row, t, value = zip(*rows, strict=True)
    x = np.array(value)
    return Block(np.array(row, np.int32), np.array(t), NS // 64, x, np.zeros(x.shape, np.uint8))
