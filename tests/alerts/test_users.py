"""Who is let in, and to what."""

import asyncio
import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select

from alerts.api import app
from alerts.desk import Desk, Settings
from alerts.roles import Role
from alerts.route import Route
from alerts.tables import Database, audit
from alerts.users.access import PAUSE, TRIES, Access, Who, Wrong
from alerts.users.guard import COOKIE, OPEN, SIGNED
from alerts.users.tables import tokens, users
from lifeline.catalog import Catalog
from lifeline.clock import FastClock
from lifeline.model import NS

AT = 1_767_000_000 * NS
MACHINE, PASSWORD = "m" * 20, "correct horse battery"


@pytest.fixture
def access(database: Database) -> Access:
    made = Access(database, MACHINE)
    made.add("li", Role.OPERATOR, PASSWORD, "test", AT, person="li-na")
    return made


@pytest.fixture
def desk(database: Database, catalog: Catalog) -> Desk:
    return Desk.of(Settings("c", token=MACHINE), database, catalog, [Route("phone")], {}, FastClock(AT))


def ask(desk: Desk, *requests: tuple[str, str, Any], **headers: str) -> list[httpx.Response]:
    async def work() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app(desk))
        async with httpx.AsyncClient(transport=transport, base_url="http://desk", headers=headers) as http:
            return [await http.request(m, p, content=msgspec.json.encode(b) if b else None) for m, p, b in requests]

    return asyncio.run(work())


def bearer(token: str) -> str:
    return f"Bearer {token}"


def test_a_password_is_right_or_wrong_and_no_secret_is_kept(access: Access, database: Database) -> None:
    assert access.password("li", PASSWORD, AT) == Who("li", Role.OPERATOR, "li-na")
    assert access.password("li", PASSWORD + " ", AT) is None
    assert access.password("nobody", PASSWORD, AT) is None
    made = access.token("li", "test", AT, days=None)
    with database.read() as db:
        kept = str([db.execute(select(table)).all() for table in (users, tokens, audit)])
    assert PASSWORD not in kept
    assert made.split("_")[2] not in kept


def test_after_a_few_wrong_passwords_even_the_right_one_has_to_wait(access: Access) -> None:
    for i in range(TRIES):
        assert access.password("li", f"guess {i}", AT) is None
    assert access.password("li", PASSWORD, AT + NS) is None
    assert access.password("li", PASSWORD, AT + (PAUSE + 1) * NS) is not None


def test_wrong_passwords_of_others_let_nobody_try_again(access: Access) -> None:
    for i in range(TRIES):
        assert access.password("li", f"guess {i}", AT) is None
    for i in range(2000):
        access.password(f"nobody-{i}", "x", AT)
    assert access.password("li", PASSWORD, AT) is None
    assert len(access._failed) == 1


def test_a_token_holds_until_it_expires_or_is_revoked_or_its_user_ends(access: Access) -> None:
    short, long = access.token("li", "test", AT, days=1), access.token("li", "test", AT, days=None)
    day = 86_400 * NS
    assert access.bearer(short, AT + day - 1) == Who("li", Role.OPERATOR, "li-na")
    assert access.bearer(short, AT + day) is None
    assert access.bearer(long, AT + 1000 * day) is not None
    assert access.bearer(long[:-1], AT) is None
    access.revoke(long, "test", AT)
    assert access.bearer(long, AT) is None
    with pytest.raises(Wrong, match="no token"):
        access.revoke(long, "test", AT)
    third = access.token("li", "test", AT, days=None)
    access.change("li", "test", AT, ended=AT)
    assert access.bearer(third, AT) is None
    assert access.password("li", PASSWORD, AT) is None


def test_another_role_holds_at_once(access: Access) -> None:
    made = access.token("li", "test", AT, days=None)
    assert access.bearer(made, AT) == Who("li", Role.OPERATOR, "li-na")
    access.change("li", "test", AT, role=Role.LEADER)
    assert access.bearer(made, AT) == Who("li", Role.LEADER, "li-na")


def test_a_new_password_ends_what_was_logged_in(access: Access) -> None:
    session = access.token("li", "li", AT, days=1, kind="session")
    access.change("li", "test", AT, password=PASSWORD + "!")
    assert access.bearer(session, AT) is None


@pytest.mark.parametrize("bad", ["", "ll_", "ll__", "ll_x_y", "x", "ll_a_b_c", "\udcff", "ü"])
def test_what_is_no_token_is_nobody(access: Access, bad: str) -> None:
    assert access.bearer(bad.encode("utf-8", "replace").decode(), AT) is None


def test_without_a_token_of_the_machine_none_is_the_machines(database: Database) -> None:
    assert Access(database).bearer("", AT) is None


@pytest.mark.parametrize(
    ("name", "password", "why"), [("li", PASSWORD, "already"), ("machine", PASSWORD, "no name"), ("wang", "short", "at least")]
)
def test_a_user_needs_a_name_of_their_own_and_a_long_password(access: Access, name: str, password: str, why: str) -> None:
    with pytest.raises(Wrong, match=why):
        access.add(name, Role.VIEWER, password, "test", AT)


