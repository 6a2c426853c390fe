"""A small city as the mirror writes it: a month of slow readings, a day of the others, one asset that fell silent."""

import math
from collections.abc import Iterator
from typing import Final

from boards.asset import EVENTS, SERIES, WAVES
from boards.telling import BUCKETS
from lifeline.model import Domain, Level
from lifeline.units import QUANTITIES, UNITS

NOW: Final = 1_796_000_400_000  # [ms] 2026-11-30 01:00 UTC
S: Final = 1000  # [ms]
MINUTE, HOUR, DAY = 60 * S, 3600 * S, 86_400 * S
ASSETS: Final = {  # asset -> domain, district, rank
    "well-1": (Domain.GAS, "凤麓街道", 4), "well-2": (Domain.GAS, "龙街", 0), "well/3 (old)": (Domain.GAS, "龙街", 2),
    "main-1": (Domain.WATER, "凤麓街道", 0), "main-2": (Domain.WATER, "龙街", 1),
    "bridge-1": (Domain.BRIDGE, "龙街", 3), "lift-1": (Domain.ELEVATOR, "凤麓街道", 1), "plant-1": (Domain.OTHER, "龙街", 0),
    "well-9": (Domain.GAS, "龙街", 0), "main-9": (Domain.WATER, "龙街", 0), "bridge-9": (Domain.BRIDGE, "龙街", 0),
    "lift-9": (Domain.ELEVATOR, "龙街", 0),
}  # fmt: skip
SILENT: Final = frozenset(
    {"well-9", "main-9", "bridge-9", "lift-9"}
)  # not written for twenty minutes, and nothing else of them
HEARD: Final = {a: v for a, v in ASSETS.items() if a not in SILENT}
SLOW: Final = ("water_flow", "water_pressure")
NIGHT: Final = 0.001  # [m³/s] flow of main-1 in the quietest hour


SPECTRUM: Final = {"00.209": 1e-6, "01.024": 1e-4, "09.732": 1e-7}  # [Hz] -> [(m/s²)²/Hz]
MODES: Final = (1.02, 2.4)  # [Hz]
DESKS: Final = ("desk-1:8087", "desk-2:8087")  # on one database: each delivers half


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(" ", "\\ ").replace(",", "\\,").replace("=", "\\=")


def tags(asset: str, **more: str) -> str:
    domain, district, _ = ASSETS[asset]
    named = {"city": "chengjiang", "district": district, "domain": str(domain), "asset": asset} | more
    return ",".join(f"{k}={escaped(v)}" for k, v in named.items())


def lines() -> str:
    return "\n".join([*standing(), *readings(), *waves(), *vibration(), *levels(), *warnings(), *metrics()]) + "\n"


def standing() -> Iterator[str]:
    """Each asset each minute of half an hour."""
    for asset, (_, _, rank) in ASSETS.items():
        last = NOW - 20 * MINUTE if asset in SILENT else NOW
        for t in range(NOW - 30 * MINUTE, last + 1, MINUTE):
            yield (
                f'asset,{tags(asset)} lat=24.6{rank},lon=102.9{rank},level="{Level(rank).name}",rank={rank}i,'
                f"open={int(rank > 0)}i {t}000000"
            )


