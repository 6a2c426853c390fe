"""The description of the interface (OpenAPI 3.1) at /openapi.json: what FastAPI knows, and what only the desk does.

Bodies are read by msgspec, so their schemas come from the same types that read them.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec
from fastapi import FastAPI

from alerts import acts, exercises, shapes
from alerts.beat import Heartbeat
from alerts.dangers import api as dangers
from alerts.duty import api as duty
from alerts.routing.external import Posted
from alerts.routing.silences import Ask
from alerts.users import api as users
from alerts.users.guard import COOKIE, free
from lifeline.model import Change

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
ALERTMANAGER: Final = "/api/v2"
REF: Final = "#/components/schemas/{name}"
ABOUT: Final = """\
Warnings of a city's gas, water, bridges and lifts: what stands, who was told, who answered (docs/desk.md).

Instants are nanoseconds UTC. Long lists have pages (`Link: rel="next"`). What is read has an `ETag`; acts heed `If-Match`."""


class Said(NamedTuple):
    """What a route takes and gives."""

    body: Any = None  # a type; None: no body
    answer: Any = None  # a type; None: nothing is promised
    status: int = 200
    media: str = JSON  # "": without a body
    example: Any = None  # of a body
    takes: str = JSON


def _text(media: str) -> Said:
    return Said(media=media)


_HANDED: Final = {"asset": "W-1", "hazard": "gas_accumulation", "level": "RED", "note": "drill of the night shift"}
SAID: Final[dict[tuple[str, str], Said]] = {
    ("post", "/changes"): Said(list[Change], shapes.Counts, example=[]),
    ("post", "/heartbeat"): Said(Heartbeat, shapes.Silence, example={"source": "watch", "lag_s": 0.2, "not_ready": []}),
    ("get", "/api/v1/warnings"): Said(answer=list[shapes.Warning_]),  # type: ignore[valid-type]
    ("get", "/api/v1/warnings/{warning}"): Said(answer=shapes.History),
    ("post", "/api/v1/warnings/{warning}/ack"): Said(acts.Answer, shapes.Warning_, example={"comment": "on my way"}),
    ("post", "/api/v1/warnings/{warning}/close"): Said(acts.Answer, shapes.Warning_, example={"comment": "main mended"}),
    ("post", "/api/v1/warnings/{warning}/stages/{stage}"): Said(
        acts.Step, shapes.StageDone, example={"note": "smell confirmed", "proof": ["4 %VOL at 14:02"], "verdict": "hazard"}
    ),
    ("get", "/api/v1/warnings/{warning}/alike"): Said(answer=list[shapes.Alike]),
    ("get", "/api/v1/overdue"): Said(answer=list[shapes.Overdue]),
    ("get", "/api/v1/incidents"): Said(answer=list[shapes.Incident]),
    ("get", "/api/v1/audit"): Said(answer=list[shapes.Deed]),
    ("get", "/api/v1/map"): Said(answer=shapes.Chart),
    ("get", "/api/v1/events"): _text("text/event-stream"),
    ("get", "/api/v1/reports"): Said(answer=list[shapes.Report]),
    ("get", "/api/v1/reports/{every}/{day}"): _text("text/html"),
    ("post", "/api/v1/exercises"): Said(exercises.Exercise, example=_HANDED),
    ("post", "/api/v1/exercises/end"): Said(exercises.Ended, example={"asset": "W-1", "hazard": "gas_accumulation"}),
    ("post", "/api/v1/login"): Said(users.Login, shapes.Me, example={"name": "wang", "password": "a long password"}),
    ("post", "/api/v1/logout"): Said(status=204),
    ("get", "/api/v1/oidc/login"): Said(status=303, media=""),
    ("get", "/api/v1/oidc/callback"): Said(status=303, media=""),
    ("get", "/api/v1/me"): Said(answer=shapes.Me),
    ("get", "/api/v1/users"): Said(answer=list[shapes.User]),
    ("post", "/api/v1/users"): Said(users.NewUser, shapes.Named, 201, example={"name": "wang", "role": "leader"}),
    ("patch", "/api/v1/users/{name}"): Said(users.Changed, shapes.Named, example={"role": "operator"}),
    ("get", "/api/v1/users/{name}/tokens"): Said(answer=list[shapes.Token]),
    ("post", "/api/v1/users/{name}/tokens"): Said(
        users.NewToken, shapes.TokenMade, 201, example={"note": "the wall", "days": 365}
    ),
    ("delete", "/api/v1/users/{name}/tokens/{token}"): Said(status=204),
    ("put", "/api/v1/people/{person}"): Said(duty.Edit, example={"reason": "new number", "contacts": {"sms": "13800000000"}}),
    ("post", "/api/v1/rosters/{unit}/{role}/overrides"): Said(
        duty.Exchange,
        example={
            "person": "li-na", "start": "2026-10-01T08:00:00+08:00", "until": "2026-10-01T20:00:00+08:00", "reason": "ill",
        },
    ),
    ("post", "/api/v1/rosters/{unit}/{role}/handover"): Said(duty.Note, example={"text": "valve 12 is shut"}),
    ("post", "/api/v1/rosters/{unit}/{role}/import"): Said(bytes, takes="text/calendar"),
    ("get", "/api/v1/people/{person}.ics"): _text("text/calendar"),
    ("get", "/api/v1/rosters/{unit}/{role}.ics"): _text("text/calendar"),
    ("get", "/api/v1/dangers"): Said(answer=shapes.Dangers),
    ("post", "/api/v1/dangers"): Said(
        dangers.Entry, shapes.Known, 201, example={"place": "Fenglu road 3", "description": "cover is loose", "finder": "Li Na"}
    ),
    ("get", "/api/v1/dangers/{danger}"): Said(answer=shapes.Known),
    ("post", "/api/v1/dangers/{danger}/{act}"): Said(dangers.Entry, shapes.Known, example={"note": "works have begun"}),
    ("get", "/api/v1/dangers/export.csv"): _text("text/csv"),
    ("get", "/api/v1/dangers/export.xlsx"): _text("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("post", "/api/v1/pictures"): Said(bytes, shapes.Picture, 201, takes="image/*"),
    ("get", "/api/v1/pictures/{picture}"): _text("image/*"),
    ("post", "/api/v2/alerts"): Said(list[Posted], media="", example=[{"labels": {"alertname": "DiskFull"}}]),
    ("post", "/api/v2/silences"): Said(
        Ask,
        example={
            "matchers": [{"name": "asset", "value": "W-1", "isRegex": False}], "startsAt": "2026-10-01T08:00:00+08:00",
            "endsAt": "2026-10-01T10:00:00+08:00", "comment": "works at the well",
        },
    ),
    ("delete", "/api/v2/silence/{id_}"): Said(media=""),
    ("get", "/f/{channel}/cap.atom"): _text("application/atom+xml"),
    ("get", "/f/{channel}/{name}.xml"): _text("application/cap+xml"),
    ("get", "/a/{token}"): _text("text/html"),
    ("post", "/a/{token}"): _text("text/html"),
    ("get", "/a/{token}/plot.png"): _text("image/png"),
    ("get", "/metrics"): _text("text/plain"),
    **{("get", path): _text("text/plain") for path in ("/healthz", "/-/healthy", "/readyz", "/-/ready")},
    **{("get", path): _text("text/html") for path in ("/report/", "/report/{receipt}")},
    ("get", "/report/state"): Said(status=303, media=""),
    ("post", "/report/"): _text("text/html"),
}  # fmt: skip
CHANGES: Final = ("/ack", "/close", "/stages/{stage}", "/dangers/{danger}/{act}")  # ends of routes that heed If-Match
FASTAPIS: Final = ("HTTPValidationError", "ValidationError")  # its way to say what is wrong, which is not ours
PAGED: Final = ("/api/v1/warnings", "/api/v1/incidents", "/api/v1/audit", "/api/v1/dangers")


def described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What gives the document; it is made once."""
    plain = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(plain())
        return plain()

    return document


