"""What a report says, in Chinese and English."""

from typing import Final, Literal

from alerts.bulletins.span import Every
from alerts.stages import NAMES as STAGES
from alerts.stages import VERDICTS
from alerts.texts import DOMAINS, LEVELS, STATES, hazard

Language = Literal["zh", "en"]
Pair = tuple[str, str]  # Chinese, English

TITLES: Final[dict[Every, Pair]] = {
    Every.DAILY: ("城市生命线监测预警日报", "City lifeline: report of the day"),
    Every.MONTHLY: ("城市生命线监测预警月报", "City lifeline: report of the month"),
}
HEADS: Final[dict[str, Pair]] = {
    "hazards": ("险情预警", "warnings of hazards"),
    "RED": ("红色", "RED"),
    "ORANGE": ("橙色", "ORANGE"),
    "YELLOW": ("黄色", "YELLOW"),
    "BLUE": ("蓝色", "BLUE"),
    "tickets": ("设备工单", "tickets"),
    "asked": ("要求确认次数", "answers asked for"),
    "unanswered": ("其中未获确认", "of them without an answer"),
    "median_RED": ("红色确认用时中位数", "median time to answer RED"),
    "median_ORANGE": ("橙色确认用时中位数", "median time to answer ORANGE"),
    "late": ("逾期环节", "overdue steps"),
    "missed": ("漏办催办", "reminders missed"),
    "false": ("误报（经研判）", "false alarms, by verdict"),
    "false_rate": ("日均误报", "false alarms a day"),
    "silent": ("失联测点", "silent series"),
    "undelivered": ("未能送达的消息", "messages given up"),
    "opened": ("新登记隐患", "hidden dangers opened"),
    "struck": ("销号隐患", "hidden dangers struck off"),
    "exercises": ("演练", "exercises"),
}
SECTIONS: Final[dict[str, Pair]] = {
    "heads": ("概览（与上期比较）", "At a glance, beside the period before"),
    "times": ("预警随时间分布", "Warnings over time"),
    "gravest": ("预警清单", "The warnings"),
    "domains": ("按领域", "By domain"),
    "districts": ("按区域", "By district"),
    "hazards": ("按险情类型", "By hazard"),
    "answers": ("确认用时", "Time to an answer"),
    "answer_classes": ("确认用时分布", "Time to an answer: distribution"),
    "asked": ("确认情况", "What became of what was asked"),
    "closings": ("闭环用时", "Time to the end"),
    "closing_classes": ("闭环用时分布", "Time to the end: distribution"),
    "stages": ("六个环节的逾期", "Steps overdue"),
    "chase": ("催办与升级", "Reminders and escalation"),
    "verdicts": ("研判结论与误报", "Verdicts and false alarms"),
    "called": ("被通知人员的应答", "Who was called, and who answered"),
    "silent": ("失联测点", "Silent series"),
    "passive": ("只观察不发布的规则", "Rules that only watch"),
    "dangers": ("隐患台账", "Hidden dangers"),
    "channels": ("各渠道消息", "Messages by channel"),
    "exercises": ("演练（不计入以上各项）", "Exercises, counted nowhere above"),
}
COLUMNS: Final[dict[str, Pair]] = {
    "what": ("指标", "figure"), "now": ("本期", "now"), "before": ("上期", "before"), "change": ("变化", "change"),
    "domain": ("领域", "domain"), "district": ("区域", "district"), "hazard": ("险情", "hazard"), "level": ("等级", "level"),
    "n": ("数量", "number"),
    "sum": ("合计", "all"), "median": ("中位数", "median"), "p90": ("九成不超过", "nine of ten within"),
    "longest": ("最长", "longest"), "fate": ("结果", "outcome"), "stage": ("环节", "step"), "due": ("应办", "due"),
    "late": ("逾期", "late"), "open": ("仍未办", "still open"), "told": ("通知", "told"), "warnings": ("涉及预警", "warnings"),
    "missed": ("漏办（迟于 10 s）", "missed (more than 10 s late)"),
    "verdict": ("结论", "verdict"), "person": ("人员", "person"),
    "answered": ("本人确认", "answered"), "others": ("他人确认", "others answered"), "nobody": ("无人确认", "nobody answered"),
    "unreached": ("未送达", "not reached"), "key": ("测点", "series"), "asset": ("设施", "asset"), "since": ("始于", "since"),
    "ns": ("本期失联时长", "silent in the period"), "still": ("期末仍失联", "still silent"), "rule": ("规则", "rule"),
    "assets": ("设施数", "assets"), "opened": ("新登记", "opened"), "struck": ("销号", "struck off"),
    "lapsed": ("期内逾期", "became overdue"), "overdue": ("期末逾期或督办", "overdue or supervised at the end"),
    "channel": ("渠道", "channel"), "sent": ("已发出", "sent"), "dropped": ("放弃", "given up"),
    "superseded": ("被更新内容取代", "superseded"), "waiting": ("待发", "waiting"), "delivered": ("确认送达", "arrived"),
    "again": ("重试", "tried again"), "id": ("编号", "id"), "raised": ("发布时间", "raised"), "state": ("状态", "state"),
    "answer": ("首次确认用时", "first answer after"), "time": ("时间", "time"), "class": ("用时", "time"),
}  # fmt: skip
OPEN_AT_END: Final[Pair] = ("期末未销号", "open at the end")
FATES: Final[dict[str, Pair]] = {
    "answered": ("已确认", "answered"), "over": ("未确认即结束", "over before an answer"), "waiting": ("等待确认", "waiting"),
}  # fmt: skip
TICKETS: Final[Pair] = ("工单", "TICKET")
UNJUDGED: Final[Pair] = ("尚未研判", "not judged yet")
NONE: Final[Pair] = ("无", "none")
YES: Final[Pair] = ("是", "yes")
NOTHING: Final[Pair] = ("本期没有的内容：{names}。", "Nothing in this period under: {names}.")
QUIET: Final[Pair] = (
    "本期没有发布险情预警。系统运行情况见“失联测点”和“各渠道消息”。",
    "No hazard was warned of in this period. How the monitoring itself fared stands under silent series and messages.",
)
MADE: Final[Pair] = ("生成于 {made}；期间 {begin} 至 {end}", "Made {made}; from {begin} to {end}")
UNFINISHED: Final[Pair] = ("本期尚未结束，数字截至生成时刻。", "The period is not over: figures are as of when this was made.")
PROMISE: Final[Pair] = (
    "经研判的误报 {false} 起，日均 {rate:.2f}；限值按日均 {promise:g} 起整定。尚有 {open} 起未研判。",
    "{false} false alarms by verdict, {rate:.2f} a day; the limits are set for {promise:g} a day. {open} are not judged yet.",
)
NO_PROMISE: Final[Pair] = (
    "经研判的误报 {false} 起，日均 {rate:.2f}；限值的整定目标未配置（[reports] false_alarms）。尚有 {open} 起未研判。",
    "{false} false alarms by verdict, {rate:.2f} a day; what the limits are set for is not told. {open} are not judged yet.",
)
NOTES: Final[tuple[Pair, ...]] = (
    (
        "预警按系统发布的时刻归入当日，自城市时区的零时至零时；等级为其最高等级。",
        "A warning counts, at its gravest, on the day it was raised, from midnight to midnight in the city's time zone.",
    ),
    (
        "确认、结论等以生成时所知为准；误报指研判为传感器故障或人为作业者。",
        "Answers and verdicts are as known when this was made; false alarms: judged a fault of the sensor or an operation.",
    ),
    (
        "确认用时自每次要求确认时起算；中位数与九成值取实际发生过的值。",
        "Time to an answer runs from each rise that asks for one; medians and nine tenths are values that occurred.",
    ),
)


