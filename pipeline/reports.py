"""Reports by day and month: who makes them by a configuration, and the command `lifeline report`."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

from alerts.bulletins.press import Press, write
from alerts.bulletins.span import Every, latest
from alerts.bulletins.words import Language
from alerts.channels.smtp import Smtp
from alerts.notice import Channel
from alerts.tables import Database
from lifeline.clock import now
from lifeline.config import Config, ConfigRefused
from lifeline.words import Unusable, suggestion
from pipeline.database import driven, opened
from pipeline.people import ZONE

FOLDER: Final = "reports"  # in the data directory


def press(config: Config, database: Database, ways: Mapping[str, Channel]) -> Press:
    """Who makes the reports of a city; ConfigRefused where they are to be mailed through what is no mail."""
    r = config.reports
    folder, mailer = config.city.data / FOLDER, _mailer(config, ways)
    return Press(database, config.city.name, ZONE, folder, languages(r.language), r.false_alarms, mailer, r.to)


def languages(name: str) -> tuple[Language, ...]:
    """Those that a setting names: of "both", two."""
    return ("zh", "en") if name == "both" else ("zh" if name == "zh" else "en",)


def _mailer(config: Config, ways: Mapping[str, Channel]) -> Smtp | None:
    name = config.reports.channel
    if not name:
        return None
    known = [k for k, way in ways.items() if isinstance(way, Smtp)]
    way = ways.get(name)
    if not isinstance(way, Smtp):
        raise ConfigRefused([f"reports.channel: there is no channel {name!r} of the type smtp; {suggestion(name, known)}"])
    return way


def run(config: Config, every: str, day: str, out: Path | None, language: str, *, anew: bool) -> list[Path]:
    """Write one report -> its files. The one that was made when it was due, unless there is none or it is to be made anew."""
    opened(driven(str(config.desk.database)))
    maker = Press(Database(str(config.desk.database)), config.city.name, ZONE, promise=config.reports.false_alarms)
    which, at = Every(every), now()
    first = asked(which, day, at)
    made = (None if anew else maker.kept(which, first)) or maker.made(which, first, at)
    return write(out or config.city.data / FOLDER, made, ZONE, languages(language or config.reports.language))


def asked(every: Every, day: str, at: int) -> date:
    """The day that is meant; empty: the last that is over. at [ns]"""
    if not day:
        return latest(every, at, ZONE).day
    try:
        return date.fromisoformat(day if len(day) > 7 else f"{day}-01")
    except ValueError as why:
        raise Unusable(f"--date: {day!r} is no date; write 2026-01-31, or 2026-01 for a month") from why
