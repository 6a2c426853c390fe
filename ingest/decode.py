"""Raw messages -> columns of SI readings and blocks of waveforms; what cannot be used is refused with its place and a reason.

No message raises, and none costs its neighbours. What the topic says of domain and asset must be well formed; whose reading
it is, the key alone decides.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from ingest import topic
from ingest.admit import Bad, Joined, Terms, admit
from ingest.blocks import Wave, stack, wave
from ingest.codecs import BadPayload, Readings, Refusal, Waveform, quoted, status, telemetry, waveform
from ingest.topic import Topic
from lifeline import canary
from lifeline.catalog import Catalog
from lifeline.model import Batch, Block, Bools, Ints

DEFECT: Final = "defect in the decoder"
SHOWN: Final = 3  # places and reasons named per message
WIDTH: Final = 100  # [characters] of each
CODECS: Final[dict[str, Callable[[bytes, str, int], Readings | Waveform]]] = {
    "telemetry": telemetry.decode,
    "waveform": waveform.decode,
    "event": telemetry.decode,
    "status": status.decode,
}


class Refused(NamedTuple):
    """What of one message was not taken."""

    message: int  # index of the message
    items: int  # readings refused; 1 when the message cannot be read at all
    reason: str
    places: str  # the first few


class Decoded(NamedTuple):
    batch: Batch
    message: Ints  # [n] index of the message that each reading of the batch came from
    own: Bools  # [n] whether the time is the device's own; False: it may rest on the time of receipt
    blocks: list[Block]  # a row occurs once in a block; the blocks of a row are in order of arrival
    block_message: list[Ints]  # of each block: [m] index of the message that each row came from
    refused: list[Refused]  # by message
    canary: tuple[int, ...] = ()  # messages that no device sent: nothing of them is taken here


def decode(messages: Sequence[tuple[str, bytes]], at: int, catalog: Catalog, terms: Terms, city: str = "") -> Decoded:
    """messages: (topic, payload), received at `at` [ns] or so; city: the one whose topics are taken, "" any."""
    joined, waves, bad, ours = Joined.none(), list[Wave](), Bad(), list[int]()
    for i, (name, payload) in enumerate(messages):
        try:
            where, said = read(name, payload, at, terms, city)
            if where.asset == canary.NAME and canary.named(*where[1:4]) and canary.KEY not in catalog.row:
                ours.append(i)
            elif isinstance(said, Waveform):
                waves.append(wave(i, said, where.device, catalog, own=terms.own))
            else:
                joined.add(i, said, where.device)
                bad.extend((i, refusal) for refusal in said.bad)
        except BadPayload as why:
            bad.append((i, Refusal(why.place, why.reason)))
        except Exception as why:  # noqa: BLE001  a defect of ours met by one message may cost that message, never the flow
            bad.append((i, Refusal("", f"{DEFECT}: {type(why).__name__}")))
    batch, message, own = admit(joined, at, catalog, terms, bad)
    blocks, block_message = stack(waves, at, terms, bad)
    return Decoded(batch, message, own, blocks, block_message, _by_message(bad), tuple(ours))


def read(name: str, payload: bytes, at: int, terms: Terms, city: str = "") -> tuple[Topic, Readings | Waveform]:
    """What one message says, before the catalog is asked. at [ns]"""
    where = topic.parse(name)
    if city and where.city != city:
        raise BadPayload("another city's", f"topic city {quoted(where.city)}")
    if not 0 < len(payload) <= terms.max_payload:
        raise BadPayload(f"larger than {terms.max_payload} bytes" if payload else "empty", "payload")
    said = CODECS[where.form](payload, where.device, at)
    if isinstance(said, Readings) and not said.name and not said.bad:
        raise BadPayload("no reading in it", "payload")
    return where, said


def _by_message(bad: Iterable[tuple[int, Refusal]]) -> list[Refused]:
    """One line per message: how many, why, and the first few places."""
    found: dict[int, list[Refusal]] = {}
    for i, refusal in bad:
        found.setdefault(i, []).append(refusal)
    return [
        Refused(i, len(them), _few(dict.fromkeys(r.reason for r in them)), _few(r.place for r in them))
        for i, them in sorted(found.items())
    ]


def _few(texts: Iterable[str]) -> str:
    """The first few of them, each on one line and no longer than that, in characters that any log and database takes."""
    plain = (t if t.isprintable() else ascii(t)[1:-1] for _, t in zip(range(SHOWN), texts, strict=False))
    return "; ".join(t if len(t) <= WIDTH else t[: WIDTH - 3] + "..." for t in plain)
