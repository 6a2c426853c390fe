"""The pages of citizens' reports: plain HTML in both languages, without scripts, nothing loaded from elsewhere."""

from collections.abc import Mapping
from datetime import tzinfo
from html import escape
from typing import Final

from alerts.dangers.danger import Danger
from alerts.dangers.life import STRUCK
from alerts.dangers.names import STATES
from alerts.dangers.pictures import LARGEST
from alerts.texts import local

MOST: Final = 3  # [1] pictures of a report
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
STYLE: Final = (
    "body{font:17px/1.5 system-ui,sans-serif;max-width:40em;margin:1em auto;padding:0 1em;color:#111;background:#fff}"
    "label{display:block;margin:1em 0 .2em;font-weight:600}"
    "input,textarea{width:100%;box-sizing:border-box;font:inherit;padding:.4em}"
    "button{font:inherit;padding:.6em 1.5em;margin:1.5em 0}"
    ".call{border-left:6px solid #c00;padding:.5em 1em;background:#fdecea}"
    ".wrong{border-left:6px solid #c60;padding:.5em 1em;background:#fff4e5}.number{font-size:1.5em;letter-spacing:.05em}"
)
CALL: Final = (
    '<p class="call">闻到燃气味、有人被困、桥梁或道路塌陷等紧急情况：'
    "请先离开现场，立即拨打 119 或 110；有人受伤拨打 120。本页不是报警电话。<br>"
    "Smell of gas, people trapped, a bridge or road giving way: leave first, then call 119 or 110 at once, 120 where "
    "somebody is hurt. This page is no emergency call.</p>"
)
FIELDS: Final = (  # name, Chinese, English, most characters, must
    ("description", "您看到了什么", "What you have seen", 4000, True),
    ("place", "地点（道路、门牌、附近标志物）", "Where (street, number, what is near)", 300, True),
    ("lat", "纬度（可不填）", "Latitude (may be left out)", 20, False),
    ("lon", "经度（可不填）", "Longitude (may be left out)", 20, False),
    ("name", "您的姓名（可不填）", "Your name (may be left out)", 100, False),
    ("contact", "联系方式（可不填，仅供核实）", "How to reach you (may be left out; only to ask back)", 200, False),
)


def form(once: str, given: Mapping[str, str] | None = None, wrong: tuple[str, str] | None = None) -> str:
    """The form. given: what was written before; wrong: why it was not taken."""
    known = given or {}
    said = f'<p class="wrong">{escape(wrong[0])}<br>{escape(wrong[1])}</p>' if wrong else ""
    fields = "".join(_field(*field, known.get(field[0], "")) for field in FIELDS)
    limit = f"{LARGEST / 1e6:g} MB"
    return _page(
        "隐患举报 Report a danger",
        f"{CALL}{said}"
        '<form method="post" action="/report/" enctype="multipart/form-data" accept-charset="utf-8">'
        f'<input type="hidden" name="once" value="{escape(once)}">{fields}'
        f'<label for="photos">照片（最多 {MOST} 张，每张不超过 {limit}，JPEG、PNG 或 WebP）<br>'
        f"Pictures (at most {MOST}, each up to {limit}, JPEG, PNG or WebP)</label>"
        '<input id="photos" type="file" name="photos" multiple accept="image/jpeg,image/png,image/webp">'
        "<button>提交 Send</button></form>"
        '<h2>查询 See what became of it</h2><form method="get" action="/report/state">'
        '<label for="receipt">受理编号 Receipt number</label><input id="receipt" name="receipt" maxlength="40" required>'
        "<button>查询 Look</button></form>",
    )


def _field(name: str, zh: str, en: str, most: int, must: bool, value: str) -> str:  # noqa: FBT001
    label = f'<label for="{name}">{zh}<br>{en}</label>'
    need = " required" if must else ""
    if name == "description":
        return f'{label}<textarea id="{name}" name="{name}" rows="5" maxlength="{most}"{need}>{escape(value)}</textarea>'
    return f'{label}<input id="{name}" name="{name}" maxlength="{most}" value="{escape(value)}"{need}>'


def state(receipt: str, danger: Danger, zone: tzinfo) -> str:
    """What a citizen sees of their report: its state and, when it is struck off, with which result; no names."""
    zh, en = STATES[danger.state]
    over = f"<p>结论 Result：{escape(danger.result)}</p>" if danger.state is STRUCK else ""
    return _page(
        "受理编号 Receipt",
        "<p>您的举报已登记。请保存此编号，用它可以查询进展。<br>"
        "Your report is on the ledger. Keep this number: it shows what becomes of it.</p>"
        f'<p class="number"><strong>{escape(receipt)}</strong></p>'
        f"<p>状态 State：<strong>{zh} {en}</strong></p>"
        f"<p>登记时间 Registered：{local(danger.made, zone)}<br>最近更新 Last change：{local(danger.updated, zone)}</p>{over}"
        '<p><a href="/report/">返回 Back</a></p>' + CALL,
    )


def refusal(zh: str, en: str) -> str:
    """Why something is not taken or not found."""
    return _page(
        "隐患举报 Report a danger",
        f'<p class="wrong">{escape(zh)}<br>{escape(en)}</p>{CALL}<p><a href="/report/">返回 Back</a></p>',
    )


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>"
    )
