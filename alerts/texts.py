"""What people read, in Chinese and English: level and hazard first, then what was measured, since when, on what grounds."""

from datetime import UTC, datetime, tzinfo
from typing import Final

from alerts import notice, theirs
from alerts.blast import VOLUME, blast
from alerts.joins import Join
from alerts.judge import Why
from alerts.lifecycle import State
from alerts.notice import EXERCISE, Grounds, Story, Texts, What
from alerts.states import said
from lifeline.model import NS, Kind, Level
from lifeline.units import QUANTITIES, UNITS

Pair = tuple[str, str]  # Chinese, English

PLACES: Final = 5  # causes named in a notice
EXPLODES: Final = ("gas_accumulation", "biogas")  # hazards in a closed space

LEVELS: Final[dict[str, Pair]] = {
    "RED": ("红色", "RED"),
    "ORANGE": ("橙色", "ORANGE"),
    "YELLOW": ("黄色", "YELLOW"),
    "BLUE": ("蓝色", "BLUE"),
    "NORMAL": ("正常", "NORMAL"),
}
DOMAINS: Final[dict[str, Pair]] = {
    "gas": ("燃气", "gas"), "water": ("供水", "water"), "bridge": ("桥梁", "bridges"), "elevator": ("电梯", "lifts"),
    "other": ("其他", "other"), "pipeline": ("监测系统", "monitoring"),
}  # fmt: skip
STATES: Final[dict[str, Pair]] = {
    State.QUIET: ("已关闭", "closed"),
    State.OPEN: ("待确认", "asks for an answer"),
    State.URGENT: ("紧急待确认", "urgent, asks for an answer"),
    State.TAKEN: ("已确认", "answered"),
    State.HELD: ("处置中", "in hand"),
    State.GONE: ("已恢复，待确认", "over, asks for an answer"),
    State.OVER: ("已恢复，待关闭", "over, to be closed"),
}

