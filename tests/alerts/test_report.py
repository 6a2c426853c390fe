"""Citizens' reports and the ledger over HTTP."""

import asyncio
import base64
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openpyxl
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from alerts.api import app
from alerts.dangers import export, ledger, pages, pictures, report
from alerts.dangers.danger import Deed, Facts, opened
from alerts.dangers.gate import Crowded, Gate, network
from alerts.dangers.life import Act
from alerts.dangers.names import COLUMNS
from alerts.dangers.tables import dangers, reports
from alerts.dangers.tables import pictures as kept
from alerts.desk import Desk, Settings
from alerts.roles import Role
from alerts.route import Route
from alerts.tables import Database
from lifeline.catalog import Catalog
from lifeline.clock import FastClock
from lifeline.model import NS
from tests.tokens import BEARER, TOKEN

AT = 1_767_000_000 * NS
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200)
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(24)
FORM = {"once": "a" * 32, "description": "路面塌陷", "place": "环城路 12 号"}


@pytest.fixture
def desk(database: Database, catalog: Catalog) -> Desk:
    return Desk.of(Settings("c", token=TOKEN), database, catalog, [Route("phone")], {}, FastClock(AT))


def ask(desk: Desk, method: str, path: str, app_: FastAPI | None = None, **more: Any) -> httpx.Response:
    async def work() -> httpx.Response:
        transport = httpx.ASGITransport(app_ or app(desk))
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as http:
            return await http.request(method, path, **more)

    return asyncio.run(work())


