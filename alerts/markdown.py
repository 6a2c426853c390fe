"""A notice as Markdown of the plain kind that chat robots show, and texts cut to what a provider takes."""

import re
from typing import Final

from alerts.notice import Notice

URL: Final = re.compile(r"https?://[^\s<>\[\]()（）]+")
PLAIN: Final = str.maketrans({"<": "＜", ">": "＞", "[": "［", "]": "］", "*": "＊", "`": "＇", "#": "＃"})
MARK: Final = {"RED": "🔴", "ORANGE": "🟠", "YELLOW": "🟡", "BLUE": "🔵", "NORMAL": "🟢"}


def said(notice: Notice, *, gap: str = "\n\n") -> str:
    """Chinese, then English; the first line of each is its title. gap: what separates lines there"""
    zh, en = notice.texts.zh.split("\n"), notice.texts.en.split("\n")
    mark = MARK.get(notice.story.level, "")
    lines = [f"### {mark} {_line(zh[0])}", *map(_line, zh[1:]), "---", f"**{_line(en[0])}**", *map(_line, en[1:])]
    return gap.join(line for line in lines if line)


def _line(text: str) -> str:
    """One line in which only addresses are links; what else would be a mark of Markdown is written full width."""
    parts, at = [], 0
    for found in URL.finditer(text):
        parts += [text[at : found.start()].translate(PLAIN), f"[{found[0]}]({found[0]})"]
        at = found.end()
    return "".join([*parts, text[at:].translate(PLAIN)]).strip()


def fit(text: str, size: int) -> str:
    """The text, or as much of its beginning as `size` [byte] of UTF-8 hold, with a mark that there was more."""
    raw = text.encode()
    return text if len(raw) <= size else raw[: size - 3].decode(errors="ignore") + "…"