def _complete(whole: dict[str, Any]) -> None:
    """Add to FastAPI's document what the desk's own types say."""
    types = [t for said in SAID.values() for t in (said.body, said.answer) if t is not None] + [shapes.Trouble]
    found, components = msgspec.json.schema_components(types, ref_template=REF)
    schemas = dict(zip(map(str, types), found, strict=True))
    whole["info"]["description"] = ABOUT
    kept = {name: s for name, s in whole["components"]["schemas"].items() if name not in FASTAPIS}
    whole["components"] = {
        "schemas": {**kept, **_loosened(components)},
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "`lifeline users token NAME`"},
            "password": {"type": "http", "scheme": "basic"},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "of `POST /api/v1/login`"},
        },
        "responses": {"Problem": _answer(schemas[str(shapes.Trouble)], PROBLEM, "What is wrong (RFC 9457).")},
    }
    whole["security"] = [{"token": []}, {"password": []}, {"session": []}]
    for method, path, operation in _operations(whole):
        _describe(operation, method, path, SAID.get((method, path), Said()), schemas)


def _operations(whole: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def _describe(operation: dict[str, Any], method: str, path: str, said: Said, schemas: dict[str, Any]) -> None:
    open_to_all = free(path)
    if open_to_all:
        operation["security"] = []
    if said.body is not None:
        operation["requestBody"] = {"required": True, "content": {said.takes: _body(said, schemas)}}
    answers: dict[str, Any] = {str(said.status): _answered(said, schemas)}
    if path.startswith(ALERTMANAGER):
        answers["default"] = _answer({"type": "string"}, JSON, "What is wrong, as Alertmanager says it.")
    else:
        answers["default"] = {"$ref": "#/components/responses/Problem"}
    if path.startswith(("/a/", "/report/")):
        answers["default"] = _answer({"type": "string"}, "text/html", "A page that says what is wrong.")
    if path in {"/-/ready", "/readyz"}:
        answers["503"] = _answer({"type": "string"}, "text/plain", "Why it is not ready, a reason a line.")
    if path.endswith(CHANGES):
        operation.setdefault("parameters", []).append(_header("If-Match", "the `ETag` that was seen; 412 when it has changed"))
    if method == "get" and path.startswith("/api/v1/") and said.media == JSON:
        operation.setdefault("parameters", []).append(
            _header("If-None-Match", "an `ETag` that is at hand; 304 when it is the newest")
        )
        answers["304"] = {"description": "Who asks has it already."}
        answers["200"]["headers"] = {"ETag": {"schema": {"type": "string"}}}
    if path in PAGED and method == "get":
        answers["200"]["headers"]["Link"] = {"schema": {"type": "string"}, "description": 'the next page, `rel="next"`'}
    operation["responses"] = answers


def _body(said: Said, schemas: dict[str, Any]) -> dict[str, Any]:
    if said.body is bytes:
        return {"schema": {"type": "string", "format": "binary"}}
    return {"schema": schemas[str(said.body)], **({"example": said.example} if said.example is not None else {})}


def _answered(said: Said, schemas: dict[str, Any]) -> dict[str, Any]:
    if said.status == 204 or not said.media:
        return {"description": "Done."}
    schema = schemas[str(said.answer)] if said.answer is not None else {}
    return _answer(schema, said.media, "Done." if said.body is not None else "Here it is.")


def _answer(schema: dict[str, Any], media: str, words: str) -> dict[str, Any]:
    return {"description": words, "content": {media: {"schema": schema}}}


def _header(name: str, words: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": words}


def _loosened(components: dict[str, Any]) -> dict[str, Any]:
    """The ledger's instants may also be said as text."""
    for name in ("found", "deadline"):
        components["Entry"]["properties"][name]["anyOf"].append({"type": "string", "format": "date-time"})
    return components
