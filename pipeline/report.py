"""An evaluation as one page that stands alone: no network, no scripts, both languages, both colour schemes."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from pipeline.marks import SHAPES, badge, legend
from pipeline.outcome import Result
from pipeline.plots import clock
from pipeline.public.page import sections
from pipeline.scenarios import spoken

STEPS: Final = 12  # of a warning that are written out
WARNINGS: Final = 40  # of a scenario
DOMAINS: Final = {"gas": "燃气", "water": "供水", "bridge": "桥梁", "elevator": "电梯", "city": "城市", "other": "其他"}
SIDES: Final = {"better": "变好", "worse": "变差", "new": "新增", "gone": "不再有"}

CSS: Final = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#59636e;--line:#d1d9e0;--card:#f6f8fa;--ok:#116329;--no:#b3261e;
--BLUE:#0a6ebd;--YELLOW:#b28600;--ORANGE:#c75100;--RED:#c1121f;--x:#24577f;--hz:#e4572e33;--ft:#7a5cc7}
@media(prefers-color-scheme:dark){:root{--bg:#0f1318;--fg:#e6edf3;--dim:#9aa6b2;--line:#313a44;--card:#171d24;--ok:#5fd38a;
--no:#ff8a80;--BLUE:#58b0ff;--YELLOW:#f2cc3f;--ORANGE:#ff9440;--RED:#ff6b6b;--x:#8fc7ef;--hz:#ff7d5433;--ft:#b59cff}}
*{box-sizing:border-box}body{margin:0 auto;padding:1rem;max-width:62rem;background:var(--bg);color:var(--fg);
font:15px/1.5 system-ui,"Noto Sans","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:1.8rem 0 .4rem;border-bottom:1px solid var(--line)}
a{color:inherit}.dim,small{color:var(--dim)}.ok{color:var(--ok)}.no{color:var(--no)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.6rem,1fr));gap:.6rem;margin:1rem 0}
.cards div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.5rem .7rem}
.cards b{display:block;font-size:1.35rem}.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.88rem}th,td{text-align:left;padding:.25rem .5rem;vertical-align:top;
border-bottom:1px solid var(--line)}th{color:var(--dim);font-weight:500}td.n,th.n{text-align:right;white-space:nowrap}
td.t{min-width:15rem}
.lv{white-space:nowrap;font-weight:600;font-size:.85em}.lv.BLUE{color:var(--BLUE)}.lv.YELLOW{color:var(--YELLOW)}
.lv.ORANGE{color:var(--ORANGE)}.lv.RED{color:var(--RED)}.lv.NORMAL{color:var(--dim)}
details{background:var(--card);border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;padding:.4rem .7rem}
summary{cursor:pointer;font-weight:600}ul{margin:.3rem 0;padding-left:1.2rem}svg{width:100%;height:auto;display:block;
font:11px system-ui,"Noto Sans CJK SC",sans-serif}
.pic{overflow-x:auto}.pic svg{min-width:34rem}.pic svg+svg{margin-top:.8rem;border-top:1px solid var(--line)}
svg text{fill:var(--fg)}svg .n{text-anchor:end}svg .n,svg .c,svg .m{fill:var(--dim);font-size:10px}
svg .c{text-anchor:middle}svg .h{font-weight:600}.fr{fill:none;stroke:var(--line)}.g{stroke:var(--line);fill:none;opacity:.6}
.x{fill:var(--x);stroke:var(--x);stroke-width:1.1;stroke-linejoin:round}.x.s{fill:none}
.hz{fill:var(--hz)}.ft{fill:url(#ft);stroke:var(--ft);stroke-dasharray:2 3}.dt{stroke:var(--no);stroke-dasharray:1 2;fill:none}
.lim{stroke-dasharray:6 4;fill:none;stroke-width:1.1}.lim.BLUE{stroke:var(--BLUE)}.lim.YELLOW{stroke:var(--YELLOW)}
.lim.ORANGE{stroke:var(--ORANGE)}.lim.RED{stroke:var(--RED)}.b.BLUE{fill:var(--BLUE)}.b.YELLOW{fill:var(--YELLOW)}
.b.ORANGE{fill:var(--ORANGE)}.b.RED{fill:var(--RED)}svg .k{fill:var(--bg);font-size:8px}.ticket .b{opacity:.5}
b.ok,b.no{white-space:nowrap}
"""
HATCH: Final = (
    '<svg width="0" height="0" style="position:absolute"><defs><pattern id="ft" width="7" height="7"'
    ' patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V7" stroke="var(--ft)" stroke-opacity=".5"/>'
    "</pattern></defs></svg>"
)


