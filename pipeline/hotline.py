"""The commands `lifeline alerts …`: what people do with warnings, over the desk's HTTP interface."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import httpx

from alerts.routing.matchers import BadMatcher, parse
from lifeline.clock import iso, now, since
from lifeline.kinds import duration
from lifeline.model import NS, Level
from lifeline.words import Failed, Unusable
from pipeline.forms import Form

PATIENCE: Final = 10.0  # [s]
PAGE: Final = 1000  # [1] warnings asked for at a time
SHOWN: Final = (
    "id", "level", "state", "kind", "asset", "hazard", "domain", "district", "onset", "t", "acknowledged_by", "zh", "en",
)  # fmt: skip
INSTANTS: Final = ("onset", "t", "raised", "updated", "pushed", "cleared", "acknowledged_at", "asked", "closed_at")


class Line:
    """A desk that answers over HTTP."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url, self.headers = url.rstrip("/"), dict(headers)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The answer as JSON; Unusable with what the desk says against it, Failed where it says nothing or cannot."""
        answer = self._asked(method, self.url + path, **more)
        return answer.json() if answer.content else None

    def pages(self, path: str, most: int | None = None, **params: Any) -> Iterator[Any]:
        """The rows of a list, page by page. most: no more than so many; None: all"""
        url, left = httpx.URL(self.url + path, params={**params, "limit": min(most or PAGE, PAGE)}), most
        while True:
            answer = self._asked("GET", str(url))
            rows = answer.json()[:left]
            yield from rows
            left = None if left is None else left - len(rows)
            if left == 0 or "next" not in answer.links:
                return
            url = url.copy_with(query=httpx.URL(answer.links["next"]["url"]).query)  # the path as it is from here

    def _asked(self, method: str, url: str, **more: Any) -> httpx.Response:
        try:
            answer = httpx.request(method, url, timeout=PATIENCE, trust_env=False, headers=self.headers, **more)
        except httpx.InvalidURL as why:
            raise Unusable(f"{self.url} is no address of a desk: {why}") from why
        except httpx.HTTPError as why:
            raise Failed(f"the desk does not answer at {self.url}: {why}") from why
        if answer.is_success:
            return answer
        raise (Failed if answer.is_server_error else Unusable)(_refusal(answer))


