"""Waveforms -> blocks: equal length and step together, a row once in a block, the blocks of a row in order of arrival."""

from typing import Final, NamedTuple

import numpy as np

from ingest.admit import FOREIGN, UNKNOWN, Bad, Terms, clocked, conversion, untimely
from ingest.codecs import BadPayload, Refusal, Waveform
from lifeline.catalog import Catalog
from lifeline.model import NS, Block, Bools, Floats, Ints, Quality

OFF: Final = 0.01  # [1] by which the step of a waveform may differ from the catalog's


class Wave(NamedTuple):
    """One waveform whose series is known."""

    message: int
    row: int
    said: Waveform
    scale: float  # [SI / unit]
    offset: float  # [SI]


def wave(message: int, said: Waveform, device: str, catalog: Catalog, *, own: bool = False) -> Wave:
    """Find the series and the unit; BadPayload if there is none, or its samples are otherwise apart.

    own: only of the device of the topic
    """
    row = catalog.row.get(said.name, -1)
    if row < 0:  # its channel within the device of the topic, then
        row = catalog.row.get(f"{device}/{said.name}", -1)
    if row < 0:
        raise BadPayload(UNKNOWN, said.name)
    if own and catalog.device[row] != device:
        raise BadPayload(FOREIGN, said.name)
    if abs(said.step / NS - catalog.step[row]) > OFF * catalog.step[row]:
        raise BadPayload(f"a step of {said.step / NS:g} s, and in the catalog of {catalog.step[row]:g} s", said.name)
    if not said.unit or said.unit == catalog.unit[row]:
        return Wave(message, row, said, catalog.scale[row], catalog.offset[row])
    line = conversion(said.unit, catalog.unit[row])
    if line is None:
        raise BadPayload(f"unit does not fit one declared in {catalog.unit[row]}", said.name)
    return Wave(message, row, said, *line)


def stack(waves: list[Wave], at: int, terms: Terms, bad: Bad) -> tuple[list[Block], list[Ints]]:
    """Blocks, and the message of each of their rows; refusals are appended to `bad`. at [ns]"""
    groups: dict[tuple[int, int, int], list[Wave]] = {}
    seen: dict[int, int] = {}
    for w in _timely(waves, at, terms, bad):
        nth = seen[w.row] = seen.get(w.row, -1) + 1  # the how manieth of its row
        groups.setdefault((nth, w.said.value.shape[0], w.said.step), []).append(w)
    made = [_block(groups[key], key[2], at, bad) for key in sorted(groups, key=lambda key: key[0])]
    kept = [(block, message) for block, message in made if message.size]
    return [block for block, _ in kept], [message for _, message in kept]


def _timely(waves: list[Wave], at: int, terms: Terms, bad: Bad) -> list[Wave]:
    if not waves:
        return waves
    first = np.array([w.said.t for w in waves], np.int64)
    last = np.array([w.said.t + w.said.step * (w.said.value.shape[0] - 1) for w in waves], np.int64)
    ahead, old = untimely(first, last, at, terms)
    for i in np.flatnonzero(ahead | old).tolist():
        reason = "a date beyond the permitted skew" if ahead[i] else "a date older than permitted"
        bad.append((waves[i].message, Refusal(waves[i].said.name, reason)))
    return [w for w, wrong in zip(waves, (ahead | old).tolist(), strict=True) if not wrong]


def _block(waves: list[Wave], step: int, at: int, bad: Bad) -> tuple[Block, Ints]:
    """Samples in SI; those that are not finite are missing, and an infinity is refused by itself."""
    messages, row, _, scale, offset = zip(*waves, strict=True)
    message = np.array(messages, np.int64)
    t = np.array([w.said.t for w in waves], np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        value = np.stack([w.said.value for w in waves]) * np.array(scale)[:, None] + np.array(offset)[:, None]  # [m, k] [SI]
    quality = np.repeat(clocked(t + step * (value.shape[1] - 1), at)[:, None], value.shape[1], axis=1)
    some = np.ones(message.shape, np.bool_)
    if not np.isfinite(value).all():
        some = _missing(value, waves, bad)
        quality[np.isnan(value) & (quality == Quality.GOOD)] = Quality.SUSPECT
    return Block(np.array(row, np.int32)[some], t[some], step, value[some], quality[some]), message[some]


def _missing(value: Floats, waves: list[Wave], bad: Bad) -> Bools:
    """Make infinities NaN in `value`, which is ours; which waveforms have a sample left. [m]"""
    for i, j in np.argwhere(np.isinf(value)).tolist():
        bad.append((waves[i].message, Refusal(f"v[{j}]", "a sample that is not finite")))
    value[np.isinf(value)] = np.nan
    some = np.asarray(~np.isnan(value).all(axis=1))
    for i in np.flatnonzero(~some).tolist():
        bad.append((waves[i].message, Refusal(waves[i].said.name, "no finite sample")))
    return some