def page(whole: Mapping[str, Any], results: Sequence[Result], public: Mapping[str, str]) -> str:
    """The page. whole: the report in JSON; results: its scenarios, with their drawings; public: drawings of public sets."""
    beside = sections(whole.get("public", {}), public)
    body = "\n".join([*_head(whole), *_versus(whole), *_what_if(whole), *_tables(results), *beside, *_each(results)])
    return (
        '<!doctype html><html lang="zh"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>City lifeline: evaluation 预警评估</title><style>{CSS}</style></head><body>{HATCH}{body}</body></html>\n"
    )


def _head(whole: Mapping[str, Any]) -> Iterator[str]:
    s = whole["summary"]
    yield "<h1>预警评估 <small>Evaluation of the warnings</small></h1>"
    yield f'<p class="dim">{escape(whole["made"])} · {escape(whole["rules"])}</p>'
    if not s["total"]:
        return
    yield '<div class="cards">'
    yield _card(f"{s['passed']} / {s['total']}", "场景通过", "scenarios passed")
    yield _card(f"{s['detected']} / {s['events']}", "险情发现", "hazards detected")
    yield _card(_time(s["median_delay_s"]), "发现时延中位数", "median delay")
    yield _card(f"{s['false_warnings']}", "误报", "false warnings")
    yield _card(f"{round(s['false_per_day'], 2):,.6g}", "全市每日误报", "false a day, small city")
    yield _card(f"{s['fault_as_hazard']}", "故障误作险情", "faults taken for hazards")
    yield f"</div><p>{legend()}</p>"
    yield from _confusion(s["levels"])


def _card(value: str, zh: str, en: str) -> str:
    return f'<div><b>{escape(value)}</b>{zh}<br><span class="dim">{en}</span></div>'


def _confusion(levels: Mapping[str, Any]) -> Iterator[str]:
    if not levels["table"]:
        return
    columns = list(next(iter(levels["table"].values())))
    yield "<h2>分级对照 <small>level deserved (at least) against level given</small></h2>"
    yield _row("th", ["", *map(badge, columns)])
    for name, row in levels["table"].items():
        yield _row("td", [badge(name), *(str(row[c] or "·") for c in columns)])
    yield (
        f'</table></div><p class="dim">正确 right {levels["right"]} · 偏轻 understated {levels["understated"]} · '
        f"偏重 overstated {levels['overstated']}</p>"
    )


def _row(cell: str, values: Sequence[str]) -> str:
    """A row; a row of heads opens its table."""
    start = '<div class="wide"><table>' if cell == "th" else ""
    return start + "<tr>" + "".join(f"<{cell}>{v}</{cell}>" for v in values) + "</tr>"


def _versus(whole: Mapping[str, Any]) -> Iterator[str]:
    if not (found := whole.get("against")):
        return
    yield f"<h2>与先前比较 <small>against {escape(found['file'])}</small></h2><ul>"
    for side, zh in SIDES.items():
        said = [
            escape(x) if isinstance(x, str) else f"<b>{escape(x['id'])}</b> {escape('; '.join(x['what']))}" for x in found[side]
        ]
        yield f"<li>{zh} {side} ({len(said)}): {', '.join(said) or '–'}</li>"
    yield "</ul>"


def _what_if(whole: Mapping[str, Any]) -> Iterator[str]:
    if not (w := whole.get("what_if")):
        return
    yield f"<h2>假如 <small>what if {escape(', '.join(w['changes']))}</small></h2>"
    yield _row("th", ["", "现行 as shipped", "改后 changed"])
    for name, zh in (
        ("passed", "通过"), ("false_warnings", "误报"), ("false_per_day", "全市每日误报"), ("fault_as_hazard", "故障误作险情"),
    ):  # fmt: skip
        yield _row("td", [f"{zh} {name}", *(f"{x:g}" for x in w[name])])
    yield "</table></div>"
    first, level = ("–" if w[k] is None else f"{w[k]:+g} min" for k in ("later_min", "level_later_min"))
    lists = f"多发现 gained: {', '.join(w['gained']) or '–'} · 漏掉 lost: {', '.join(w['lost']) or '–'}"
    for x in w["scenarios"]:
        lists += f" · {x['id']}: {'; '.join([*x['better'], *x['worse']]) or 'fails otherwise'}"
    yield f"<p>{escape(lists)} · 首警平均 first warning {first} · 达级平均 level demanded {level}</p>"


