"""Signing in with a provider of identities: /api/v1/oidc/login sends a browser there, /api/v1/oidc/callback takes it back.

Who comes back gets a session of ours, as after a login with a password: what the provider does later ends it no sooner. That
the provider is away touches nobody who signs in with a password, and no session that there is.
"""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from alerts import rows
from alerts.desk import Desk
from alerts.roles import Role
from alerts.users.access import Who, Wrong
from alerts.users.api import seated
from alerts.users.provider import Asked, NoProvider, NotProven, Provider, ask, at
from alerts.web import OurDesk, Problem

AWAY: Final = 600  # [s] that a browser may take to come back
KEEPS: Final = "lifeline_oidc"  # cookie
PATH: Final = "/api/v1/oidc"
router: Final = APIRouter(prefix=PATH)
Text = Annotated[str, Query(max_length=4000)]


@router.get("/login")
async def login(desk: OurDesk, to: Text = "/") -> Response:
    """To the provider, and back to `to` on this desk. 404: none is configured. 503: it does not answer."""
    provider, asked = _provider(desk), ask()
    try:
        answer = RedirectResponse(await provider.address(asked), HTTPStatus.SEE_OTHER)
    except NoProvider as why:
        raise _away(why) from why
    kept = urlencode({**asked._asdict(), "to": _here(to)})
    secure = desk.settings.public_url.startswith("https:")
    answer.set_cookie(KEEPS, kept, max_age=AWAY, path=PATH, httponly=True, samesite="lax", secure=secure)
    return answer


@router.get("/callback")
async def callback(request: Request, desk: OurDesk, code: Text = "", state: Text = "", error: Text = "") -> Response:
    """Back from the provider. 401: it is not proven who that is. 403: nobody whom the desk lets in."""
    provider = _provider(desk)
    asked, to = _kept(request.cookies.get(KEEPS, ""))
    if asked is None or not state or state != asked.state:
        raise await _refused(desk, "this is no answer to a sign-in that began in this browser", HTTPStatus.BAD_REQUEST)
    if error or not code:
        raise await _refused(desk, f"the provider says: {error[:200] or 'nothing'}")
    try:
        claims = await provider.claims(code, asked)
    except NotProven as why:
        raise await _refused(desk, str(why)) from why
    except NoProvider as why:
        raise _away(why) from why
    who = await _let_in(desk, provider, claims)
    answer = await seated(desk, who, RedirectResponse(to, HTTPStatus.SEE_OTHER), note="oidc")
    answer.delete_cookie(KEEPS, path=PATH)
    return answer


async def _let_in(desk: Desk, provider: Provider, claims: dict[str, Any]) -> Who:
    """The user of ours that the claims speak of, with the role that they give, made where there was none."""
    told, name = provider.told, next(iter(at(claims, provider.told.user)), "")
    role = max((r for r in Role if set(getattr(told, r.name.lower())) & set(at(claims, told.claim))), default=None)
    if not name:
        raise await _refused(desk, f"the provider gives no {told.user}", HTTPStatus.FORBIDDEN)
    if told.domain and (name.rpartition("@")[2].lower() != told.domain.lower() or claims.get("email_verified") is False):
        raise await _refused(desk, f"{name} is not of {told.domain}", HTTPStatus.FORBIDDEN)
    if role is None:
        raise await _refused(desk, f"nothing in {told.claim} gives {name} a role here", HTTPStatus.FORBIDDEN)
    subject = f"{claims['iss']} {claims['sub']}"
    try:
        return await asyncio.to_thread(desk.access.known_elsewhere, subject, name, role, desk.clock.now())
    except Wrong as why:
        raise await _refused(desk, str(why), HTTPStatus.FORBIDDEN) from why


async def _refused(desk: Desk, why: str, status: HTTPStatus = HTTPStatus.UNAUTHORIZED) -> Problem:
    """The refusal, written into the audit trail."""

    def write() -> None:
        with desk.database.write() as db:
            rows.record(db, desk.clock.now(), "session_refused", by="oidc", warning=None, reason=why[:500])

    await asyncio.to_thread(write)
    return Problem(status, why)


def _provider(desk: Desk) -> Provider:
    if desk.provider is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no provider of identities is configured: [oidc] issuer")
    return desk.provider


def _away(why: NoProvider) -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"{why}; sign in with a name and password")


def _here(to: str) -> str:
    """A place on this desk; never another site."""
    fine = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() and "\\" not in to
    return to if fine else "/"


def _kept(cookie: str) -> tuple[Asked | None, str]:
    """What the browser kept, and where it wanted to go."""
    said = {name: values[0] for name, values in parse_qs(cookie).items()}
    if not all(said.get(name) for name in Asked._fields):
        return None, "/"
    return Asked(*(said[name] for name in Asked._fields)), _here(said.get("to", "/"))