HAZARDS: Final[dict[str, Pair]] = {
    "biogas": ("沼气积聚", "accumulation of biogas"),
    "anomaly": ("监测数据异常", "readings out of the usual"),
    "brake_drag": ("电梯制动器未打开", "brake of a lift that does not open"),
    "brake_wear": ("电梯制动能力下降", "brake of a lift that stops late"),
    "bridge_bearing": ("桥梁支座脱空", "unloaded bearing of the bridge"),
    "bridge_cable": ("索力异常", "force of a cable out of bounds"),
    "bridge_change": ("桥梁结构状态变化", "change of the bridge's behaviour"),
    "bridge_deflection": ("桥梁持续下挠", "deflection of the bridge that stays"),
    "bridge_impact": ("桥墩撞击", "impact on the bridge"),
    "bridge_joint": ("桥梁支座或伸缩缝卡阻", "blocked joint or bearing of the bridge"),
    "bridge_overload": ("桥梁超载", "overload of the bridge"),
    "bridge_overturning": ("桥梁偏载，有倾覆危险", "load so far to one side that the bridge may turn over"),
    "bridge_stiffness": ("桥梁刚度下降", "loss of the bridge's stiffness"),
    "bridge_tilt": ("桥梁倾斜", "tilt of the bridge"),
    "bridge_vibration": ("桥梁异常振动", "excessive vibration of the bridge"),
    "bridge_wind": ("桥面大风", "high wind on the bridge"),
    "button_stuck": ("层站按钮卡滞", "landing button that stays pressed"),
    "chlorine_probe": (
        "余氯探头疑似失效，请人工取样核实",
        "chlorine probe that reads nothing, alone: take a sample",
    ),
    "citizen_report": ("市民举报，待研判", "citizens' reports that nobody has assessed"),
    "clock": ("采集站时钟不一致", "station whose clock is off"),
    "door_fault": ("电梯门系统故障", "fault of a lift's door"),
    "door_open_moving": ("电梯开门走车", "lift moving with its door open"),
    "flapping": ("预警反复升降，请检修测点", "warning that comes and goes"),
    "door_standing": ("电梯门长时间敞开", "lift whose door stands open"),
    "drift": ("传感器零点漂移", "sensor that drifts away from its peers"),
    "duty_gap": ("值班空缺", "gap in a duty roster"),
    "entrapment": ("电梯困人", "people trapped in a lift"),
    "gain": ("传感器量程或灵敏度突变", "sensor whose scale has changed"),
    "gas_accumulation": ("可燃气体聚集", "accumulation of gas"),
    "gas_imbalance": ("燃气供销差异常", "gas flows that do not balance"),
    "gas_overpressure": ("燃气超压", "gas overpressure"),
    "gas_pressure_loss": ("燃气压力骤降", "sudden loss of gas pressure"),
    "gas_underpressure": ("燃气欠压", "gas underpressure"),
    "levelling": ("电梯平层误差", "lift stopping off its landing"),
    "mirror_failing": ("看板数据镜像异常", "boards are not up to date"),
    "multipath": ("卫星定位多路径跳变", "satellite receiver that leaps to and fro"),
    "noise": ("传感器噪声增大", "sensor that has grown noisy"),
    "open_air_release": ("露天甲烷泄放", "release of gas in the open"),
    "overrun": ("电梯冲顶或蹲底", "lift beyond its last landing"),
    "overspeed": ("电梯超速", "lift overspeed"),
    "overtravel": ("电梯停层越程", "lift that stops past its landing"),
    "phantom_passenger": ("轿厢乘客误判", "passenger in a lift who is none"),
    "pipeline_canary": ("监测链路不通：自检读数未到达推送", "readings do not get from the broker to a push"),
    "pipeline_failing": ("监测系统运行异常", "the monitoring itself is failing"),
    "pipeline_silent": ("监测系统中断", "the monitoring itself is silent"),
    "power_loss": ("电梯断电", "lift without power"),
    "reversal": ("电梯非预期反向运行", "lift turning round under way"),
    "ride_quality": ("电梯运行振动异常", "rough ride of a lift"),
    "rope_slip": ("曳引绳打滑", "ropes of a lift slipping on their sheave"),
    "safety_circuit": ("电梯安全回路断开", "open safety circuit of a lift"),
    "sensor_apart": ("传感器与周边测点不一致", "sensor that no longer agrees with those about it"),
    "sensor_drift": ("传感器零点漂移", "zero of a sensor that drifts"),
    "sensor_fault": ("传感器经研判有故障，请检修或更换", "sensor that was judged faulty: mend or exchange it"),
    "silence": ("传感器无数据", "silent sensor"),
    "speed_abnormal": ("电梯运行速度异常", "lift slower than it should be"),
    "spike": ("传感器数据跳变", "spikes of a sensor"),
    "stop_outside_zone": ("电梯停于门区之外", "lift stopped outside a door zone"),
    "stuck": ("传感器数据卡滞", "stuck sensor"),
    "swap": ("两个传感器疑似接线互换", "two sensors that seem to be exchanged"),
    "water_burst": ("供水管网爆管", "burst water main"),
    "water_leak": ("供水管网漏损", "water leak"),
    "water_low_pressure": ("供水压力不足", "low water pressure"),
    "water_overflow": ("水池溢流", "overflow of a water tank"),
    "water_overpressure": ("供水超压", "water overpressure"),
    "water_loss": ("漏损未消除", "water that is still lost"),
    "water_transient": ("供水水锤", "pressure surge in a water main"),
    "water_quality": ("供水水质异常", "water quality out of bounds"),
}

OURS: Final[dict[str, Pair]] = {  # what the desk itself measures
    "duty": ("值班", "duty"),
    "exercise": ("演练", "exercise"),
    "heartbeat": ("心跳", "heartbeat"),
    "readiness": ("运行状态", "readiness"),
    "report": ("市民举报", "citizens' reports"),
    "verdict": ("研判", "verdict"),
    "round_trip": ("端到端自检", "end-to-end check"),
}

REASONS: Final[dict[str, Pair]] = {
    Why.QUIET: ("各测点均已恢复正常", "every series is back to normal"),
    Why.TICKET: ("设备状态异常，请权属单位检修", "the device is in doubt; its owner is asked to look"),
    Why.LONE: ("单一测点", "one sensor"),
    Why.CAPPED: ("单一测点，等级受限，待其他测点佐证", "one sensor, held down until a second confirms"),
    Why.HARD: ("单一测点，超过硬性限值", "one sensor, over a limit that needs no second"),
    Why.SEVERAL: ("{n} 个独立测点", "{n} independent sensors or quantities"),
    Why.AGREED: ("{n} 个独立测点相互印证，提升一级", "{n} independent sensors or quantities agree: one level up"),
}

STANDS: Final[Pair] = ("【仍未解除】", "[still stands]")  # before a title that is told once more

WHAT: Final[dict[What, Pair]] = {
    What.RAISED: ("发布", "raised"),
    What.WORSE: ("升级", "worse"),
    What.EASED: ("降级", "eased"),
    What.RESOLVED: ("解除", "resolved"),
    What.OVERDUE: ("催办", "not answered"),
}