def api(desk: Desk, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
    return ask(desk, method, path, headers=BEARER, json=body, **more)


def send(desk: Desk, *photos: bytes, **fields: str) -> httpx.Response:
    files = [("photos", (f"{i}.jpg", body, "image/jpeg")) for i, body in enumerate(photos)]
    files = files or [("photos", ("", b"", "application/octet-stream"))]  # what a browser sends where none is chosen
    return ask(desk, "POST", "/report/", data={**FORM, **fields}, files=files)


def count(desk: Desk) -> int:
    with desk.database.read() as db:
        return int(db.execute(select(func.count()).select_from(dangers)).scalar_one())


# ------------------------------------------------------------------------------------------------ the form


def test_the_form_needs_no_credential_no_script_and_nothing_from_elsewhere(desk: Desk) -> None:
    page = ask(desk, "GET", "/report/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for word in ("<script", "javascript:", "http://", "https://", " src=", "onclick"):
        assert word not in page.text
    for word in ("119", "地点", "Where", 'enctype="multipart/form-data"', 'name="once"'):
        assert word in page.text


def test_a_report_is_in_the_ledger_when_its_receipt_is_given_and_the_citizen_sees_its_state(desk: Desk) -> None:
    answer = send(desk, PNG, JPEG, WEBP, lat="24.67", lon="102.91", name="王", contact="139")
    assert answer.status_code == 303
    receipt = answer.headers["location"].removeprefix("/report/")
    (danger,) = ledger.listed(desk.database, {}, AT, limit=9).dangers
    assert (danger.source, danger.place, danger.description) == ("public", FORM["place"], FORM["description"])
    assert (danger.lat, danger.lon, danger.finder, danger.receipt) == (24.67, 102.91, "王", receipt)
    kinds = [pictures.find(desk.database, name) for name in danger.photos]
    assert [(k.type, k.body) for k in kinds if k] == [("image/png", PNG), ("image/jpeg", JPEG), ("image/webp", WEBP)]
    page = ask(desk, "GET", f"/report/{receipt}")
    assert ("登记 registered" in page.text, receipt in page.text, "王" in page.text) == (True, True, False)
    ledger.do(desk.database, danger.id, Deed(Act.DISMISS, AT, "wang", facts=Facts(result="<b>不属实")), Role.ANALYST)
    page = ask(desk, "GET", f"/report/{receipt}")
    assert ("销号" in page.text, "&lt;b&gt;不属实" in page.text) == (True, True)
    found = ask(desk, "GET", "/report/state", params={"receipt": receipt.lower().replace("-", " ")})
    assert found.headers["location"] == f"/report/{receipt}"
    assert ask(desk, "GET", "/report/ABCD-ABCD-ABCD").status_code == 404
    assert ask(desk, "GET", "/report/%00").status_code == 404


def test_the_same_form_twice_is_one_report(desk: Desk) -> None:
    first, again, other = send(desk), send(desk), send(desk, once="b" * 32)
    assert first.headers["location"] == again.headers["location"] != other.headers["location"]
    assert count(desk) == 2


def test_the_same_form_at_several_desks_at_once_is_one_report(desk: Desk, catalog: Catalog) -> None:
    url = desk.database.engine.url.render_as_string(hide_password=False)
    others = [Database(url) for _ in range(3)]
    desks = [desk, *(Desk.of(desk.settings, db, catalog, [], {}, desk.clock) for db in others)]
    for i in range(3):
        form = report.Report(f"{i:032}", {**dict.fromkeys((f[0] for f in pages.FIELDS), ""), **FORM}, [PNG])
        with ThreadPoolExecutor(len(desks)) as pool:
            receipts = set(pool.map(report.keep, desks, [form] * len(desks)))
        assert len(receipts) == 1
    assert count(desk) == 3
    for db in others:
        db.close()


@pytest.mark.parametrize(
    ("photos", "fields", "status", "why"),
    [
        ((), {"description": " "}, 422, "say what you have seen"),
        ((), {"place": ""}, 422, "and where"),
        ((), {"once": ""}, 422, "from the form"),
        ((), {"lat": "91", "lon": "0"}, 422, "no place"),
        ((), {"lat": "north"}, 422, "no place"),
        ((), {"lat": "nan", "lon": "nan"}, 422, "no place"),
        ((b"<svg onload=alert(1)>",), {}, 422, "no JPEG"),
        ((b"<html>" + JPEG,), {}, 422, "no JPEG"),
        ((PNG, b"%PDF-1.4"), {}, 422, "no JPEG"),
        ((JPEG + bytes(pictures.LARGEST),), {}, 422, "at most 8 MB"),
        ((PNG,) * 4, {}, 400, "at most 3 pictures"),
    ],
)
def test_what_cannot_be_taken_is_said_and_leaves_nothing_behind(
    desk: Desk, photos: tuple[bytes, ...], fields: dict[str, str], status: int, why: str
) -> None:
    answer = send(desk, *photos, **fields)
    assert (answer.status_code, why in answer.text) == (status, True)
    assert count(desk) == 0
    with desk.database.read() as db:
        assert db.execute(select(func.count()).select_from(kept)).scalar_one() == 0


def test_what_was_written_stays_in_the_form_and_is_no_html(desk: Desk) -> None:
    page = send(desk, b"x" * 20, description='"><script>alert(1)</script>').text
    assert "<script" not in page
    assert "&quot;&gt;&lt;script&gt;" in page
    assert FORM["place"] in page


def test_bytes_that_no_database_takes_are_left_out(desk: Desk) -> None:
    assert send(desk, description="a\0b", contact="\0").status_code == 303
    assert ledger.listed(desk.database, {}, AT, limit=9).dangers[0].description == "ab"


def test_what_is_no_form_is_refused(desk: Desk) -> None:
    multipart = {"content-type": "multipart/form-data; boundary=x"}
    for content, headers, status in (
        (b"", {}, 400),
        (b"junk", multipart, 400),
        (b"junk", {"content-type": "multipart/form-data"}, 400),
        (b"junk", {"content-type": "text/plain"}, 400),
        (b"x", {"content-length": str(report.LARGEST + 1)}, 413),
        (b"x", {"content-length": "-1"}, 411),
    ):
        assert ask(desk, "POST", "/report/", content=content, headers=headers).status_code == status
    assert count(desk) == 0


def test_one_address_cannot_fill_the_ledger_and_its_limit_ends_after_an_hour(desk: Desk) -> None:
    for i in range(desk.gate.each):
        assert send(desk, once=f"{i:032}").status_code == 303
    refused = send(desk, once="z" * 32)
    assert (refused.status_code, "NOT taken" in refused.text) == (429, True)
    assert count(desk) == desk.gate.each
    assert desk.gate.opens("127.0.0.1", 1, AT + 3600 * NS)


def test_the_gate_counts_by_address_in_all_by_volume_and_at_one_time() -> None:
    gate = Gate(each=2, all=5, volume=100, at_once=1, patience=0.0)
    assert [gate.opens("::1", 1, AT) for _ in range(3)] == [True, True, False]
    assert [gate.opens(f"10.0.0.{i}", 1, AT) for i in range(4)] == [True, True, True, False]
    assert not Gate(volume=10).opens("::1", 11, AT)
    assert network("2001:db8::1") == network("2001:db8::ffff") != network("2001:db8:0:1::1")
    assert network("::ffff:10.0.0.1") == network("10.0.0.1")

    async def crowd() -> None:
        async with gate:
            with pytest.raises(Crowded):
                async with gate:
                    pass
        async with gate:
            pass

    asyncio.run(crowd())


# ------------------------------------------------------------------------------------------------ the ledger over HTTP


def test_pictures_are_for_those_who_are_logged_in_and_are_nothing_but_pictures(desk: Desk) -> None:
    made = ask(desk, "POST", "/api/v1/pictures", headers=BEARER, content=PNG)
    name = made.json()["id"]
    assert (made.status_code, ask(desk, "GET", f"/api/v1/pictures/{name}").status_code) == (201, 401)
    shown = api(desk, "GET", f"/api/v1/pictures/{name}")
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert ask(desk, "POST", "/api/v1/pictures", headers=BEARER, content=b"<html>").status_code == 422
    assert api(desk, "GET", "/api/v1/pictures/none").status_code == 404


def test_a_danger_goes_its_way_over_http(desk: Desk) -> None:
    by = {"by": "li"}
    made = api(desk, "POST", "/api/v1/dangers", {**by, "place": "桥头", "description": "裂缝", "finder": "李"})
    assert made.status_code == 201
    path = f"/api/v1/dangers/{made.json()['id']}"
    assert api(desk, "POST", f"{path}/assess", {"grade": "general"}).status_code == 422  # in whose name?
    assert api(desk, "POST", f"{path}/assess", {**by, "grade": "huge"}).status_code == 422
    assert api(desk, "POST", f"{path}/assess", {**by, "grade": "general"}).json()["detail"] == "assess must say colour, cause"
    assert api(desk, "POST", f"{path}/assess", {**by, "grade": "general", "colour": "BLUE", "cause": "x"}).status_code == 200
    task = {"measures": "x", "unit": "road", "person": "zhang", "funds": "0", "plan": "x", "rechecker": "wang"}
    assert api(desk, "POST", f"{path}/assign", {**by, **task, "deadline": "2026-01-01T00:00:00"}).status_code == 422
    done = api(desk, "POST", f"{path}/assign", {**by, **task, "deadline": "2026-01-01T00:00:00+08:00"}).json()
    assert (done["state"], done["deadline"]) == ("assigned", 1_767_196_800 * NS)
    assert api(desk, "POST", f"{path}/accept", {**by, "result": "x"}).status_code == 409
    assert api(desk, "POST", f"{path}/lapse", by).status_code == 409
    assert api(desk, "POST", "/api/v1/dangers/none/start", by).status_code == 404
    assert api(desk, "POST", "/api/v1/dangers", {**by, "warning": "none"}).status_code == 404
    listed = api(desk, "GET", "/api/v1/dangers?unit=road&open=true").json()
    assert (listed["total"], listed["dangers"][0]["late"]) == (1, False)
    assert api(desk, "GET", "/api/v1/dangers?unit=other").json() == {"total": 0, "dangers": []}
    assert [a["act"] for a in api(desk, "GET", path).json()["log"]] == ["register", "assess", "assign"]


def test_the_desk_itself_says_what_is_overdue(desk: Desk) -> None:
    deed = Deed(Act.REGISTER, AT, "li", facts=Facts(place="x", description="x", finder="x"))
    danger = ledger.register(desk.database, deed, Role.OPERATOR).id
    five = Facts(measures="x", unit="gas", person="x", funds="x", plan="x", rechecker="x", deadline=AT + NS)
    ledger.do(
        desk.database, danger, Deed(Act.ASSESS, AT, "w", "", Facts(grade="general", colour="BLUE", cause="x")), Role.ADMIN
    )
    ledger.do(desk.database, danger, Deed(Act.ASSIGN, AT, "w", "", five), Role.ADMIN)
    asyncio.run(desk.clock.until(AT + 2 * NS))
    asyncio.run(desk.look())
    send(desk)
    page = api(desk, "GET", "/metrics").text
    assert 'lifeline_desk_dangers{source="patrol",state="overdue"} 1.0' in page
    assert 'lifeline_desk_dangers{source="public",state="registered"} 1.0' in page
    assert "lifeline_desk_dangers_unseen_seconds 0.0" in page
    told = api(desk, "GET", "/api/v1/dangers/overdue").json()
    assert (told["count"], told["dangers"][0]["state"], told["by_unit"]) == (1, "overdue", {"gas": 1})


def test_how_to_reach_a_citizen_is_told_to_operators_only(desk: Desk) -> None:
    send(desk, contact="13900000000")
    (danger,) = ledger.listed(desk.database, {}, AT, limit=9).dangers
    desk.access.add("v", Role.VIEWER, "", "test", AT)
    viewer = {"Authorization": f"Bearer {desk.access.token('v', 'test', AT, days=1)}"}
    assert api(desk, "GET", f"/api/v1/dangers/{danger.id}").json()["contact"] == "13900000000"
    seen = ask(desk, "GET", f"/api/v1/dangers/{danger.id}", headers=viewer)
    listed = ask(desk, "GET", "/api/v1/dangers", headers=viewer)
    sheet = ask(desk, "GET", "/api/v1/dangers/export.csv", headers=viewer)
    assert all("13900000000" not in page.text for page in (seen, listed, sheet))
    assert seen.status_code == listed.status_code == sheet.status_code == 200
    assert ask(desk, "POST", f"/api/v1/dangers/{danger.id}/log", headers=viewer, json={"note": "x"}).status_code == 403


# ------------------------------------------------------------------------------------------------ export


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\r=1", "＝1", '=HYPERLINK("http://x")'])
def test_no_cell_is_a_formula(text: str) -> None:
    assert export.defused(text).startswith("'")
    assert export.defused("井盖 = 3") == "井盖 = 3"


def test_both_sheets_hold_every_danger_under_headings_in_both_languages(desk: Desk) -> None:
    send(desk, description='=cmd|"/c calc"!A0\n第二行,"引号"\x01')
    plain = api(desk, "GET", "/api/v1/dangers/export.csv")
    assert plain.content.startswith(b"\xef\xbb\xbf")
    lines = plain.content.decode("utf-8-sig").split("\r\n")
    assert lines[0].split(",")[:3] == ["编号 Id", "状态 State", "来源 Source"]
    assert "'=cmd|" in lines[1]
    answer = api(desk, "GET", "/api/v1/dangers/export.xlsx")
    assert answer.headers["content-type"] == export.XLSX
    heads, first = openpyxl.load_workbook(io.BytesIO(answer.content)).active.iter_rows()
    named = dict(zip(COLUMNS, first, strict=True))
    assert [c.value for c in heads] == export.headings()
    assert named["description"].data_type == "s"
    assert named["description"].value == '\'=cmd|"/c calc"!A0\n第二行,"引号"'
    assert (named["state"].value, named["source"].value) == ("登记 registered", "群众举报 public")
    assert named["found"].value == "2025-12-29 17:20:00 +08:00"
    assert api(desk, "GET", "/api/v1/dangers/export.csv?state=struck").content.count(b"\r\n") == 1


def test_every_field_of_a_danger_has_a_column_but_the_desks_own() -> None:
    made = opened("HD-1", Deed(Act.REGISTER, AT, "li", facts=Facts(place="x", description="x", finder="x")))
    own = {"version", "receipt", "made", "updated", "lapsed"}
    assert set(COLUMNS) == set(made.__struct_fields__) - own
    assert len(pages.FIELDS) == 6
    assert reports.c.contact.name not in COLUMNS
