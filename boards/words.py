"""What boards say, in Chinese or English; and the colours of the levels."""

from enum import StrEnum
from typing import Final

from lifeline.model import Domain, Level

Pair = tuple[str, str]  # Chinese, English


class Language(StrEnum):
    """In which language a set of boards speaks."""

    ZH = "zh"
    EN = "en"

    def __call__(self, zh: str, en: str) -> str:
        return zh if self is Language.ZH else en

    def of(self, pair: Pair) -> str:
        return self(*pair)


UNKNOWN: Final = "UNKNOWN"
SILENT: Final = -1  # rank of what is not heard
COLOURS: Final = {  # those of the desk's pictures; never green for what is not heard
    "BLUE": "#3b7dd8",
    "YELLOW": "#e8b800",
    "ORANGE": "#ef7d1a",
    "RED": "#d62828",
    "NORMAL": "#4f9d69",
    UNKNOWN: "#8f3bb8",
}
PLAIN: Final = "transparent"
NAMES: Final[dict[str, Pair]] = {
    "RED": ("红 RED", "RED"),
    "ORANGE": ("橙 ORANGE", "ORANGE"),
    "YELLOW": ("黄 YELLOW", "YELLOW"),
    "BLUE": ("蓝 BLUE", "BLUE"),
    "NORMAL": ("正常 NORMAL", "NORMAL"),
    UNKNOWN: ("未知 UNKNOWN", "UNKNOWN"),
}
RANKS: Final = {SILENT: UNKNOWN, **{level.value: level.name for level in Level}}
GRAVE: Final = ("RED", "ORANGE", "YELLOW", "BLUE")  # from the worst down
DOMAINS: Final[dict[Domain, Pair]] = {
    Domain.GAS: ("燃气", "Gas"),
    Domain.WATER: ("供水", "Water"),
    Domain.BRIDGE: ("桥梁", "Bridges"),
    Domain.ELEVATOR: ("电梯", "Lifts"),
    Domain.OTHER: ("其他", "Other"),
}
ABSENT: Final[Pair] = ("未知（无数据）", "UNKNOWN (no data)")
FOLDERS: Final[dict[Language, str]] = {Language.ZH: "城市生命线", Language.EN: "City lifeline"}


def folder_uid(language: Language) -> str:
    return f"lifeline-{language}"


def uid(board: str, language: Language) -> str:
    """The fixed UID of a board: links and bookmarks rest on it."""
    return f"lifeline-{board}-{language}"