def value(quantity: str, t: int) -> float:
    """Something that trembles, in the unit that people read, as SI. t [ms]"""
    if quantity == "water_flow":  # least in the fourth hour of Shanghai's day
        return NIGHT * (1 + (t // HOUR + 8 - 3) % 24)
    wobble = 1 + 0.3 * math.sin(t / HOUR)
    usual = {"water_pressure": 30.0, "temperature": 15.0, "ph": 7.2, "chlorine": 0.4, "methane": 1.0, "frequency": 1.5}
    return UNITS[QUANTITIES[quantity].shown].to_si(usual.get(quantity, 5.0) * wobble)


def reading(asset: str, quantity: str, t: int, x: float, quality: int = 0) -> str:
    key = f"{asset}-d/{quantity}"
    return f"{quantity},{tags(asset, device=f'{asset}-d', key=key)} value={x!r},quality={quality}i {t}000000"


def readings() -> Iterator[str]:
    """Ten-minute readings of a day, and hourly ones of a month where a board looks back so far."""
    for asset, (domain, _, _) in HEARD.items():
        if domain is Domain.OTHER:
            yield from (reading(asset, "humidity", t, value("humidity", t)) for t in range(NOW - DAY, NOW + 1, 10 * MINUTE))
            continue
        for q in (*SERIES[domain], "battery"):
            yield from (reading(asset, q, t, value(q, t)) for t in range(NOW - DAY, NOW, 10 * MINUTE))
            yield reading(asset, q, NOW - 1000, 1e6, quality=2)  # out of range: must be drawn nowhere
        for q in EVENTS[domain]:
            yield from (reading(asset, q, t, float(t // (10 * MINUTE) % 2)) for t in range(NOW - DAY, NOW, 10 * MINUTE))
        for q in set(SLOW) & set(SERIES[domain]):
            yield from (reading(asset, q, t, value(q, t)) for t in range(NOW - 31 * DAY, NOW - DAY, HOUR))


def waves() -> Iterator[str]:
    """A row a minute of an hour."""
    for asset, (domain, _, _) in HEARD.items():
        for q in WAVES.get(domain, ()):
            for t in range(NOW - HOUR, NOW, MINUTE):
                at = tags(asset, device=f"{asset}-a", key=f"{asset}-a/{q}")
                yield f"{q},{at} min=-0.4,max=0.5,mean=0.0,rms=0.25,crest=2.0 {t}000000"


def levels() -> Iterator[str]:
    for asset, (_, _, rank) in HEARD.items():
        for t, r in ((NOW - 3 * HOUR, 0), (NOW - 2 * HOUR, max(rank, 1)), (NOW - HOUR, rank)):
            yield f'level,{tags(asset, hazard="trouble")} level="{Level(r).name}",rank={r}i {t}000000'


def warnings() -> Iterator[str]:
    """Each raised two hours ago, and answered two minutes later."""
    for asset, (_, _, rank) in HEARD.items():
        at = tags(asset, hazard="trouble", level=Level(max(rank, 1)).name)
        said = 'title_zh="【红色】井",title_en="[RED] well",url="http://desk/case/1"'
        said += "".join(f',note_{k}="<a href=\\"http://desk/case/1\\">[RED] well</a>"' for k in ("zh", "en"))
        yield f'warning,{at} id="a1",rank={rank}i,state="open",{said} {NOW - 2 * HOUR}000000'
        yield f'warning,{at} id="a1",rank={rank}i,state="taken",answer=120.0,{said} {NOW - 2 * HOUR + 2 * MINUTE}000000'


GAUGES: Final = {
    "receive": {"lifeline_receive_connected": 1.0, "lifeline_receive_journal_bytes": 5e6},
    "watch": {"lifeline_watch_lag_seconds": 0.4, "lifeline_watch_unsent_changes": 0.0},
    "mirror": {"lifeline_mirror_lag_seconds": 0.2, "lifeline_mirror_dead_letters_total": 0.0, "lifeline_mirror_offset": 7.0},
    "desk": {
        "lifeline_desk_outbox_waiting": 0.0, "lifeline_desk_outbox_oldest_seconds": 0.0,
        "lifeline_desk_dangers_unseen_seconds": 0.0, "lifeline_desk_heartbeat_age_seconds,source=watch": 2.0,
        "lifeline_desk_suppressed,reason=silence": 0.0, "lifeline_desk_warnings,domain=gas,level=RED,state=open": 1.0,
        "lifeline_desk_warnings,domain=water,level=RED,state=open": 1.0, "lifeline_canary_age_seconds": 30.0,
        "lifeline_desk_notifications_given_up_total,integration=sms": 1.0,
        "lifeline_desk_warnings,domain=gas,level=BLUE,state=taken": 3.0,
    },
}  # fmt: skip
GROWING: Final = {  # by the second
    "receive": {
        "lifeline_receive_messages_total": 10.0, "lifeline_receive_bytes_total": 2000.0, "lifeline_receive_journal_head": 10.0,
        "lifeline_receive_journal_refused_total": 0.0, "lifeline_receive_commit_seconds_sum": 0.02,
        "lifeline_receive_commit_seconds_count": 5.0,
    },
    "watch": {
        "lifeline_watch_offset": 9.9, "lifeline_watch_readings_total": 30.0, "lifeline_watch_refused_total,reason=unknown": 0.1,
        "lifeline_watch_messages_total,fate=stored": 9.8,
        "lifeline_watch_late_total": 0.1, "lifeline_watch_step_seconds_sum": 0.05, "lifeline_watch_step_seconds_count": 10.0,
        "lifeline_watch_changes_total,level=RED": 0.01,
    },
    "mirror": {"lifeline_mirror_lines_total": 50.0},
    "desk": {
        "lifeline_desk_notifications_total,integration=sms": 0.1, "lifeline_desk_changes_total,fate=accepted": 0.1,
        "lifeline_desk_notifications_failed_total,integration=sms,reason=rateLimited": 0.01,
    },
}  # fmt: skip
DELIVERED: Final = {"1.0": 0.3, "2.5": 0.1, "300.0": 0.1}  # [1/s] upper end of a bucket -> deliveries in it


def vibration() -> Iterator[str]:
    """A spectrum each ten minutes of an hour, of two sensors, with a peak at a hertz; the modes it is of."""
    for t in range(NOW - HOUR, NOW, 10 * MINUTE):
        for key, gain in (("bridge-1-a/1", 1.0), ("bridge-1-a/2", 3.0)):
            at = tags("bridge-1", device="bridge-1-a", key=key)
            yield from (f"spectrum,{at},frequency={f} value={gain * x!r} {t}000000" for f, x in SPECTRUM.items())
        yield from naturals(t)


def naturals(t: int) -> Iterator[str]:
    for mode, hertz in enumerate(MODES, 1):
        yield f"natural_frequency,{tags('bridge-1', mode=str(mode))} value={hertz!r} {t}000000"


def hourly() -> Iterator[str]:
    """What the database of hourly means holds of a quarter of a year."""
    for t in range(NOW // HOUR * HOUR - 80 * DAY, NOW, HOUR):
        for asset in ("main-1", "main-2"):
            at, x = tags(asset, device=f"{asset}-d", key=f"{asset}-d/water_flow"), value("water_flow", t)
            yield f"water_flow,{at} mean={x!r},min={x!r},max={x!r},count=60i {t}000000"
        at, x = tags("bridge-1", device="bridge-1-d", key="bridge-1-d/temperature"), value("temperature", t)
        yield f"temperature,{at} mean={x!r},min={x!r},max={x!r},count=60i {t}000000"
        yield from naturals(t)


def metrics() -> Iterator[str]:
    """What the processes' own /metrics say, every ten seconds of an hour."""
    for t in range(NOW - HOUR, NOW + 1, 10 * S):
        seconds = (t - NOW + HOUR) / S
        for process, named in GAUGES.items():
            yield from (metric(n, process, v, t, i) for i in instances(process) for n, v in named.items())
        for process, named in GROWING.items():
            among = instances(process)
            yield from (metric(n, process, 1000 + v * seconds / len(among), t, i) for i in among for n, v in named.items())
        below = 0.0
        for le in BUCKETS:
            below += DELIVERED.get(le, 0.0)
            for desk in DESKS:
                yield metric(f"lifeline_desk_notification_latency_seconds_bucket,le={le}", "desk", below * seconds / 2, t, desk)


def instances(process: str) -> tuple[str, ...]:
    return DESKS if process == "desk" else (f"{process}:80",)


def metric(name: str, process: str, x: float, t: int, instance: str) -> str:
    return f"{name},process={process},instance={instance} value={x!r} {t}000000"
