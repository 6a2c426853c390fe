"""The plan of a warning over HTTP."""

from http import HTTPStatus
from typing import Final, Literal

from fastapi import APIRouter, Response

from alerts import rows
from alerts.plans.plan import plan
from alerts.plans.stores import nearest
from alerts.texts import hazard
from alerts.web import OurDesk, Problem, json_answer

router: Final = APIRouter()


@router.get("/api/v1/warnings/{warning}/plan")
def of(desk: OurDesk, warning: str, language: Literal["", "zh", "en"] = "") -> Response:
    """What to do about a warning, as Markdown in one language or both, and the nearest store, shelter and team."""
    with desk.database.read() as db:
        case = rows.find(db, warning)
    if case is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"no warning has the id {warning}")
    found, (zh, en) = plan(case.hazard), hazard(case.hazard)
    texts = {k: v for k, v in (("zh", found.zh), ("en", found.en)) if language in {"", k}}
    near = nearest(desk.stores, case.lat, case.lon)
    named = {"warning": warning, "hazard": case.hazard, "zh_name": zh, "en_name": en, "plan": found.group}
    return json_answer(named | texts | {"near": near})
