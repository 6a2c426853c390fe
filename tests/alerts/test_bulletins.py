"""The figures of a report against plain loops over the tables, and the days to which they belong."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from alerts.book import Book
from alerts.bulletins.figures import ANSWERS, CLOSINGS, FIGURES, LISTED, Row, figures
from alerts.bulletins.span import HOUR, Every, Span, after, before, date_of, latest, span
from alerts.calling import Calling
from alerts.dangers.tables import danger_acts
from alerts.responsible import load
from alerts.route import Route
from alerts.tables import Database, audit, chains, changes, outbox, stages, steps, warnings
from alerts.users.tables import users
from lifeline.model import NS, Change, Level
from tests.alerts.played import play
from tests.alerts.test_chain import Rota

SHANGHAI = ZoneInfo("Asia/Shanghai")
Say = Callable[..., Change]
N, B, Y, O, R = Level


@pytest.fixture
def book(database: Database) -> Book:
    routes = [Route("robot"), Route("app", audience="persons"), Route("sms", Y, audience="persons")]
    return Book(database, Calling(routes, load(), Rota("gas-duty", "gas-leader", "fire-duty"), {"gas company": "gas"}))


class Told:
    """All tables as lists of dicts."""

    def __init__(self, database: Database) -> None:
        with database.read() as db:

            def rows(table: Any) -> list[Row]:
                return [dict(r) for r in db.execute(select(table)).mappings()]

            self.warnings = {r["id"]: r for r in rows(warnings)}
            self.steps, self.audit, self.stages = rows(steps), rows(audit), rows(stages)
            self.chains, self.outbox, self.acts, self.users = rows(chains), rows(outbox), rows(danger_acts), rows(users)
            self.changes = [{**json.loads(r["body"]), **{k: r[k] for k in ("t", "at", "fate", "id")}} for r in rows(changes)]

    def real(self, warning: str) -> bool:
        return not self.warnings[warning]["hazard"].startswith("exercise:")

    def acks(self, warning: str, since: int = 0) -> list[Row]:
        return [a for a in self.audit if a["warning"] == warning and a["act"] == "acknowledged" and a["at"] >= since]

    def verdict(self, warning: str) -> str:
        said = {s["stage"]: json.loads(s["body"])["verdict"] for s in self.stages if s["warning"] == warning and s["body"]}
        return said.get("account") or said.get("assess") or ""


def grade(w: Row) -> str:
    return "TICKET" if w["kind"] == "ticket" else str(w["peak"])


def counted(keys: Iterable[tuple[Any, ...]], *names: str) -> list[Row]:
    return [{**dict(zip(names, key, strict=True)), "n": n} for key, n in Counter(keys).items()]


def ranked(found: Iterable[tuple[str, int]]) -> list[Row]:
    by: dict[str, list[int]] = {}
    for level, ns in found:
        by.setdefault(level, []).append(ns)
    out = []
    for level, times in by.items():
        times.sort()
        n = len(times)
        nearest = [times[math.ceil(q * n / 10) - 1] for q in (5, 9)]
        out.append({"level": level, "n": n, "median": nearest[0], "p90": nearest[1], "longest": times[-1]})
    return out


def classed(found: Iterable[tuple[str, int]], ends: tuple[int, ...]) -> list[Row]:
    return counted(((level, sum(ns > e * 60 * NS for e in ends)) for level, ns in found), "level", "class")


def asks(t: Told, s: Span) -> list[tuple[str, str, int | None]]:
    """(level, fate, ns)"""
    out = []
    for step in t.steps:
        w = t.warnings[step["warning"]]
        if step["act"] not in {"raise", "redden"} or not s.begin <= step["at"] < s.end or not t.real(w["id"]):
            continue
        level = "TICKET" if w["kind"] == "ticket" else step["level"]
        answer = min((a["at"] for a in t.acks(w["id"], step["at"])), default=None)
        later = [
            x["at"] for x in t.steps if x["warning"] == w["id"] and x["level"] == "NORMAL" and x["version"] > step["version"]
        ]
        over = min(later, default=None)
        if answer is not None and (over is None or answer <= over or w["peak"] == "RED"):
            out.append((level, "answered", answer - step["at"]))
        else:
            out.append((level, "waiting" if over is None else "over", None))
    return out


def silent(t: Told, s: Span) -> list[Row]:
    out = []
    mine = sorted((c for c in t.changes if c["hazard"] == "silence" and c["fate"] == "accepted" and c["t"] < s.end),
                  key=lambda c: (c["t"], c["at"], c["id"]))  # fmt: skip
    for key in {c["key"] for c in mine}:
        since, total, asset, still = None, 0, "", False
        some = [c for c in mine if c["key"] == key]
        for i, c in enumerate(some):
            end = some[i + 1]["t"] if i + 1 < len(some) else s.end
            if c["new"] != "NORMAL" and end > s.begin:
                since = c["t"] if since is None else since
                total, asset, still = total + end - max(c["t"], s.begin), c["asset"], i + 1 == len(some)
        if since is not None:
            out.append({"key": key, "asset": asset, "since": since, "ns": total, "still": int(still)})
    return out


def called(t: Told, s: Span) -> list[Row]:
    told: dict[str, dict[str, bool]] = {}
    for o in t.outbox:
        if (
            o["person"]
            and o["what"] in {"raised", "worse", "overdue"}
            and s.begin <= o["made"] < s.end
            and t.real(o["warning"])
        ):
            mine = told.setdefault(o["person"], {})
            mine[o["warning"]] = mine.get(o["warning"], False) or o["state"] == "sent"
    out = []
    for person, of in told.items():
        names = {person, *(u["name"] for u in t.users if u["person"] == person)}
        by = Counter("mine" if names & {a["by"] for a in t.acks(w)} else "others" if t.acks(w) else "nobody" for w in of)
        reached = sum(not sent for sent in of.values())
        row = {"person": person, "told": len(of), "answered": by["mine"], "others": by["others"], "nobody": by["nobody"]}
        out.append({**row, "unreached": reached})
    return out


def oracle(t: Told, s: Span) -> dict[str, list[Row]]:
    """Every figure again, by loops."""
    raised = [w for w in t.warnings.values() if s.begin <= w["raised"] < s.end]
    real = [w for w in raised if t.real(w["id"])]
    closed = [(grade(w), w["updated"] - w["raised"]) for w in t.warnings.values()
              if w["state"] == "quiet" and s.begin <= w["updated"] < s.end and t.real(w["id"])]  # fmt: skip
    asked = asks(t, s)
    took = [(level, ns) for level, _, ns in asked if ns is not None]
    due = [x for x in t.stages if s.begin <= x["due"] < s.end and t.real(x["warning"])]
    chase = [c for c in t.chains if s.begin <= c["due"] < s.end and t.real(c["warning"])]
    missed = [c for c in chase if (c["done"] is not None and c["done"] > c["due"] + 10 * NS) or c["done"] is None]
    sent = [o for o in t.outbox if s.begin <= o["made"] < s.end]
    acts = [a for a in t.acts if s.begin <= a["at"] < s.end]
    last = {a["danger"]: a["state"] for a in sorted(t.acts, key=lambda a: a["version"]) if a["at"] < s.end}
    rank = {name: level.value for name, level in Level.__members__.items()}
    hazards = sorted((w for w in real if w["kind"] == "hazard"), key=lambda w: (-rank[w["peak"]], w["raised"], w["id"]))
    passive = [
        c
        for c in t.changes
        if c["mode"] == "passive" and s.begin <= c["t"] < s.end and c["new"] != "NORMAL" and c["fate"] == "accepted"
    ]
    return {
        "levels": counted(((grade(w),) for w in real), "level"),
        "domains": counted(((w["domain"], grade(w)) for w in real), "domain", "level"),
        "districts": counted(((w["district"], grade(w)) for w in real), "district", "level"),
        "hazards": counted(((w["hazard"], grade(w)) for w in real), "hazard", "level"),
        "times": counted(((sum(w["raised"] >= b for b in s.borders[1:]), grade(w)) for w in real), "stretch", "level"),
        "asked": counted(((level, fate) for level, fate, _ in asked), "level", "fate"),
        "answers": ranked(took),
        "answer_classes": classed(took, ANSWERS),
        "closings": ranked(closed),
        "closing_classes": classed(closed, CLOSINGS),
        "stages": [
            {"stage": st, "due": len(mine := [x for x in due if x["stage"] == st]),
             "late": sum(x["done"] is None or x["done"] > x["due"] for x in mine), "open": sum(x["done"] is None for x in mine)}
            for st in {x["stage"] for x in due}
        ],
        "chase": [
            {"level": lv, "told": len(told := [c for c in chase if c["level"] == lv and c["fate"] == "told"]),
             "warnings": len({c["warning"] for c in told}), "missed": sum(c["level"] == lv for c in missed)}
            for lv in {c["level"] for c in chase if c["fate"] == "told" or c in missed}
        ],
        "verdicts": counted(((w["domain"], t.verdict(w["id"])) for w in hazards), "domain", "verdict"),
        "called": called(t, s),
        "silent": silent(t, s),
        "passive": [
            {"rule": r, "level": lv, "n": len(m := [c for c in passive if (c["rule"], c["new"]) == (r, lv)]),
             "assets": len({c["asset"] for c in m})}
            for r, lv in {(c["rule"], c["new"]) for c in passive}
        ],
        "dangers": [{
            "opened": sum(a["act"] == "register" for a in acts),
            "struck": sum(a["state"] == "struck" and a["act"] != "correct" for a in acts),
            "lapsed": sum(a["act"] == "lapse" for a in acts), "open": sum(x != "struck" for x in last.values()),
            "overdue": sum(x in {"overdue", "supervised"} for x in last.values()),
        }],
        "channels": [
            {"channel": ch, **{st: sum(o["state"] == st for o in mine) for st in ("sent", "dropped", "superseded", "waiting")},
             "delivered": sum(o["delivered"] is not None for o in mine), "again": sum(o["attempts"] > 1 for o in mine)}
            for ch in {o["channel"] for o in sent} for mine in [[o for o in sent if o["channel"] == ch]]
        ],
        "exercises": [
            {"level": lv, "n": len(mine), "answered": sum(bool(t.acks(w["id"])) for w in mine)}
            for lv in {w["peak"] for w in raised if not t.real(w["id"])}
            for mine in [[w for w in raised if not t.real(w["id"]) and w["peak"] == lv]]
        ],
        "gravest": [
            {"id": w["id"], "level": w["peak"], "hazard": w["hazard"], "asset": w["asset"],
             "district": w["district"], "raised": w["raised"], "state": w["state"],
             "answered": min((a["at"] for a in t.acks(w["id"], w["raised"])), default=None), "verdict": t.verdict(w["id"])}
            for w in hazards[:LISTED]
        ],
    }  # fmt: skip


def ordered(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda r: [str(r[k]) for k in sorted(r)])


def test_every_figure_is_what_plain_loops_over_the_tables_find(book: Book, say: Say) -> None:
    made = play(book, say) + 40 * 24 * HOUR  # every deadline has passed
    told = Told(book.database)
    spans = [span(Every.DAILY, date(2025, 12, d), SHANGHAI) for d in (29, 30, 31)]
    spans += [span(Every.MONTHLY, date(2025, 12, 1), SHANGHAI), span(Every.DAILY, date(2025, 11, 3), SHANGHAI)]
    rich: set[str] = set()
    for one in spans:
        with book.database.read() as db:
            found = figures(db, one, made)
        wanted = oracle(told, one)
        for name in FIGURES:
            assert ordered(found[name]) == ordered(wanted[name]), (name, one.day)
            if len(found[name]) > 1 or name == "dangers":
                rich.add(name)
        assert [r["id"] for r in found["gravest"]] == [r["id"] for r in wanted["gravest"]]
    assert rich == set(FIGURES)  # the story has something of everything


def test_a_day_runs_from_midnight_to_midnight_in_the_city_s_zone() -> None:
    one = span(Every.DAILY, date(2026, 1, 2), SHANGHAI)
    assert (one.begin, one.end) == (1_767_283_200 * NS, 1_767_369_600 * NS)  # 2026-01-01T16:00Z and a day later
    assert len(one.borders) == 25
    assert latest(Every.DAILY, one.end - 1, SHANGHAI).day == date(2026, 1, 1)
    assert latest(Every.DAILY, one.end, SHANGHAI) == one
    assert date_of(one.begin - 1, SHANGHAI) == date(2026, 1, 1)


def test_a_day_on_which_clocks_change_has_23_or_25_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    short, long = (span(Every.DAILY, d, berlin) for d in (date(2026, 3, 29), date(2026, 10, 25)))
    assert [len(s.borders) - 1 for s in (short, long)] == [23, 25]
    assert after(short, berlin).begin == short.end
    assert before(long, berlin).end == long.begin


def test_a_month_has_its_days_and_neighbours() -> None:
    one = span(Every.MONTHLY, date(2026, 3, 17), SHANGHAI)
    assert (one.day, len(one.borders)) == (date(2026, 3, 1), 32)
    assert (before(one, SHANGHAI).day, after(one, SHANGHAI).day) == (date(2026, 2, 1), date(2026, 4, 1))
    assert before(one, SHANGHAI).end == one.begin
    assert latest(Every.MONTHLY, one.begin, SHANGHAI).day == date(2026, 2, 1)


def test_what_is_raised_at_midnight_belongs_to_the_day_that_begins(book: Book, say: Say) -> None:
    one = span(Every.DAILY, date(2026, 1, 2), SHANGHAI)
    book.take([say(O, asset="W-1")], one.begin - 1)
    book.take([say(Y, asset="W-2", device="d2", hard=True)], one.begin)
    book.take([say(B, asset="W-3", device="d3", hard=True)], one.end - 1)
    with book.database.read() as db:
        assert {r["level"]: r["n"] for r in figures(db, one, one.end)["levels"]} == {"YELLOW": 1, "BLUE": 1}
        assert figures(db, one, one.end)["times"] == [
            {"stretch": 0, "level": "YELLOW", "n": 1},
            {"stretch": 23, "level": "BLUE", "n": 1},
        ]