def write(story: Story, zone: tzinfo) -> Texts:
    """Title and body in both languages; times in `zone`."""
    zh, en = _title(story)
    measured = _measured(story.grounds[0]) if story.grounds else ("", "")
    since, reason = _since(story, zone), _reason(story)
    causes, reach, asked, origin = _causes(story), _reach(story), _asked(story), _origin(story)
    said = theirs.lines(story)
    place = (f"{story.city}{story.district}，{story.owner}", f"{story.district}, {story.city}; owner: {story.owner}")
    zh_lines = [
        zh,
        asked[0],
        measured[0],
        since[0],
        f"依据：{reason[0]}",
        f"位置：{place[0]}（{story.lat:.5f}，{story.lon:.5f}）",
        origin[0],
        causes[0],
        reach[0],
        *said[0],
        story.belongs.zh if story.belongs else "",
        f"编号：{story.warning}",
    ]
    en_lines = [
        en,
        asked[1],
        measured[1],
        since[1],
        f"Grounds: {reason[1]}",
        f"Place: {place[1]} ({story.lat:.5f}, {story.lon:.5f})",
        origin[1],
        causes[1],
        reach[1],
        *said[1],
        story.belongs.en if story.belongs else "",
        f"Id: {story.warning}",
    ]
    return Texts(zh_title=zh, zh=_lines(zh_lines), en_title=en, en=_lines(en_lines))


def undelivered(texts: Texts, channel: str, words: str) -> Texts:
    """The same news, told by another channel because the first gave up."""
    zh, en = f"【渠道 {channel} 未能送达】{texts.zh_title}", f"[{channel} could not deliver] {texts.en_title}"
    return Texts(zh_title=zh, zh=f"{zh}\n{texts.zh}\n原因：{words}", en_title=en, en=f"{en}\n{texts.en}\nIt said: {words}")


def again(texts: Texts) -> Texts:
    """The same news, told once more because it still stands."""
    if texts.en_title.startswith(STANDS[1]):
        return texts
    zh, en = f"{STANDS[0]}{texts.zh_title}", f"{STANDS[1]} {texts.en_title}"
    return Texts(zh_title=zh, zh=f"{zh}\n{texts.zh}", en_title=en, en=f"{en}\n{texts.en}")


def hazard(name: str) -> Pair:
    """A hazard's name in both languages; one without a translation keeps its own. Exercises say that they are."""
    if name.startswith(EXERCISE):
        zh, en = hazard(name.removeprefix(EXERCISE))
        return f"演练：{zh}", f"EXERCISE, {en}"
    return HAZARDS.get(name, (name, name.replace("_", " ")))


def _title(story: Story) -> Pair:
    named, act = hazard(story.hazard.removeprefix(EXERCISE)), WHAT[story.what]
    level = LEVELS[story.before if story.what is What.RESOLVED else story.level]
    call, was = _call(story.kind), LEVELS[story.before]
    if story.was not in {"", story.kind}:
        was = (was[0] + _call(story.was)[0], f"{was[1]} {_call(story.was)[1]}")
    moved = story.what in {What.WORSE, What.EASED}
    zh_act, en_act = (f"由{was[0]}{act[0]}", f" ({act[1]}, was {was[1]})") if moved else (act[0], f" {act[1]}")
    mark = ("【演练】", "EXERCISE ") if story.exercise else ("", "")
    return (
        f"{mark[0]}【{level[0]}{call[0]}·{zh_act}】{named[0]}：{story.asset}",
        f"{mark[1]}{level[1]} {call[1]}{en_act}: {named[1]} at {story.asset}",
    )


def _call(kind: str) -> Pair:
    return ("工单", "ticket") if kind == Kind.TICKET else ("预警", "warning")


def _measured(g: Grounds) -> Pair:
    """The last value and the bound it stands against; of several quantities together, their states."""
    quantity = QUANTITIES.get(g.quantity)
    zh, en = (quantity.zh, quantity.en) if quantity else OURS.get(g.quantity, (g.quantity, g.quantity))
    known = [v for v in g.evidence.value if v is not None]
    value = f" {_number(known[-1])} {_unit(g.evidence.unit)}".rstrip() if known else ""
    if g.evidence.note and g.quantity in OURS:
        zh, en, value = f"{zh}：{g.evidence.note}", f"{en}: {g.evidence.note}", ""
    elif g.evidence.note:
        (zh, en), value = said(g.evidence.note), ""
    bound = _bound(g)
    return (f"{zh}{value}{bound[0]}（{g.device}）", f"{en[:1].upper()}{en[1:]}{value}{bound[1]} ({g.device})")