def _refusal(answer: httpx.Response) -> str:
    try:
        said = answer.json()
        return said if isinstance(said, str) else str(said["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.text[:200]}"


def listed(line: Line, filters: Sequence[str], least: Level, form: Form = Form.TABLE) -> str:
    """Warnings not closed, the gravest first; filters are matchers as in routes."""
    for text in filters:
        try:
            parse(text)
        except BadMatcher as why:
            raise Unusable(str(why)) from why
    alerts = {a["fingerprint"]: a for a in line.ask("GET", "/api/v2/alerts", params=[("filter", f) for f in filters])}
    live = [w for w in line.pages("/api/v1/warnings", live="true") if w["id"] in alerts]
    chosen = [w for w in live if Level[w["level"]] >= least or w["state"] in {"gone", "over"}]
    chosen.sort(key=lambda w: (-Level[w["level"]], w["onset"]))
    if form is Form.JSON:
        rows = [{**w, "labels": alerts[w["id"]]["labels"], "status": alerts[w["id"]]["status"]} for w in chosen]
        return json.dumps(rows, ensure_ascii=False)
    if form is Form.CSV:
        return _table([{**w, "state": _state(w, alerts[w["id"]])} for w in chosen], SHOWN)
    lines = [_line(w, _state(w, alerts[w["id"]])) for w in chosen]
    return "\n".join(lines) or "nothing stands"


def _line(w: Mapping[str, Any], state: str) -> str:
    return f"{w['id']}  {w['level']:6} {state:12} {iso(w['onset'])[:19]}Z  {w['zh']} / {w['en']}"


def _state(warning: dict[str, Any], alert: dict[str, Any]) -> str:
    status = alert["status"]
    return "silenced" if status["silencedBy"] else "inhibited" if status["inhibitedBy"] else str(warning["state"])


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """CSV, with instants as people read them."""
    out = io.StringIO()
    table = csv.DictWriter(out, columns, lineterminator="\n", extrasaction="ignore")
    table.writeheader()
    for row in rows:
        table.writerow({k: iso(v) if k in INSTANTS and v is not None else v for k, v in row.items()})
    return out.getvalue().rstrip("\n")


def acknowledged(line: Line, warning: str, by: str, comment: str, form: Form = Form.TABLE) -> str:
    """Somebody takes a warning; the beginning of its id suffices."""
    return _acted(line, f"/api/v1/warnings/{_meant(line, warning)}/ack", by, comment, form)


def closed(line: Line, warning: str, by: str, comment: str, form: Form = Form.TABLE) -> str:
    """Somebody who may says that it is over."""
    return _acted(line, f"/api/v1/warnings/{_meant(line, warning)}/close", by, comment, form)


def _acted(line: Line, path: str, by: str, comment: str, form: Form) -> str:
    case = line.ask("POST", path, json={"by": by, "comment": comment})
    if form is Form.JSON:
        return json.dumps(case, ensure_ascii=False)
    return _table([case], list(case)) if form is Form.CSV else f"{case['id']} {case['state']}: {case['en']}"


def _meant(line: Line, warning: str) -> str:
    """The whole id of a warning that is not closed; what fits none may be that of a closed one."""
    if not re.fullmatch(r"[0-9a-zA-Z]+", warning):
        raise Unusable(f"{warning!r} is no id of a warning; `lifeline alerts list` shows them")
    meant = [w["id"] for w in line.pages("/api/v1/warnings", live="true") if w["id"].startswith(warning)]
    if len(meant) > 1:
        raise Unusable(f"{warning!r} is the beginning of several ids: {', '.join(meant[:5])}")
    return str(meant[0]) if meant else warning


def silenced(line: Line, matchers: Sequence[str], last: str, by: str, comment: str, *, red: bool, during: Sequence[str]) -> str:
    """Ask for a silence -> its id. during: JSON of time intervals, for one that recurs."""
    try:
        wanted = [m for text in matchers for m in parse(text)]
        windows = [json.loads(text) for text in during]
        length = duration(last)
    except (BadMatcher, ValueError) as why:
        raise Unusable(str(why)) from why
    at = now()
    said = [{"name": m.name, "value": m.value, "isRegex": m.sign.regex, "isEqual": m.sign.equal} for m in wanted]
    ask = {
        "matchers": said, "startsAt": iso(at), "endsAt": iso(at + round(length * NS)), "createdBy": by, "comment": comment,
        "red": red, "during": windows,
    }  # fmt: skip
    return str(line.ask("POST", "/api/v2/silences", json=ask)["silenceID"])


def silences(line: Line, form: Form = Form.TABLE) -> str:
    """Those that hold or will hold."""
    known = [s for s in line.ask("GET", "/api/v2/silences") if s["status"]["state"] != "expired"]
    if form is Form.JSON:
        return json.dumps(known, ensure_ascii=False)
    if form is Form.CSV:
        rows = [{**s, "state": s["status"]["state"], "matchers": _matchers(s)} for s in known]
        return _table(rows, ("id", "state", "startsAt", "endsAt", "createdBy", "comment", "matchers"))
    lines = [
        f"{s['id']}  {s['status']['state']:7} until {s['endsAt'][:19]}Z  {s['createdBy']}: {s['comment']}  {_matchers(s)}"
        for s in known
    ]
    return "\n".join(lines) or "no silence"


def _matchers(silence: Mapping[str, Any]) -> str:
    return ", ".join(f"{m['name']}{_sign(m)}{m['value']!r}" for m in silence["matchers"])


def _sign(m: dict[str, Any]) -> str:
    return {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}[m["isRegex"], m["isEqual"]]


def expired(line: Line, silence: str) -> str:
    """End a silence now."""
    line.ask("DELETE", f"/api/v2/silence/{silence}")
    return f"{silence} is over"


def exported(line: Line, most: int, start: str = "", end: str = "", form: Form = Form.CSV) -> str:
    """Warnings, closed ones too, the youngest first. start, end: when they began, as text; "": whenever"""
    try:
        when = {name: since(text) for name, text in (("since", start), ("until", end)) if text}
    except ValueError as why:
        raise Unusable(str(why)) from why
    known = list(line.pages("/api/v1/warnings", most, **when))
    if form is Form.JSON:
        return json.dumps(known, ensure_ascii=False)
    if form is Form.CSV:
        return _table(known, list(known[0]) if known else list(SHOWN))
    return "\n".join(_line(w, w["state"]) for w in known) or "nothing was warned of"
