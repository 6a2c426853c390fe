"""The report of public sets on the page of an evaluation."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from pipeline.public import ELEVATORS
from pipeline.public.tables import facts, rows, sources, verdict


def sections(public: Mapping[str, Any], drawings: Mapping[str, str]) -> Iterator[str]:
    """A table and a drawing for each set."""
    if not public:
        return
    yield "<h2>公开数据 <small>public data, beside what is published</small></h2>"
    yield f'<p class="dim">{escape(ELEVATORS["zh"])} {escape(ELEVATORS["en"])}</p>'
    for name, told in public.items():
        yield f'<details open id="{escape(name)}"><summary>{_mark(told)}{escape(name)} {escape(told["zh"])}'
        yield f"<small> {escape(told['en'])}</small></summary>"
        yield from _missing(told) if "missing" in told else _set(told, drawings.get(name, ""))
        yield "</details>"


def _mark(told: Mapping[str, Any]) -> str:
    return '<span class="ok">✓</span> ' if told["met"] else '<span class="no">✗</span> '


def _missing(told: Mapping[str, Any]) -> Iterator[str]:
    yield f'<p class="no">未评分 not scored: {escape(told["missing"])}</p>'
    yield f'<p class="dim">获取 to be had: {escape(told["obtain"])}</p>'


def _set(told: Mapping[str, Any], drawing: str) -> Iterator[str]:
    heads = "".join(f"<th>{escape(c['zh'])}<br><small>{escape(c['en'])}</small></th>" for c in told["columns"])
    yield f'<div class="wide"><table><tr><th></th>{heads}</tr>'
    for name, cells, _ in rows(told):
        said = f"<b>本系统 {escape(name)}</b>" if name == "this system" else escape(name)
        yield (
            f"<tr><td>{said}</td>" + "".join(f'<td class="{"" if "," in c else "n"}">{escape(c)}</td>' for c in cells) + "</tr>"
        )
    yield "</table></div>"
    yield f'<p class="{"ok" if told["met"] else "no"}">{"达标" if told["met"] else "未达标"} {escape(verdict(told))}</p>'
    yield f'<div class="pic">{drawing}</div><ul>'
    for n in told["notes"]:
        yield f'<li>{escape(n["zh"])}<br><span class="dim">{escape(n["en"])}</span></li>'
    yield from (f'<li class="dim">{escape(x)}</li>' for x in (*sources(told), facts(told)))
    yield "</ul>"
