"""Parts of the page of a case, as HTML."""

from typing import Any, Final
from urllib.parse import urlencode

from alerts.alike import Alike
from alerts.console.dossier import Dossier
from alerts.console.html import Html, el, join
from alerts.console.parts import badge, card, domain
from alerts.console.parts import facts as terms
from alerts.console.visit import Visit, local
from alerts.console.words import ACTS, NOTICES
from alerts.responsible import Tier
from alerts.stages import VERDICTS, Verdict
from alerts.texts import LEVELS, REASONS, hazard

SHOWN: Final = 60  # [1] lines of a trail


def facts(visit: Visit, k: Dossier) -> Html:
    """What stands in the head of every notice."""
    c, say = k.case, visit.say
    why = visit.pick(REASONS[c.why]).format(n=c.voices) if c.why in REASONS else c.why
    causes = next((g.evidence.places for g in k.grounds if g.evidence.places), [])[:5]
    pairs = [
        (say("since"), join(local(c.onset), " (", visit.ago(c.onset), ")")),
        (say("peak"), badge(visit, c.peak.name)),
        (say("because"), why),
        (say("causes"), ", ".join(f"{p.name} {100 * p.share:.0f} %" for p in causes)),
        (say("domain"), f"{domain(visit, c.domain)} · {c.district}"),
        (say("owner"), c.owner),
        (say("place"), f"{c.lat:.5f}, {c.lon:.5f}"),
        (say("asset"), el("a", c.asset, href=f"/console/cases?{urlencode({'asset': c.asset, 'closed': 1})}")),
        (say("answered_by"), f"{c.acknowledged_by} {c.comment or ''}" if c.acknowledged_by else ""),
        (say("latency"), f"{c.latency:.1f} s" if c.latency is not None else ""),
        ("ID", el("code", c.id)),
    ]
    return el("div", terms(pairs), class_="card")


