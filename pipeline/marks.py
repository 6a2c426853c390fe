"""The four levels as everybody can tell them apart: a colour, a shape and a letter each. For plots and pages."""

from html import escape
from typing import Final

from lifeline.model import Level

SHAPES: Final = {"BLUE": "●", "YELLOW": "▲", "ORANGE": "◆", "RED": "■", "NORMAL": "–"}
ZH: Final = {"BLUE": "蓝", "YELLOW": "黄", "ORANGE": "橙", "RED": "红", "NORMAL": "无"}


def badge(level: str) -> str:
    """A level in a table: shape and name on its colour."""
    return f'<span class="lv {escape(level)}">{SHAPES[level]} {escape(level)}</span>'


def legend() -> str:
    return " ".join(f'<span class="lv {x.name}">{SHAPES[x.name]} {ZH[x.name]} {x.name}</span>' for x in list(Level)[1:])
