"""The states of an asset as people say them: "door 1, speed 1.5" becomes "car door: open, car speed: 1.5 m/s"."""

from math import isnan
from typing import Final

from lifeline.units import QUANTITIES, WORDS

Pair = tuple[str, str]  # Chinese, English

CHINESE: Final = {
    "closed": "关", "open": "开", "out": "外", "in": "内", "stopped": "停止", "moving": "运行", "auto": "自动",
    "maintenance": "检修", "fire": "消防", "released": "未按下", "pressed": "按下", "dry": "干", "wet": "湿", "off": "断电",
    "on": "通电", "offline": "离线", "online": "在线", "down": "向下", "none": "无", "up": "向上", "free": "未动作",
    "actuated": "动作", "compressed": "压缩",
}  # fmt: skip
CIRCUIT: Final = {"open": "断开", "closed": "闭合"}
BARE: Final = frozenset({"1", "state", "count"})  # units that nobody says


def said(note: str) -> Pair:
    """Of an evidence's note; one that is no list of states is left as it is."""
    found = [_state(part) for part in note.split(", ")]
    known = [pair for pair in found if pair is not None]
    if not known or len(known) < len(found):
        return note, note
    return "，".join(zh for zh, _ in known), ", ".join(en for _, en in known)


def _state(part: str) -> Pair | None:
    name, _, value = part.partition(" ")
    quantity = QUANTITIES.get(name)
    if quantity is None:
        return None
    try:
        zh, en = _worded(name, float(value))
    except ValueError:
        return None
    return f"{quantity.zh}：{zh}", f"{quantity.en}: {en}"


def _worded(name: str, value: float) -> Pair:
    if isnan(value):
        return "未知", "unknown"
    word = next((w for w, code in WORDS.get(name, {}).items() if code == value), None)
    if word is not None:
        return (CIRCUIT if name.endswith("_circuit") else {}).get(word, CHINESE[word]), word
    unit = QUANTITIES[name].si
    number = f"{value:.3g}" if unit in BARE else f"{value:.3g} {unit}"
    return number, number