def _tables(results: Sequence[Result]) -> Iterator[str]:
    for domain in dict.fromkeys(r["domain"] for r in results):
        mine = [r for r in results if r["domain"] == domain]
        passed = sum(r["passed"] for r in mine)
        yield f"<h2>{DOMAINS.get(domain, '')} {escape(domain)} <small>{passed} / {len(mine)}</small></h2>"
        heads = ("结果 result", "场景 scenario", "应 expected", "首警时延 delay", "达级 level in", "最高 level", "误报 false")
        yield _row("th", ["", *heads])
        yield from (_line(r) for r in mine)
        yield "</table></div>"


def _line(r: Result) -> str:
    told = '<b class="ok">✓ 通过</b>' if r["passed"] else '<b class="no">✗ 未过</b>'
    title = f"{escape(r['zh'])}<br><small>{escape(r['en'])}</small>"
    cells = [
        ("", f'<a href="#{escape(r["id"])}">{escape(r["id"])}</a>'), ("", told), ("t", title),
        ("", _expected(r["wanted"])), ("n", _time(r["delay_s"])), ("n", _time(r["reached_s"])),
        ("", badge(r["level"])), ("n", str(r["false_warnings"] or "·")),
    ]  # fmt: skip
    return "<tr>" + "".join(f'<td class="{c}">{v}</td>' for c, v in cells) + "</tr>"


def _expected(text: str) -> str:
    for name in ("BLUE", "YELLOW", "ORANGE", "RED"):
        text = text.replace(name, f"{SHAPES[name]} {name}")
    return escape(text)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"−{spoken(-seconds)}" if seconds < 0 else spoken(seconds)


def _each(results: Sequence[Result]) -> Iterator[str]:
    if not results:
        return
    yield "<h2>各场景 <small>each scenario</small></h2>"
    yield (
        '<p class="dim">底色：实情（虚线起可知）；斜纹：设备故障；长虚线：限值；色条：等级。'
        " Shaded: what is true (dotted: from when it can be known); hatched: a device at fault; dashed: limits; "
        "bars: levels.</p>"
    )
    for r in results:
        mark = "✓" if r["passed"] else "✗"
        shown = "" if r["passed"] else " open"
        yield f'<details id="{escape(r["id"])}"{shown}><summary><span class="{"ok" if r["passed"] else "no"}">{mark}</span>'
        yield f"{escape(r['id'])} {escape(r['zh'])} <small>{escape(r['en'])}</small></summary>"
        if r["failures"]:
            both = zip(r["failures_zh"], r["failures"], strict=True)
            items = "".join(f'<li>{escape(zh)}<br><span class="dim">{escape(en)}</span></li>' for zh, en in both)
            yield f'<ul class="no">{items}</ul>'
        yield f'<p class="dim">{_facts(r)}</p><div class="pic">{r.get("plot", "")}</div>'
        yield from _warnings(r)
        yield "</details>"


def _voices(n: int) -> str:
    return f" <small>×{n}</small>" if n > 1 else ""


def _facts(r: Result) -> str:
    said = [f"应 expected: {_expected(r['wanted'])}", f"时长 lasts {spoken(r['duration_s'])}"]
    said += [f"测点 series {r['series']}", f"读数 readings {r['readings']:,}"] if not r["crashed"] else []
    return " · ".join([*said, f"{r['seconds']:g} s"])


def _warnings(r: Result) -> Iterator[str]:
    warnings = r.get("warnings", [])
    if warnings:
        yield _row("th", ["预警 warning", "", "过程 steps (time of arrival after the start)", ""])
        for w in warnings[:WARNINGS]:
            steps = [f"{clock(round(x['told_s'], 1))} {badge(x['level'])}{_voices(x['voices'])}" for x in w["steps"][:STEPS]]
            more = f" … {len(w['steps']) - STEPS} more" if len(w["steps"]) > STEPS else ""
            notes = [n for n, on in (("误报 false", w["false"]), ("故障 fault", w["of_fault"]), ("迟到 late", w["late"])) if on]
            what = f"{escape(w['asset'])}<br><small>{escape(w['hazard'])}</small>"
            yield _row(
                "td", [what, badge(w["level"]), " → ".join(steps) + more, f'<span class="no">{" · ".join(notes)}</span>']
            )
        yield "</table></div>"
    rest = [f"还有 {len(warnings) - WARNINGS} 条 more warnings"] if len(warnings) > WARNINGS else []
    if tickets := r.get("tickets", []):
        rest.append(f"工单 tickets: {len(tickets)} ({', '.join(sorted({escape(t['hazard']) for t in tickets}))})")
    yield from (f'<p class="dim">{x}</p>' for x in rest)
