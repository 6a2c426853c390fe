"""A report as one page that stands alone: no script, nothing from elsewhere, made for A4."""

from datetime import tzinfo
from html import escape
from typing import Final

from alerts.bulletins.bulletin import Bulletin, n
from alerts.bulletins.figures import TICKET
from alerts.bulletins.plots import apart, plots
from alerts.bulletins.sections import Section, sections
from alerts.bulletins.words import MADE, NOTES, NOTHING, QUIET, TITLES, UNFINISHED, Language, say
from alerts.texts import local

SHORT: Final = 15  # [character] of a cell that is not broken
CSS: Final = """
@page{size:A4;margin:14mm 13mm}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.2em;max-width:54em;background:#fff;color:#1b1f24;
font:13px/1.45 "Noto Sans CJK SC","Noto Sans SC","PingFang SC","Microsoft YaHei",system-ui,sans-serif}
h1{font-size:1.6em;margin:0}
h2{font-size:1.12em;margin:1.6em 0 .4em;border-bottom:2px solid #24577f;padding-bottom:.15em;break-after:avoid}
.sub,.note,.none{color:#59636e}.sub{margin:.2em 0 1em}.quiet{padding:.7em 1em;background:#eef6f0;border-left:4px solid #2e7d32}
table{border-collapse:collapse;width:100%;margin:.3em 0}thead{display:table-header-group}tr{break-inside:avoid}
th,td{padding:.22em .55em;border-bottom:1px solid #d9dee3;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{background:#f1f4f7;font-weight:600}.n{text-align:right!important;font-variant-numeric:tabular-nums;white-space:nowrap}.s{white-space:nowrap}
tr td:first-child{font-weight:500}svg{display:block;width:100%;height:auto;margin:.4em 0;break-inside:avoid}
footer{margin-top:2em;color:#59636e;border-top:1px solid #d9dee3;padding-top:.6em;font-size:.92em}
@media print{body{padding:0;max-width:none;font-size:10.5px}h2{margin-top:1.1em}}
"""


def page(b: Bulletin, zone: tzinfo, language: Language) -> str:
    """The whole of it. Blocks while plots are drawn."""
    drawn = plots(b, zone, language)
    title = f"{b.city} {say(TITLES[b.every], language)} {b.name.partition('-')[2]}"
    stands = say(MADE, language).format(made=local(b.made, zone), begin=local(b.begin, zone)[:16], end=local(b.end, zone)[:16])
    body = [f"<h1>{escape(title)}</h1>", f"<p class=sub>{escape(stands)}</p>"]
    if b.made < b.end:
        body.append(f"<p class=note>{escape(say(UNFINISHED, language))}</p>")
    if n(b.now["levels"]) == n(b.now["levels"], level=TICKET):
        body.append(f"<p class=quiet>{escape(say(QUIET, language))}</p>")
    told = sections(b, zone, language)
    body += [_section(s, drawn.get(s.name, "")) for s in told if s.rows or s.note]
    if empty := [s.title for s in told if not s.rows]:
        body.append(f"<p class=none>{escape(say(NOTHING, language).format(names=_listed(empty, language)))}</p>")
    notes = " ".join(say(note, language) for note in NOTES)
    body.append(f"<footer>{escape(notes)}</footer>")
    lang = "zh-CN" if language == "zh" else "en"
    size = "<meta charset=utf-8><meta name=viewport content='width=device-width'>"
    head = f"{size}<title>{escape(title)}</title><style>{CSS}</style>"
    return f"<!doctype html><html lang={lang}><head>{head}</head><body>{''.join(body)}</body></html>\n"


def _listed(names: list[str], language: Language) -> str:
    return ("、" if language == "zh" else "; ").join(names)


def _section(s: Section, svg: str) -> str:
    note = f"<p class=note>{escape(s.note)}</p>" if s.note else ""
    return f"<section id={s.name}><h2>{escape(s.title)}</h2>{note}{apart(svg, s.name)}{table(s) if s.rows else ''}</section>"


def table(s: Section) -> str:
    """A table of a page; columns with numbers stand to the right."""
    right = {i for row in s.rows for i, cell in enumerate(row) if not isinstance(cell, str)}
    head = "".join(f"<th{' class=n' if i in right else ''}>{escape(c)}</th>" for i, c in enumerate(s.columns))
    rows = "".join(f"<tr>{''.join(_cell(c, right=i in right) for i, c in enumerate(row))}</tr>" for row in s.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(value: str | float, *, right: bool) -> str:
    """Short words are not broken."""
    shown = value if isinstance(value, str) else f"{value:g}"
    marks = [m for m, so in (("n", right), ("s", len(shown) <= SHORT)) if so]
    return f"<td class='{' '.join(marks)}'>{escape(shown)}</td>" if marks else f"<td>{escape(shown)}</td>"
