"""What the commands `lifeline roster …` do: with the desk's database, whether or not the desk runs."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerts.duty import Duty, board, enter, gaps
from alerts.duty.enter import Entered
from alerts.duty.gaps import GRAVE, Flaw, Trouble
from alerts.duty.ical import LARGEST, Stint, read, write
from alerts.duty.wall import shown
from alerts.tables import Database
from lifeline.clock import now, parse, since
from lifeline.config import Config
from lifeline.model import NS
from lifeline.words import Failed, Unusable
from pipeline.database import NoDatabase, driven
from pipeline.people import duty as configured

DAY: Final = 86_400 * NS
WIDE: Final = 140  # [character] of a table
WORDS: Final = {
    Flaw.GAP: ("值班空缺", "too few on duty"),
    Flaw.UNREACHABLE: ("无法通知", "cannot be reached"),
    Flaw.DOUBLE: ("同时值两岗", "on duty in two roles"),
    Flaw.LONG: ("连续值班过长", "on duty for too long"),
}


@dataclass(frozen=True)
class Office:
    """People and rosters, and where what is entered is kept."""

    duty: Duty
    database: Database
    console: Console

    def show(self, unit: str, role: str, days: int, *, as_json: bool) -> None:
        """Everywhere, or one role."""
        at = now()
        with self._asking() as db:
            told = [s for s in board.overview(self.duty, at, db) if not unit or s["unit"] == unit]
            if unit and not told:
                raise LookupError(f"there is no unit {unit!r} with roles")
            if role:
                one = board.one(self.duty, unit, role, at, db)
                one |= board.plan(self.duty, unit, role, at, at + days * DAY, db)
        if as_json:
            _print(one if role else told)
        elif role:
            self._one(one)
        else:
            rows = [
                (f"{s['unit']}/{s['role']}", s["zh"], _named(s["now"]), self._at(s["until"]), _named(s["next"])) for s in told
            ]
            marks = ["red" if s["gap"] else "" for s in told]
            self._table(("role", "岗位", "now", "until", "next"), rows, marks)

    def _one(self, one: dict[str, Any]) -> None:
        self.console.print(f"{one['zh']} / {one['en']}", style="bold")
        rows = [(self._at(s["start"]), self._at(s["end"]), _named(s["persons"]) or "—") for s in one["shifts"]]
        self._table(("from", "until", "on duty"), rows, ["" if s["persons"] else "red" for s in one["shifts"]])
        for note in one["handovers"]:
            self.console.print(Text(f"{shown(note['at'], self.duty.zone)} {note['by']}: {note['text']}"))

    def check(self, days: int, *, as_json: bool) -> int:
        """1 when a warning would be told to nobody."""
        at = now()
        with self._asking() as db:
            found = gaps.troubles(self.duty.rosters, at, at + days * DAY, db)
        if as_json:
            _print(board.troubles(found))
        elif found:
            marks = ["red" if t.flaw in GRAVE else "yellow" for t in found]
            self._table(("what", "role", "from", "until", "person", ""), [self._trouble(t) for t in found], marks)
        else:
            self.console.print(f"{len(self.duty.rosters.roles)} roles, {days} days: nothing wrong")
        return 1 if any(t.flaw in GRAVE for t in found) else 0

    def _trouble(self, t: Trouble) -> tuple[str, ...]:
        span = (shown(t.start, self.duty.zone), shown(t.end, self.duty.zone))
        return (" / ".join(WORDS[t.flaw]), f"{t.unit}/{t.role}", *span, t.person, t.detail)

    def override(
        self, unit: str, role: str, person: str, start: str, until: str, *, instead: str, by: str, reason: str, as_json: bool
    ) -> None:
        """Enter one, and say its number."""
        times = (_instant(start), _instant(until))
        asked = Entered(
            unit=unit, role=role, person=person, start=times[0], until=times[1], by=by, reason=reason, instead=instead
        )
        with self._entering() as db:
            made = enter.override(db, self.duty.rosters, asked, now())
        _print(made) if as_json else self.console.print(f"override {made.id}")

    def cancel(self, number: int, by: str, reason: str) -> None:
        with self._entering() as db:
            enter.cancel(db, number, by, reason, now())
        self.console.print(f"override {number} is cancelled")

    def history(self, unit: str, role: str, *, as_json: bool) -> None:
        """The youngest first."""
        with self._asking() as db:
            self.duty.people.role(unit, role)
            found = enter.history(db, unit, role)
        if as_json:
            _print(found)
            return
        rows = [
            (str(o["id"]), o["person"], o["instead"], *(shown(o[k], self.duty.zone) for k in ("start", "until")), o["by"],
             o["reason"], f"{o['cancelled_by']}: {o['cancelled_because']}" if o["cancelled"] is not None else "")
            for o in found
        ]  # fmt: skip
        self._table(("no.", "person", "instead of", "from", "until", "by", "reason", "cancelled"), rows, [""] * len(rows))

    def hand_over(self, unit: str, role: str, text: str, by: str) -> None:
        with self._entering() as db:
            enter.hand_over(db, self.duty.people, unit, role, by, text, now())

    def export(self, unit: str, role: str, person: str, days: int, out: Path | None) -> None:
        """From now on."""
        if bool(person) is bool(unit and role):
            raise Unusable("name a unit and its role, or --person")
        at = now()
        with self._asking() as db:
            people = self.duty.rosters.now(db)
            served: Sequence[Stint]
            if person:
                name = people.person(person).zh
                served = board.stints(self.duty, at, at + days * DAY, db, person=person)
            else:
                name = people.role(unit, role).zh
                served = gaps.stints(self.duty.rosters, unit, role, at, at + days * DAY, db)
        content = write(served, people, at, name)
        if out is not None:
            out.write_bytes(content)
        else:
            sys.stdout.write(content.decode())

    def import_(self, unit: str, role: str, source: str, days: int, *, name: str, by: str, reason: str) -> None:
        """Overrides of the days to come."""
        content, at = _content(source), now()
        asked = Entered(unit=unit, role=role, person="", start=at, until=at + days * DAY, by=by, reason=reason, origin=name)
        with self._entering() as db:
            feed = read(content, self.duty.zone, self.duty.rosters.now(db))
            new, gone = enter.import_feed(db, self.duty.people, feed, asked, at)
        self.console.print(f"{new} overrides entered, {gone} cancelled")

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        with _refusing(), self.database.read() as db:
            yield db

    @contextmanager
    def _entering(self) -> Iterator[Any]:
        with _refusing(), self.database.write() as db:
            yield db

    def _at(self, text: str | None) -> str:
        return shown(parse(text), self.duty.zone) if text else ""

    def _table(self, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], marks: Sequence[str]) -> None:
        table = Table(*head)
        for row, mark in zip(rows, marks, strict=True):
            table.add_row(*map(Text, row), style=mark or None)
        self.console.print(table)


@contextmanager
def opened(config: Config) -> Iterator[Office]:
    """The office of a configuration; Unusable where there are no rosters."""
    duty = configured(config)
    if duty is None:
        raise Unusable('no file of people and rosters is configured; write [desk] people = "people.toml"')
    try:
        driven(str(config.desk.database))
    except NoDatabase as why:
        raise Unusable(f"{why}; {why.mend}") from why
    config.city.data.mkdir(parents=True, exist_ok=True)
    with closing(Database(str(config.desk.database))) as database:
        console = Console(highlight=False, soft_wrap=True, width=max(Console().width, WIDE))
        yield Office(duty.over(database), database, console)


@contextmanager
def _refusing() -> Iterator[None]:
    """What cannot be meant, or is not there, is said in its own words."""
    try:
        yield
    except (enter.NotEntered, LookupError) as why:
        raise Unusable(str(why)) from why


def _instant(text: str) -> int:
    try:
        return since(text)
    except (ValueError, OverflowError) as why:
        raise Unusable(str(why)) from why


def _content(source: str) -> bytes:
    if not source.startswith(("http://", "https://")):
        try:
            return Path(source).read_bytes()
        except OSError as why:
            raise Failed(f"{source}: cannot be read: {why.strerror}") from why
    try:
        with httpx.stream("GET", source, timeout=30.0, follow_redirects=True) as answer:
            answer.raise_for_status()
            got = bytearray()
            for part in answer.iter_bytes():
                got += part
                if len(got) > LARGEST:
                    raise Failed(f"{source}: larger than {LARGEST} bytes")
            return bytes(got)
    except httpx.HTTPError as why:
        raise Failed(f"{source}: {why}") from why


def _named(persons: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{p['zh']} ({p['id']})" for p in persons)


def _print(said: Any) -> None:
    import msgspec

    sys.stdout.write(json.dumps(msgspec.to_builtins(said), ensure_ascii=False) + "\n")