def say(pair: Pair, language: Language) -> str:
    """In one of the two."""
    return pair[0] if language == "zh" else pair[1]


def word(column: str, value: object, language: Language) -> str:
    """A value of a figure as people read it."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    tables: dict[str, dict[str, Pair]] = {
        "level": {**LEVELS, "TICKET": TICKETS}, "domain": DOMAINS, "fate": FATES, "state": STATES,
        "stage": {k.value: v for k, v in STAGES.items()},
        "verdict": {"": UNJUDGED, **{k.value: v for k, v in VERDICTS.items()}},
    }  # fmt: skip
    if column == "hazard":
        return say(hazard(value), language)
    return say(tables.get(column, {}).get(value, (value, value)), language)


def lasting(ns: float, language: Language) -> str:
    """How long, in two units at most. [ns]"""
    s = round(ns / 1e9)
    units = ((86_400, "天", "d"), (3600, "小时", "h"), (60, "分", "min"), (1, "秒", "s"))
    parts: list[str] = []
    for size, zh, en in units:
        count, s = divmod(s, size)
        if count or (parts and len(parts) == 1):
            parts.append(f"{count} {zh if language == 'zh' else en}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(p for p in parts if p) or ("0 秒" if language == "zh" else "0 s")


def classed(i: int, ends: tuple[int, ...], language: Language) -> str:
    """A class of times by its place. ends [min]"""
    if i == len(ends):
        return f"> {_minutes(ends[-1], language)}"
    return f"≤ {_minutes(ends[i], language)}"


def _minutes(minutes: int, language: Language) -> str:
    return lasting(minutes * 60e9, language)