def test_no_route_but_health_and_signed_links_answers_without_a_credential(desk: Desk) -> None:
    paths = [(path, method) for path, known in app(desk).openapi()["paths"].items() for method in known]
    paths += [("/docs", "get"), ("/openapi.json", "get"), ("/nothing", "get")]
    health, sign_in = {"/-/healthy", "/healthz", "/-/ready", "/readyz"}, {"/login", "/api/v1/login"}
    assert health | sign_in | {"/api/v1/oidc/login", "/api/v1/oidc/callback"} == OPEN
    assert set(SIGNED) == {"/a/", "/report/", "/api/v1/receipts/"}
    guarded = [(path, method) for path, method in paths if path not in OPEN and not path.startswith(SIGNED)]
    assert len(guarded) > 15
    answers = ask(desk, *((method.upper(), path.translate({123: None, 125: None}), None) for path, method in guarded))
    assert {a.status_code for a in answers} == {401}
    assert all("Bearer" in a.headers["www-authenticate"] for a in answers)


def test_the_first_admin_comes_by_the_machines_token_and_each_role_may_do_its_own(desk: Desk) -> None:
    wang = {"name": "wang", "role": "viewer", "password": PASSWORD}
    (made,) = ask(desk, ("POST", "/api/v1/users", wang), Authorization=bearer(MACHINE))
    assert made.status_code == 201
    basic = "Basic " + base64.b64encode(f"wang:{PASSWORD}".encode()).decode()
    me, listed, act, users_, changes = ask(
        desk,
        ("GET", "/api/v1/me", None),
        ("GET", "/api/v1/warnings", None),
        ("POST", "/api/v1/warnings/x/ack", {}),
        ("GET", "/api/v1/users", None),
        ("POST", "/changes", []),
        Authorization=basic,
    )
    assert me.json() == {"name": "wang", "role": "viewer", "person": ""}
    assert [listed.status_code, act.status_code, users_.status_code, changes.status_code] == [200, 403, 403, 403]


def test_a_login_is_a_cookie_that_no_other_site_can_use_and_ends_with_the_logout(desk: Desk) -> None:
    desk.access.add("li", Role.OPERATOR, PASSWORD, "test", AT)

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app(desk)), base_url="http://desk") as http:
            assert (await http.post("/api/v1/login", json={"name": "li", "password": "wrong"})).status_code == 401
            answer = await http.post("/api/v1/login", json={"name": "li", "password": PASSWORD})
            assert answer.status_code == 200
            assert "HttpOnly" in answer.headers["set-cookie"]
            assert http.cookies[COOKIE].startswith("ll_")
            assert (await http.get("/api/v1/me")).json()["name"] == "li"
            cookie = {"Cookie": f"{COOKIE}={http.cookies[COOKIE]}"}
            foreign = await http.post("/api/v1/warnings/x/ack", json={}, headers={"Origin": "https://evil.example"})
            assert (foreign.status_code, "another site" in foreign.json()["detail"]) == (403, True)
            own = await http.post("/api/v1/warnings/x/ack", json={}, headers={"Origin": "http://desk"})
            assert own.status_code == 404
            assert (await http.post("/api/v1/logout")).status_code == 204
            assert (await http.get("/api/v1/me", headers=cookie)).status_code == 401

    asyncio.run(work())


def test_a_token_made_over_http_works_and_is_shown_once(desk: Desk) -> None:
    desk.access.add("li", Role.OPERATOR, "", "test", AT)
    (made,) = ask(desk, ("POST", "/api/v1/users/li/tokens", {"note": "wall", "days": 1}), Authorization=bearer(MACHINE))
    token = made.json()["token"]
    (me,) = ask(desk, ("GET", "/api/v1/me", None), Authorization=bearer(token))
    assert me.json()["name"] == "li"
    (listed,) = ask(desk, ("GET", "/api/v1/users/li/tokens", None), Authorization=bearer(MACHINE))
    assert listed.json()[0]["note"] == "wall"
    assert token.split("_")[2] not in listed.text
    ended, again = ask(
        desk,
        ("DELETE", f"/api/v1/users/li/tokens/{token.split('_')[1]}", None),
        ("DELETE", f"/api/v1/users/li/tokens/{token.split('_')[1]}", None),
        Authorization=bearer(MACHINE),
    )
    assert [ended.status_code, again.status_code] == [204, 409]
    assert ask(desk, ("GET", "/api/v1/me", None), Authorization=bearer(token))[0].status_code == 401


@pytest.mark.parametrize("typed", ["", "\n"])
def test_nobody_is_made_by_mistake_who_cannot_sign_in(tmp_path: Path, typed: str) -> None:
    (tmp_path / "lifeline.toml").write_text('[city]\nname = "c"\ncatalog = "catalog.csv"\ndata = "data"\n', "utf-8")
    command = [sys.executable, "-m", "pipeline.cli", "users", "add", "wang", "-c", str(tmp_path / "lifeline.toml")]
    (tmp_path / "data").mkdir()
    refused = subprocess.run(command, input=typed, capture_output=True, text=True, check=False, timeout=120)
    assert (refused.returncode, "--no-password" in refused.stderr) == (2, True), refused.stderr
    made = subprocess.run([*command, "--no-password"], input="", capture_output=True, text=True, check=False, timeout=120)
    assert (made.returncode, made.stdout) == (0, "wang: operator\n"), made.stderr
