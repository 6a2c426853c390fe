"""Signing in with a provider of identities, against a double that does what one does."""

import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from sqlalchemy import select

from alerts.api import app
from alerts.desk import Desk, Settings
from alerts.roles import Role
from alerts.route import Route
from alerts.tables import Database, audit
from alerts.users.guard import COOKIE
from alerts.users.provider import AGAIN, KEPT, SKEW, at
from alerts.users.signin import KEEPS
from alerts.users.tables import users
from lifeline.catalog import Catalog
from lifeline.clock import FastClock
from lifeline.config import Oidc
from lifeline.kinds import Secret
from lifeline.model import NS
from tests.brokers import free_port
from tests.tokens import TOKEN

AT = 1_767_000_000 * NS
CLIENT, SECRET, BACK = "lifeline", "s3cret", "http://desk/api/v1/oidc/callback"
KEYS = {kid: RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"}) for kid in ("old", "new")}


class Double:
    """A provider: discovery, authorize, token with PKCE and client authentication, keys. What it says may be changed."""

    def __init__(self) -> None:
        self.kid, self.shown, self.up = "old", ["old"], True
        self.claims: dict[str, Any] = {}  # put over what is right
        self.sign: Callable[[dict[str, Any]], str] = lambda c: jwt.encode({"alg": "RS256", "kid": self.kid}, c, KEYS[self.kid])
        self.asked: list[str] = []
        self.desks: dict[int, tuple[Desk, Any]] = {}  # that ask it, and their applications
        self.codes: dict[str, dict[str, str]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._answers())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.issuer = self.url
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def visited(self, address: str) -> str:
        """Somebody signs in on the provider's page -> where the browser is sent back to."""
        assert address.startswith(f"{self.url}/authorize?")
        said = {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}
        assert said["response_type"] == "code"
        assert (said["client_id"], said["redirect_uri"], said["code_challenge_method"]) == (CLIENT, BACK, "S256")
        assert "openid" in said["scope"].split()
        code = f"code{len(self.codes)}"
        self.codes[code] = said
        return f"{BACK}?code={code}&state={said['state']}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        known = self.codes.pop(form["code"], None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if known is None or authorization != f"Basic {basic}" or form["redirect_uri"] != BACK:
            return None
        digest = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if digest != known["code_challenge"]:
            return None
        now = AT // NS
        right = {"iss": self.issuer, "aud": CLIENT, "sub": "4711", "iat": now, "exp": now + 300, "nonce": known["nonce"]}
        right |= {"email": "li@city.example", "groups": ["staff", "leaders"]}
        claims = {k: v for k, v in {**right, **self.claims}.items() if v is not None}
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.sign(claims)}

    def _answers(self) -> type[BaseHTTPRequestHandler]:
        double = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                double.asked.append(self.path)
                page = {
                    "/.well-known/openid-configuration": {
                        "issuer": double.issuer, "authorization_endpoint": f"{double.url}/authorize",
                        "token_endpoint": f"{double.url}/token", "jwks_uri": f"{double.url}/jwks",
                    },
                    "/jwks": KeySet([KEYS[kid] for kid in double.shown]).as_dict(private=False),
                }.get(self.path)  # fmt: skip
                self._say(page if double.up else None, 503)

            def do_POST(self) -> None:
                double.asked.append(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {k: v[0] for k, v in parse_qs(body).items()}
                self._say(double.token(form, self.headers.get("Authorization", "")), 400)

            def _say(self, page: Any, otherwise: int) -> None:
                body = json.dumps(page if page is not None else {"error": "invalid_grant"}).encode()
                self.send_response(200 if page is not None else otherwise)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        return Answers


@pytest.fixture
def double() -> Iterator[Double]:
    made = Double()
    yield made
    made.close()


@pytest.fixture
def clock() -> FastClock:
    return FastClock(AT)


@pytest.fixture
def desk(database: Database, catalog: Catalog, double: Double, clock: FastClock) -> Desk:
    told = Oidc(double.url, CLIENT, Secret(SECRET), domain="city.example", operator=("staff",), leader=("leaders", "chiefs"))
    return Desk.of(Settings("c", "http://desk", token=TOKEN, oidc=told), database, catalog, [Route("phone")], {}, clock)


class Browser:
    """Somebody's browser."""

    def __init__(self, desk: Desk, double: Double) -> None:
        served = double.desks.setdefault(id(desk), (desk, app(desk)))[1]
        self.http, self.double = httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://desk"), double

    async def signs_in(self, to: str = "/console", change: Callable[[str], str] = lambda url: url) -> httpx.Response:
        sent = await self.http.get("/api/v1/oidc/login", params={"to": to})
        if sent.status_code != 303:
            return sent
        return await self.http.get(change(self.double.visited(sent.headers["location"])))


def browse(desk: Desk, double: Double, work: Callable[[Browser], Any]) -> Any:
    async def whole() -> Any:
        browser = Browser(desk, double)
        async with browser.http:
            return await work(browser)

    return asyncio.run(whole())


def signs_in(desk: Desk, double: Double, **more: Any) -> httpx.Response:
    found: httpx.Response = browse(desk, double, lambda b: b.signs_in(**more))
    return found


def acts(database: Database) -> list[tuple[str, str]]:
    with database.read() as db:
        return [tuple(r) for r in db.execute(select(audit.c.act, audit.c.by).order_by(audit.c.id)).all()]


def test_who_signs_in_there_has_a_session_here_with_the_highest_role_of_their_groups(desk: Desk, double: Double) -> None:
    async def work(browser: Browser) -> None:
        back = await browser.signs_in()
        assert (back.status_code, back.headers["location"]) == (303, "/console")
        assert KEEPS not in browser.http.cookies
        me = await browser.http.get("/api/v1/me")
        assert me.json() == {"name": "li@city.example", "role": "leader", "person": ""}
        cookie = {"Cookie": f"{COOKIE}={browser.http.cookies[COOKIE]}"}
        assert (await browser.http.post("/api/v1/logout")).status_code == 204
        assert (await browser.http.get("/api/v1/me", headers=cookie)).status_code == 401

    browse(desk, double, work)
    assert acts(desk.database) == [
        ("user_added", "oidc"), ("session_made", "li@city.example"), ("token_ended", "li@city.example"),
    ]  # fmt: skip


def test_another_group_is_another_role_and_an_ended_user_is_not_let_in(desk: Desk, double: Double, clock: FastClock) -> None:
    assert signs_in(desk, double).status_code == 303
    double.claims = {"groups": ["staff"], "email": "li.na@city.example"}  # the same subject, whatever she is called now
    assert signs_in(desk, double).status_code == 303
    with desk.database.read() as db:
        assert [tuple(r) for r in db.execute(select(users.c.name, users.c.role))] == [("li@city.example", "OPERATOR")]
    desk.access.change("li@city.example", "test", clock.now(), ended=clock.now())
    assert signs_in(desk, double).status_code == 403


def test_a_name_alone_takes_over_nobody(desk: Desk, double: Double) -> None:
    desk.access.add("li@city.example", Role.ADMIN, "correct horse battery", "test", AT)
    refused = signs_in(desk, double)
    assert (refused.status_code, "there is a user" in refused.json()["detail"]) == (403, True)


WRONG: list[tuple[dict[str, Any], int]] = [
    ({"nonce": "of another"}, 401), ({"nonce": None}, 401), ({"aud": "other"}, 401), ({"aud": [CLIENT, "other"]}, 401),
    ({"aud": [CLIENT, "other"], "azp": "other"}, 401), ({"aud": None}, 401), ({"exp": AT // NS - SKEW - 1}, 401),
    ({"exp": None}, 401), ({"iat": AT // NS + SKEW + 1}, 401), ({"iss": "https://evil.example"}, 401), ({"sub": None}, 401),
    ({"nbf": AT // NS + SKEW + 1}, 401), ({"email": "li@evil.example"}, 403), ({"email": None}, 403),
    ({"email": "li@city.example.evil"}, 403), ({"email_verified": False}, 403), ({"groups": ["other"]}, 403),
    ({"groups": None}, 403),
]  # fmt: skip


def test_what_is_not_proven_lets_nobody_in_and_is_written_down(desk: Desk, double: Double) -> None:
    for claims, status in WRONG:
        double.claims = claims
        refused = signs_in(desk, double)
        assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json"), claims
        assert "set-cookie" not in refused.headers
    assert acts(desk.database) == [("session_refused", "oidc")] * len(WRONG)
    double.claims = {"exp": AT // NS - SKEW + 5, "iat": AT // NS + SKEW - 5, "aud": [CLIENT, "x"], "azp": CLIENT}
    assert signs_in(desk, double).status_code == 303  # clocks may differ a little


def test_only_the_provider_s_own_signature_counts(desk: Desk, double: Double) -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "old"})
    parts = ({"alg": "none"}, {"sub": "4711"})
    unsigned = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    shared = OctKey.import_key(SECRET * 8)
    signatures: list[Callable[[dict[str, Any]], str]] = [
        lambda c: jwt.encode({"alg": "RS256", "kid": "old"}, c, stranger),
        lambda c: jwt.encode({"alg": "HS256"}, c, shared),
        lambda _: f"{unsigned}.",
        lambda _: "not.a.token", lambda _: "",
    ]  # fmt: skip
    for sign in signatures:
        double.sign = sign
        assert signs_in(desk, double).status_code == 401


def test_keys_that_were_changed_are_read_again_but_not_for_ever(desk: Desk, double: Double, clock: FastClock) -> None:
    assert signs_in(desk, double).status_code == 303
    assert double.asked.count("/jwks") == 1
    double.kid, double.shown = "new", ["new"]
    clock._now += round((AGAIN + 1) * NS)
    assert signs_in(desk, double).status_code == 303
    assert double.asked.count("/jwks") == 2
    double.shown, double.kid = ["old"], "new"  # one that is never shown
    for _ in range(3):
        double.kid = "old"
        assert signs_in(desk, double).status_code == 401
    assert double.asked.count("/jwks") == 2
    clock._now += round((AGAIN + 1) * NS)
    assert signs_in(desk, double).status_code == 303
    assert double.asked.count("/.well-known/openid-configuration") == 1
    clock._now += round(KEPT * NS)
    double.claims = {"exp": clock.now() // NS + 60, "iat": clock.now() // NS}
    assert signs_in(desk, double).status_code == 303
    assert double.asked.count("/.well-known/openid-configuration") == 2


def test_an_answer_that_nobody_here_asked_for_is_none(desk: Desk, double: Double) -> None:
    assert signs_in(desk, double, change=lambda url: url.replace("state=", "state=x")).status_code == 400
    assert signs_in(desk, double, change=lambda url: url.partition("&")[0]).status_code == 400
    assert signs_in(desk, double, change=lambda url: url.replace("code=", "code=x")).status_code == 401
    assert signs_in(desk, double, change=lambda url: url.replace("code=", "error=access_denied&c=")).status_code == 401

    async def stolen(browser: Browser) -> int:  # a link with somebody else's code
        url = double.visited((await Browser(desk, double).http.get("/api/v1/oidc/login")).headers["location"])
        return (await browser.http.get(url)).status_code

    assert browse(desk, double, stolen) == 400


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "x", "/a\r\nb"])
def test_nobody_is_sent_to_another_site(desk: Desk, double: Double, to: str) -> None:
    assert signs_in(desk, double, to=to).headers["location"] == "/"


def test_a_provider_that_is_away_keeps_nobody_from_signing_in_with_a_password(
    database: Database, catalog: Catalog, double: Double, clock: FastClock
) -> None:
    away = Oidc(f"http://127.0.0.1:{free_port()}", CLIENT, admin=("x",))
    desk = Desk.of(Settings("c", token=TOKEN, oidc=away), database, catalog, [], {}, clock)
    desk.access.add("li", Role.VIEWER, "correct horse battery", "test", AT)

    async def work(browser: Browser) -> None:
        refused = await browser.http.get("/api/v1/oidc/login")
        assert (refused.status_code, "name and password" in refused.json()["detail"]) == (503, True)
        login = await browser.http.post("/api/v1/login", json={"name": "li", "password": "correct horse battery"})
        assert login.status_code == 200
        assert (await browser.http.get("/api/v1/me")).json()["name"] == "li"

    browse(desk, double, work)
    double.issuer = "https://another.example"
    other = Oidc(double.url, CLIENT, admin=("x",))
    assert signs_in(Desk.of(Settings("c", oidc=other), database, catalog, [], {}, clock), double).status_code == 503
    double.up = False
    assert signs_in(Desk.of(Settings("c", oidc=other), database, catalog, [], {}, clock), double).status_code == 503
    none = Desk.of(Settings("c"), database, catalog, [], {}, clock)
    assert signs_in(none, double).status_code == 404


def test_claims_are_found_by_their_path() -> None:
    claims = {"groups": ["a", 1], "realm_access": {"roles": ["b"]}, "x.y": "c", "n": None}
    assert (at(claims, "groups"), at(claims, "realm_access.roles"), at(claims, "x.y")) == (["a"], ["b"], ["c"])
    assert at(claims, "n") == at(claims, "groups.x") == at(claims, "none.of.it") == []