def _bound(g: Grounds) -> Pair:
    """The bound of the series' own level; after the end, of the mildest. Empty where it bounds a score and not the value."""
    if not g.evidence.note and not _comparable(g.evidence.unit, g.evidence.bounds_unit):
        return "", ""
    name = g.level if g.level in g.evidence.bounds else next((n for n in Level.__members__ if n in g.evidence.bounds), None)
    if name is None:
        return "", ""
    bound = f"{_number(g.evidence.bounds[name])} {_unit(g.evidence.bounds_unit)}".rstrip()
    return f"，{LEVELS[name][0]}界限 {bound}", f", {LEVELS[name][1]} bound {bound}"


def _comparable(unit: str, bounds: str) -> bool:
    """Whether a bound can be read beside a value."""
    if unit == bounds:
        return True
    known = unit in UNITS and bounds in UNITS
    return known and bounds != "1" and UNITS[unit].si == UNITS[bounds].si


def _causes(story: Story) -> Pair:
    """Where the cause may lie, likeliest first, as its gravest grounds say it; empty where none says it."""
    places = next((g.evidence.places for g in story.grounds if g.evidence.places), [])[:PLACES]
    if not places:
        return "", ""
    named = [f"{p.name} {100 * p.share:.0f} %" for p in places]
    return f"可能起因：{'、'.join(named)}", f"Likely cause at: {', '.join(named)}"


def _origin(story: Story) -> Pair:
    """Whether gas comes from a main or ferments, where that was asked; never as if it were certain."""
    leak = next((g.evidence.leak for g in story.grounds if g.evidence.leak is not None), None)
    if leak is None or story.ended is not None:
        return "", ""
    part = min(max(round(100 * leak), 1), 99)
    return (
        f"来源研判：管道泄漏可能性 {part} %，沼气 {100 - part} %",
        f"Where it comes from: a main that leaks, {part} %; biogas, {100 - part} %",
    )


def _reach(story: Story) -> Pair:
    """How far the gas could reach if it were lit, where it stands at ORANGE or above."""
    g = story.grounds[0] if story.grounds else None
    if story.hazard not in EXPLODES or story.ended is not None or Level[story.level] < Level.ORANGE:
        return "", ""
    if g is None or g.quantity != "methane" or g.evidence.unit not in UNITS:
        return "", ""
    known = [v for v in g.evidence.value if v is not None]
    if not known:
        return "", ""
    far = blast(UNITS[g.evidence.unit].to_si(known[-1]))
    zh = f"若引爆（按 {VOLUME:g} m³ 空间计）：{far.hurt:.0f} m 内可致人员受伤、建筑受损，{far.glass:.0f} m 内玻璃破碎"
    en = f"people hurt and buildings damaged within {far.hurt:.0f} m, windows broken within {far.glass:.0f} m"
    return zh, f"If it were lit (in a space of {VOLUME:g} m³): {en}"


def belongs(joined: Join) -> notice.Pair:
    """To which other warning one belongs, and why."""
    asset, named, far = joined.asset, hazard(joined.hazard), f"{joined.distance:.0f} m"
    return notice.Pair(
        f"关联：与 {asset} 的{named[0]}预警（{joined.to}）合并研判：{joined.zh}（相距 {far}）",
        f"Belongs to: {named[1]} at {asset} ({joined.to}): {joined.en} ({far} away)",
    )


def _asked(story: Story) -> Pair:
    """How long nobody has answered."""
    if not story.reminder or story.asked is None:
        return "", ""
    minutes = (story.made - story.asked) / NS / 60
    return (
        f"已 {minutes:.0f} 分钟无人确认，第 {story.reminder} 次催办",
        f"Nobody has answered for {minutes:.0f} min; reminder {story.reminder}",
    )


def _since(story: Story, zone: tzinfo) -> Pair:
    onset = local(story.onset, zone)
    if story.ended is None:
        return f"始于 {onset}", f"Since {onset}"
    return f"始于 {onset}，止于 {local(story.ended, zone)}", f"From {onset} to {local(story.ended, zone)}"


def _reason(story: Story) -> Pair:
    zh, en = REASONS[story.why]
    return zh.format(n=story.voices), en.format(n=story.voices)


def local(t: int, zone: tzinfo) -> str:
    """2026-01-02 03:04:05 +08:00. t [ns] UTC"""
    at = datetime.fromtimestamp(t // NS, UTC).astimezone(zone).isoformat(" ", "seconds")
    return f"{at[:19]} {at[19:]}"


def _number(x: float) -> str:
    return f"{x:.4g}" if abs(x) < 10_000 else f"{x:.0f}"


def _unit(unit: str) -> str:
    return "" if unit in {"1", "state", "count", "/"} else unit


def _lines(lines: list[str]) -> str:
    return "\n".join(line for line in lines if line)
