"""The commands `lifeline alerts …`: what people do with warnings, over the desk's HTTP interface."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from alerts.routing.matchers import BadMatcher, parse
from lifeline.clock import iso, now
from lifeline.kinds import duration
from lifeline.model import NS, Level
from lifeline.words import Unusable

PATIENCE: Final = 10.0  # [s]
SHOWN: Final = ("id", "level", "state", "kind", "asset", "hazard", "district", "onset", "acknowledged_by")
INSTANTS: Final = ("onset", "t", "raised", "updated", "pushed", "cleared", "acknowledged_at")


class Line:
    """A desk that answers over HTTP."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url, self.headers = url.rstrip("/"), dict(headers)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The answer as JSON; Unusable with what the desk says against it."""
        try:
            answer = httpx.request(method, self.url + path, timeout=PATIENCE, trust_env=False, headers=self.headers, **more)
        except (httpx.HTTPError, httpx.InvalidURL) as why:
            raise Unusable(f"the desk does not answer at {self.url}: {why}") from why
        if not answer.is_success:
            raise Unusable(_refusal(answer))
        return answer.json() if answer.content else None


def _refusal(answer: httpx.Response) -> str:
    try:
        said = answer.json()
        return said if isinstance(said, str) else str(said["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.text[:200]}"


def listed(line: Line, filters: Sequence[str], least: Level, *, as_json: bool) -> str:
    """Warnings not closed, the gravest first; filters are matchers as in routes."""
    for text in filters:
        try:
            parse(text)
        except BadMatcher as why:
            raise Unusable(str(why)) from why
    alerts = line.ask("GET", "/api/v2/alerts", params=[("filter", f) for f in filters])
    live = {w["id"]: w for w in line.ask("GET", "/api/v1/warnings", params={"live": "true", "limit": 100_000})}
    chosen = [(live[a["fingerprint"]], a) for a in alerts if a["fingerprint"] in live]
    chosen = [(w, a) for w, a in chosen if Level[w["level"]] >= least or w["state"] in {"gone", "over"}]
    chosen.sort(key=lambda both: (-Level[both[0]["level"]], both[0]["onset"]))
    if as_json:
        return json.dumps([a for _, a in chosen], ensure_ascii=False)
    lines = [f"{w['id']}  {w['level']:6} {_state(w, a):12} {iso(w['onset'])[:19]}Z  {w['zh']} / {w['en']}" for w, a in chosen]
    return "\n".join(lines) or "nothing stands"


def _state(warning: dict[str, Any], alert: dict[str, Any]) -> str:
    status = alert["status"]
    return "silenced" if status["silencedBy"] else "inhibited" if status["inhibitedBy"] else str(warning["state"])


def acknowledged(line: Line, warning: str, by: str, comment: str) -> str:
    """Somebody takes a warning; the beginning of its id suffices."""
    case = line.ask("POST", f"/api/v1/warnings/{_meant(line, warning)}/ack", json={"by": by, "comment": comment})
    return f"{case['id']} {case['state']}: {case['en']}"


def closed(line: Line, warning: str, by: str, comment: str) -> str:
    """Somebody who may says that it is over."""
    case = line.ask("POST", f"/api/v1/warnings/{_meant(line, warning)}/close", json={"by": by, "comment": comment})
    return f"{case['id']} {case['state']}: {case['en']}"


def _meant(line: Line, warning: str) -> str:
    """The whole id of a warning that is not closed."""
    live = line.ask("GET", "/api/v1/warnings", params={"live": "true", "limit": 100_000})
    meant = [w["id"] for w in live if w["id"].startswith(warning)]
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


def silences(line: Line, *, as_json: bool) -> str:
    """Those that hold or will hold."""
    known = [s for s in line.ask("GET", "/api/v2/silences") if s["status"]["state"] != "expired"]
    if as_json:
        return json.dumps(known, ensure_ascii=False)
    lines = [
        f"{s['id']}  {s['status']['state']:7} until {s['endsAt'][:19]}Z  {s['createdBy']}: {s['comment']}  "
        + ", ".join(f"{m['name']}{_sign(m)}{m['value']!r}" for m in s["matchers"])
        for s in known
    ]
    return "\n".join(lines) or "no silence"


def _sign(m: dict[str, Any]) -> str:
    return {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}[m["isRegex"], m["isEqual"]]


def expired(line: Line, silence: str) -> str:
    """End a silence now."""
    line.ask("DELETE", f"/api/v2/silence/{silence}")
    return f"{silence} is over"


def exported(line: Line, most: int, *, as_json: bool) -> str:
    """Warnings, closed ones too, the youngest first, as CSV or JSON."""
    known = line.ask("GET", "/api/v1/warnings", params={"limit": most})
    if as_json:
        return json.dumps(known, ensure_ascii=False)
    out = io.StringIO()
    table = csv.DictWriter(out, list(known[0]) if known else list(SHOWN), lineterminator="\n")
    table.writeheader()
    for w in known:
        table.writerow({k: iso(v) if k in INSTANTS and v is not None else v for k, v in w.items()})
    return out.getvalue().rstrip("\n")
