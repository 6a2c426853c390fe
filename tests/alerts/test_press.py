"""Reports are made when they are due: once, whoever dies when."""

import asyncio
import io
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import openpyxl
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from alerts import rows
from alerts.api import app
from alerts.book import Book
from alerts.bulletins import page, press, sheets
from alerts.bulletins.bulletin import HEADS, Bulletin, make
from alerts.bulletins.letter import Letter
from alerts.bulletins.press import LEASE, SETTLED, Press, write
from alerts.bulletins.sections import ORDER, sections
from alerts.bulletins.span import Every, span
from alerts.bulletins.tables import bulletins
from alerts.channels.smtp import Smtp, enclose
from alerts.desk import Desk, Settings
from alerts.notice import Drop, Outcome, Retry, Sent
from alerts.roles import Role
from alerts.route import Route
from alerts.tables import Database, audit
from lifeline.catalog import Catalog
from lifeline.clock import FastClock
from lifeline.config import ConfigRefused, load
from lifeline.model import Change, Level
from pipeline.cli import app as cli
from pipeline.reports import press as configured
from tests.alerts.conftest import change as changed
from tests.alerts.played import HOUR, play
from tests.alerts.sending import until
from tests.tokens import BEARER, TOKEN

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = 24 * HOUR
MIDNIGHT = span(Every.DAILY, date(2026, 1, 2), SHANGHAI).begin
AT = MIDNIGHT + SETTLED
Say = Callable[..., Change]


class Post:
    """A mailer that answers as it is told, and keeps what it was given."""

    def __init__(self, *answers: Outcome) -> None:
        self.answers, self.letters = list(answers), [Letter("", 0, (), "", "", "", [])] * 0

    async def mail(self, letter: Letter) -> Outcome:
        self.letters.append(letter)
        return self.answers.pop(0) if self.answers else Sent("accepted")


def kept(database: Database) -> dict[tuple[str, str], Any]:
    with database.read() as db:
        return {(r["every"], r["day"]): dict(r) for r in db.execute(select(bulletins)).mappings()}


def acts(database: Database) -> list[str]:
    with database.read() as db:
        return [a for a in db.execute(select(audit.c.act).order_by(audit.c.id)).scalars() if a.startswith("report_")]


