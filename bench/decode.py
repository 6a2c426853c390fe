"""What decoding costs: microseconds a message, and readings a second, on one core.

Run: python -m bench.decode
"""

import json
import time
from collections.abc import Callable

import cbor2
import numpy as np

from ingest.admit import Terms
from ingest.codecs import Waveform, flat_json, senml_cbor, senml_json, waveform
from ingest.decode import decode
from ingest.quality import gate, settings
from lifeline.catalog import Catalog
from lifeline.model import NS

AT = 1_790_000_000 * NS  # [ns]
TERMS = Terms(skew=300.0, oldest=30 * 86400.0, max_payload=1_000_000)
Messages = list[tuple[str, bytes]]


def city(devices: int, bridges: int, channels: int = 50) -> Catalog:
    """Devices with so many channels of methane, and bridge channels of acceleration."""
    keys = [f"W-{i}/ch{j}" for i in range(devices) for j in range(channels)] + [f"B-{i}/a" for i in range(bridges)]
    n, slow = len(keys), devices * channels
    text = np.array(keys, np.object_)
    same = np.full(n, "x", np.object_)
    kind = np.array(["methane"] * slow + ["acceleration"] * bridges, np.object_)
    unit = np.array(["%VOL"] * slow + ["m/s²"] * bridges, np.object_)
    nan = np.full(n, np.nan)
    slow_ones = kind == "methane"
    return Catalog(
        key=text, asset=same, device=same, domain=same, district=same, quantity=kind, unit=unit, owner=same,
        step=np.where(slow_ones, 60.0, 0.01), low=np.where(slow_ones, 0.0, -20.0), high=np.where(slow_ones, 0.2, 20.0),
        lat=nan, lon=nan, hold=nan, rated=nan, scale=np.where(slow_ones, 0.01, 1.0), offset=np.zeros(n), report=nan,
    )  # fmt: skip


def flat(devices: int, channels: int) -> Messages:
    """One instant of each device."""
    return [
        (f"lifeline/v1/cj/gas/A-{i}/W-{i}/telemetry",
         json.dumps({"ts": AT // 10**6, "values": {f"ch{j}": 0.2 + 0.01 * j for j in range(channels)}}).encode())
        for i in range(devices)
    ]  # fmt: skip


def senml(devices: int, channels: int, labels: tuple[object, ...], dump: Callable[[object], bytes]) -> Messages:
    """The same as SenML. labels: of base name, base time, name, value."""
    bn, bt, n, v = labels
    return [
        (f"lifeline/v1/cj/gas/A-{i}/W-{i}/telemetry",
         dump([{bn: f"W-{i}/", bt: AT // NS}, *({n: f"ch{j}", v: 0.2 + 0.01 * j} for j in range(channels))]))
        for i in range(devices)
    ]  # fmt: skip


def waves(bridges: int, k: int = 100) -> Messages:
    """One second of each bridge channel at k samples a second."""
    value = np.sin(np.arange(k))
    return [
        (f"lifeline/v1/cj/bridge/B-{i}/B-{i}/waveform", waveform.encode(Waveform(f"B-{i}/a", AT - NS, NS // k, value, "")))
        for i in range(bridges)
    ]


def least(work: Callable[[], object], times: int = 5) -> float:
    """The least time of a few runs: others use the machine too. [s]"""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return min(took)


def alone() -> dict[str, float]:
    """The codecs by themselves. [µs] a message"""
    text = {n: flat(1, n)[0][1] for n in (1, 50)}
    pack = senml(1, 50, ("bn", "bt", "n", "v"), lambda x: json.dumps(x).encode())[0][1]
    small = senml(1, 50, (-2, -3, 0, 2), cbor2.dumps)[0][1]
    wave = waves(1)[0][1]
    calls: dict[str, Callable[[], object]] = {
        "flat_1_us": lambda: flat_json.decode(text[1], "W-0", AT),
        "flat_50_us": lambda: flat_json.decode(text[50], "W-0", AT),
        "senml_json_50_us": lambda: senml_json.decode(pack, "W-0", AT),
        "senml_cbor_50_us": lambda: senml_cbor.decode(small, "W-0", AT),
        "waveform_100_us": lambda: waveform.decode(wave, "B-0", AT),
    }
    return {name: least(lambda call=call: [call() for _ in range(2000)]) / 2000 * 1e6 for name, call in calls.items()}  # type: ignore[misc]


def run() -> dict[str, float]:
    """Codecs alone, then decode() to columns in SI by flushes of a tenth of a second, then the quality gate."""
    known = city(200, 600)
    out = alone()
    for name, messages, readings in (
        ("decode_flat_1", flat(200, 1), 1),
        ("decode_flat_50", flat(200, 50), 50),
        ("decode_senml_json_50", senml(200, 50, ("bn", "bt", "n", "v"), lambda x: json.dumps(x).encode()), 50),
        ("decode_waveform_100", waves(600), 100),
    ):
        assert not decode(messages, AT, known, TERMS).refused
        took = least(lambda messages=messages: decode(messages, AT, known, TERMS)) / len(messages)  # type: ignore[misc]
        out |= {f"{name}_us": took * 1e6, f"{name}_readings_per_s": readings / took}
    flush = waves(600) + flat(84, 1)  # a tenth of a second of 6,000 waveforms and 840 small messages a second
    out["city_cores"] = 10 * least(lambda: decode(flush, AT, known, TERMS))
    block = decode(flush, AT, known, TERMS).blocks[0]
    judge = gate(known, settings())
    t = block.t[:, None] + block.step * np.arange(block.value.shape[1])
    state = judge.init(len(block.row))
    out["gate_readings_per_s"] = block.value.size / least(lambda: judge.step(state, block.row, t, block.value))
    return {name: round(value, 3) for name, value in out.items()}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