def calls(visit: Visit, k: Dossier) -> Html:
    """Who is called next, and when."""
    if k.call is None:
        return card(visit.say("next_call"), el("p", visit.say("nobody_more"), class_="quiet"))
    due = el("time", local(k.call.due), data_due=k.call.due // 1_000_000, class_="due")
    names = dict.fromkeys(_receiver(visit, r.person, r.channel) for r in k.call.told)
    tier = k.call.tier
    level = badge(visit, _level_of(tier))
    return card(
        visit.say("next_call"),
        el("p", due, " ", visit.say("will_be_told"), " ", level, "+" if tier is Tier.BEYOND else ""),
        el("ul", *(el("li", name) for name in names)) if names else el("p", visit.say("none"), class_="late"),
        class_="card call",
    )  # fmt: skip


def _level_of(tier: Tier) -> str:
    return Tier(min(tier, Tier.RED)).name


def _receiver(visit: Visit, person: str, channel: str) -> str:
    guard = visit.desk.guard
    if not person or guard is None:
        return channel
    known = guard.duty.people.persons.get(person)
    return f"{visit.pick((known.zh, known.en)) if known else person} ({channel})"


def steps(visit: Visit, k: Dossier) -> Html:
    """The six steps with their deadlines."""
    return card(visit.say("steps"), el("ol", *(_step(visit, s) for s in k.stages), class_="steps"))


def _step(visit: Visit, s: dict[str, Any]) -> Html:
    name = visit.pick((s["zh"], s["en"]))
    if s["done"]:
        said = [visit.say("done_by", who=s["by"]), f" {local(s['done'])}"]
        more = " · ".join(x for x in (_verdict(visit, s.get("verdict")), s.get("note", "")) if x)
        return el("li", el("b", name), el("span", *said, f" · {visit.say('late')}" if s["late"] else None),
                  el("em", more) if more else None, class_="is-done")  # fmt: skip
    due = el("time", local(s["due"]), data_due=s["due"] // 1_000_000, class_="due late" if s["late"] else "due")
    return el("li", el("b", name), el("span", visit.say("due"), " ", due), class_="is-late" if s["late"] else None)


def messages(visit: Visit, k: Dossier) -> Html:
    """What was sent to whom, and how it ended."""
    rows = [_message(visit, n) for n in reversed(k.notices[-SHOWN:])]
    inner = el("table", el("tbody", *rows), class_="grid") if rows else el("p", visit.say("none"), class_="quiet")
    return card(visit.say("messages"), el("div", inner, class_="scroll"))


def _message(visit: Visit, n: dict[str, Any]) -> Html:
    what, state = n["what"], n["state"]
    fate = visit.say("delivered") if n["delivered"] else visit.pick(NOTICES.get(state, (state, state)))
    return el(
        "tr", el("td", _receiver(visit, _person(n), n["channel"])), el("td", visit.pick(ACTS.get(what, (what, what)))),
        el("td", fate, class_=f"fate {state}", title=n["words"] or ""), el("td", local(n["last"] or n["made"])),
        el("td", f"{n['attempts']} {visit.say('attempts')}" if n["attempts"] > 1 else ""),
    )  # fmt: skip


def _person(notice: dict[str, Any]) -> str:
    """Of the id warning.version.channel.person+reminder."""
    parts = str(notice["id"]).split("+")[0].split(".", 2)[2].removeprefix(notice["channel"])
    return parts.removeprefix(".")


def timeline(visit: Visit, k: Dossier) -> Html:
    """The audit trail, the youngest first."""
    return card(visit.say("timeline"), el("ol", *(_event(visit, r) for r in k.trail[:SHOWN]), class_="timeline scroll"))


def _event(visit: Visit, r: dict[str, Any]) -> Html:
    act, detail = r["act"], r["detail"]
    level = detail.get("level", "")
    words = [detail.get(k, "") for k in ("comment", "note", "words")]
    words += [_verdict(visit, detail.get("verdict"))]
    told = ", ".join(detail.get("told", ())) if isinstance(detail.get("told"), list) else ""
    said = " · ".join(str(x) for x in (*words, told) if x)
    return el("li", el("time", local(r["at"])), " ", el("b", visit.pick(ACTS.get(act, (act.replace("_", " "),) * 2))),
              f" {visit.pick(LEVELS[level])}" if level in LEVELS else None, el("span", f" {r['by']}", class_="by"),
              el("em", said) if said else None, class_=f"event {act}")  # fmt: skip


def incident(visit: Visit, k: Dossier) -> Html:
    """What belongs together."""
    members = k.incident["members"] if k.incident else []
    if len(members) < 2:
        return Html("")
    rows = [
        el("li", badge(visit, m["level"]), " ", _link(m["warning"], visit.pick(hazard(m["hazard"])), " · ", m["asset"]),
           el("small", " ", visit.pick((m["why_zh"] or "", m["why_en"] or ""))))
        for m in members if m["warning"] != k.case.id
    ]  # fmt: skip
    return card(visit.say("incident"), el("ul", *rows, class_="plain"))


def alike(visit: Visit, found: list[Alike]) -> Html:
    """Past cases and what became of them."""
    rows = [
        el("li", _link(a.case.id, visit.pick((a.case.zh, a.case.en))), " ",
           el("small", f"{local(a.case.onset)} · {100 * a.likeness:.0f} %"),
           el("em", " · ".join(x for x in (_verdict(visit, a.verdict), a.note) if x)))
        for a in found
    ]  # fmt: skip
    return card(visit.say("alike"), el("ul", *rows, class_="plain") if rows else el("p", visit.say("none"), class_="quiet"))


def nearest(visit: Visit, near: list[dict[str, Any]]) -> Html:
    """Stores, shelters, teams."""
    if not near:
        return Html("")
    rows = [
        el("li", el("b", visit.pick((n["kind_zh"], n["kind_en"]))), " ", visit.pick((n["zh"], n["en"])),
           f" · {n['distance_m'] / 1000:.1f} km · ", el("a", n["phone"], href=f"tel:{n['phone']}"),
           el("small", f" {n['has']}") if n["has"] else None)
        for n in near
    ]  # fmt: skip
    return card(visit.say("nearest"), el("ul", *rows, class_="plain"))


def _link(warning: str, *inner: object) -> Html:
    return el("a", *inner, href=f"/console/case/{warning}")


def _verdict(visit: Visit, said: str | None) -> str:
    return visit.pick(VERDICTS[Verdict(said)]) if said in set(Verdict) else ""