def test_yesterday_and_last_month_are_made_after_midnight_once(database: Database, tmp_path: Path) -> None:
    maker = Press(database, "c", folder=tmp_path / "reports")
    assert maker.look(AT - 1) == ["2025-12-01"]
    assert maker.look(AT) == ["2026-01-01"]
    assert maker.look(AT + DAY // 2) == []
    assert set(kept(database)) == {("daily", "2026-01-01"), ("monthly", "2025-12-01")}
    names = sorted(p.name for p in (tmp_path / "reports").iterdir())
    assert names == [
        f"{n}.{x}" for n in ("daily-2026-01-01", "monthly-2025-12") for x in ("en.html", "en.xlsx", "zh.html", "zh.xlsx")
    ]
    assert acts(database) == ["report_made"] * 2


def test_what_a_desk_that_was_away_has_missed_is_made_when_it_is_back(database: Database) -> None:
    maker = Press(database, "c", mailer=Post())
    maker.look(AT)
    assert maker.look(AT + 3 * DAY) == ["2026-01-02", "2026-01-03", "2026-01-04"]
    mailed = {day: row["mail"] for (every, day), row in kept(database).items() if every == "daily"}
    assert mailed == {"2026-01-01": "waiting", "2026-01-02": "", "2026-01-03": "", "2026-01-04": "waiting"}


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("where", ["figures", "files", "row"])
def test_a_desk_killed_at_its_report_loses_none_and_makes_none_twice(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    first, second = (Press(database, "c", folder=tmp_path / "reports") for _ in range(2))
    place = {"figures": (press, "make"), "files": (press, "_replace"), "row": (rows, "record")}[where]

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(*place, die)
        with pytest.raises(Killed):
            first.look(AT)
    assert all(row["made"] is None for row in kept(database).values())
    second.look(AT + 1)  # the first may still be at what it has claimed
    assert sum(row["made"] is None for row in kept(database).values()) == 1
    second.look(AT + LEASE)
    assert all(row["made"] for row in kept(database).values())
    assert acts(database) == ["report_made"] * 2
    assert len(list((tmp_path / "reports").glob("[!.]*"))) == 8


def test_two_desks_make_a_report_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = Press(database, "c"), Press(database, "c")

    def meanwhile(*args: Any) -> Bulletin:
        monkeypatch.setattr(press, "make", make)
        quick.look(AT + LEASE)  # the lease is over, and the other desk comes first
        return make(*args)

    monkeypatch.setattr(press, "make", meanwhile)
    slow.look(AT)
    assert acts(database) == ["report_made"] * 2
    assert sorted(row["made"] for row in kept(database).values()) == [AT + LEASE] * 2


def test_mails_are_tried_again_and_given_up(database: Database) -> None:
    post = Post(Retry("busy", "serverError"), Sent("ok"), Retry("busy", "serverError"), Drop("no", "clientError"))
    maker = Press(database, "c", mailer=post, languages=("zh",), to=("boss@example.org",))
    maker.look(AT)
    for at in (AT, AT + 1, AT + 2 * HOUR, AT + 4 * HOUR):
        asyncio.run(maker.post(at))
    found = kept(database)
    assert sorted(row["mail"] for row in found.values()) == ["dropped", "sent"]
    assert sorted(row["attempts"] for row in found.values()) == [1, 3]
    assert acts(database)[2:] == ["report_sent", "report_dropped"]
    assert {x.to for x in post.letters} == {("boss@example.org",)}
    assert {x.id for x in post.letters} == {"report.daily-2026-01-01", "report.monthly-2025-12"}
    assert [f.type.split("/")[0] for f in post.letters[0].files] == ["text", "application"]
    mail = enclose(post.letters[0], "a@example.org", post.letters[0].to)
    assert mail["Message-ID"] == f"<{post.letters[0].id}@lifeline>"
    assert [p.get_filename() for p in mail.iter_attachments()] == [f.name for f in post.letters[0].files]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Bulletin:
    """What is shown is made of rows, whatever database they came from."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('played')}/desk.db")
    made = play(Book(database, [Route("phone")]), changed)
    return make(database, span(Every.DAILY, date(2025, 12, 30), SHANGHAI), "澄江", SHANGHAI, made + HOUR, 0.5)


def test_a_page_stands_alone_and_says_everything_in_its_language(played: Bulletin) -> None:
    for language, word in (("zh", "日报"), ("en", "report of the day")):
        text = page.page(played, SHANGHAI, language)  # type: ignore[arg-type]
        assert word in text
        assert not re.search(r"<script|<link|<img|src=|url\(http", text)
        assert text.count("<svg") == 4
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)) <= {(i, "") for i in ids} | {("", i) for i in ids}
    assert not re.search(r"[\u4e00-\u9fff]", re.sub(r"桥-3|澄江", "", text))


def test_names_in_a_page_are_no_markup(database: Database, book: Book, say: Say) -> None:
    book.take([say(Level.RED, asset="<script>alert(1)</script>", district="=1+1")], MIDNIGHT + HOUR)
    made = make(database, span(Every.DAILY, date(2026, 1, 2), SHANGHAI), "c", SHANGHAI, MIDNIGHT + 2 * DAY)
    assert "<script>" not in page.page(made, SHANGHAI, "zh")
    book_ = openpyxl.load_workbook(io.BytesIO(sheets.xlsx(made, SHANGHAI, "zh")))
    assert book_["districts"]["A3"].value == "'=1+1"


def test_an_empty_day_says_so_in_a_few_lines(database: Database) -> None:
    made = make(database, span(Every.DAILY, date(2026, 1, 1), SHANGHAI), "c", SHANGHAI, AT)
    text = page.page(made, SHANGHAI, "en")
    assert "No hazard was warned of" in text
    assert text.count("<h2") == 2  # at a glance, and what is promised of false alarms
    assert "Nothing in this period under: Warnings over time" in text
    assert "not over" not in text
    early = make(database, span(Every.DAILY, date(2026, 1, 1), SHANGHAI), "c", SHANGHAI, MIDNIGHT - HOUR)
    assert "The period is not over" in page.page(early, SHANGHAI, "en")


def test_the_workbook_has_a_sheet_for_each_table_with_numbers(played: Bulletin) -> None:
    found = openpyxl.load_workbook(io.BytesIO(sheets.xlsx(played, SHANGHAI, "zh")))
    assert found.sheetnames == [*ORDER, "notes"]
    heads = {row[0]: row[1] for row in found["heads"].iter_rows(min_row=3, values_only=True)}
    assert len(heads) == len(HEADS)
    assert heads["险情预警"] == sum(r["n"] for r in played.now["levels"] if r["level"] != "TICKET")
    assert isinstance(found["channels"]["B3"].value, int)


def test_what_is_kept_is_what_was_known_when_it_was_made(database: Database, book: Book, say: Say) -> None:
    maker = Press(database, "c")
    book.take([say(Level.ORANGE)], MIDNIGHT - HOUR)
    maker.look(AT)
    book.acknowledge(book.take([], AT) and _only(database), "li", "", AT + HOUR)
    first, now = maker.kept(Every.DAILY, date(2026, 1, 1)), maker.made(Every.DAILY, date(2026, 1, 1), AT + DAY)
    assert first is not None
    assert (first.now["asked"][0]["fate"], now.now["asked"][0]["fate"]) == ("waiting", "answered")
    assert msgspec.json.decode(msgspec.json.encode(first), type=Bulletin) == first
    assert maker.kept(Every.DAILY, date(2025, 1, 1)) is None


def _only(database: Database) -> str:
    from alerts.queries import listed

    return listed(database, live=False)[0].id


def test_figures_at_the_top_are_beside_those_of_the_period_before(played: Bulletin) -> None:
    heads = {row[0]: row for row in sections(played, SHANGHAI, "en")[0].rows}
    now = sum(r["n"] for r in played.now["levels"] if r["level"] == "RED")
    then = sum(r["n"] for r in played.before["levels"] if r["level"] == "RED")
    assert now > then
    assert heads["RED"] == ["RED", now, then, f"▲ {now - then}"]


# ------------------------------------------------------------------------------------------------ over HTTP, by command


def test_reports_are_for_analysts_as_page_workbook_and_json(database: Database, catalog: Catalog, book: Book, say: Say) -> None:
    book.take([say(Level.RED)], MIDNIGHT - HOUR)
    maker = Press(database, "c")
    desk = Desk.of(Settings("c", token=TOKEN), database, catalog, [Route("phone")], {}, FastClock(AT), press=maker)
    maker.look(AT)
    desk.access.add("op", Role.OPERATOR, "", "test", AT)
    operator = {"Authorization": f"Bearer {desk.access.token('op', 'test', AT, days=1)}"}

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app(desk)), base_url="http://desk", headers=BEARER) as http:
            there = (await http.get("/api/v1/reports")).json()
            assert [(r["every"], r["day"]) for r in there] == [("daily", "2026-01-01"), ("monthly", "2025-12-01")]
            day = "/api/v1/reports/daily/2026-01-01"
            assert (await http.get(day, headers=operator)).status_code == 403
            assert "日报" in (await http.get(day)).text
            assert (await http.get(day)).headers["content-security-policy"].startswith("default-src 'none'")
            assert "report of the day" in (await http.get(day, params={"language": "en"})).text
            assert (await http.get(day, params={"format": "json"})).json()["now"]["levels"] == [{"level": "RED", "n": 1}]
            sheet = await http.get("/api/v1/reports/monthly/2025-12", params={"format": "xlsx"})
            assert openpyxl.load_workbook(io.BytesIO(sheet.content)).sheetnames[0] == "heads"
            assert (await http.get("/api/v1/reports/daily/2026-01-02", params={"format": "json"})).json()["made"] == AT
            for wrong in ("daily/2026-01-03", "daily/x", "monthly/9999-12", "daily/2026-02-30"):
                assert (await http.get(f"/api/v1/reports/{wrong}")).status_code == 404

    asyncio.run(work())


CITY = '[city]\nname = "c"\ncatalog = "catalog.csv"\n'


def test_the_command_writes_a_page_and_a_workbook(tmp_path: Path) -> None:
    (tmp_path / "lifeline.toml").write_text(CITY)
    (tmp_path / "var").mkdir()
    Database(f"sqlite:///{tmp_path / 'var/desk.db'}").close()
    base = ["report", "daily", "--config", str(tmp_path / "lifeline.toml"), "--date", "2026-01-31"]
    said = CliRunner().invoke(cli, [*base, "--language", "en", "--out", str(tmp_path / "out")])
    assert said.exit_code == 0, said.output
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["daily-2026-01-31.en.html", "daily-2026-01-31.en.xlsx"]
    assert CliRunner().invoke(cli, [*base[:-1], "yesterday"]).exit_code != 0
    said = CliRunner().invoke(cli, ["report", "monthly", "--config", str(tmp_path / "lifeline.toml")])
    assert said.exit_code == 0, said.output
    assert len(list((tmp_path / "var/reports").glob("monthly-*.html"))) == 2


def test_reports_are_mailed_through_a_mail_channel_only(tmp_path: Path, database: Database) -> None:
    (tmp_path / "lifeline.toml").write_text(f'{CITY}[reports]\nchannel = "mial"\nfalse_alarms = 0.5\n')
    config = load(tmp_path / "lifeline.toml", {})
    mail = Smtp("127.0.0.1", "a@example.org", ("b@example.org",))
    with pytest.raises(ConfigRefused, match="did you mean 'mail'"):
        configured(config, database, {"mail": mail, "phone": Post()})  # type: ignore[dict-item]
    (tmp_path / "lifeline.toml").write_text(f'{CITY}[reports]\nchannel = "mail"\n')
    assert configured(load(tmp_path / "lifeline.toml", {}), database, {"mail": mail}).mailer is mail


def test_files_are_whole_or_not_there(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(database, span(Every.DAILY, date(2026, 1, 1), SHANGHAI), "c", SHANGHAI, AT)
    (path, _) = write(tmp_path, made, SHANGHAI, ("zh",))
    before = path.read_bytes()

    def die(_: object) -> None:
        raise Killed

    monkeypatch.setattr("os.fsync", die)
    with pytest.raises(Killed):
        write(tmp_path, made, SHANGHAI, ("zh",))
    assert path.read_bytes() == before


def test_the_press_goes_on_whatever_ails_a_report(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press, "LOOK", 0.01)
    tries: list[int] = []

    def broken(*args: Any) -> Bulletin:
        tries.append(1)
        if len(tries) == 1:
            raise ZeroDivisionError
        return make(*args)

    monkeypatch.setattr(press, "make", broken)
    maker, clock = Press(database, "c", mailer=(post := Post()), languages=("en",)), FastClock(AT)

    async def work() -> None:
        task = asyncio.create_task(maker.run(clock))
        await until(lambda: any(row["made"] for row in kept(database).values()), 60.0)
        await clock.until(AT + LEASE)  # what broke is tried again when its lease is over
        await until(lambda: len(post.letters) == 2, 60.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(work())
    assert all(row["made"] for row in kept(database).values())
