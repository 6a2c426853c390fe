"""The command `lifeline explain`: why a warning was given, by what the desk wrote down and by its readings told again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import detectors
from alerts.case import Case
from alerts.past import Past, named, past
from alerts.tables import Database
from lifeline.catalog import Catalog, load
from lifeline.clock import now
from lifeline.config import Config
from lifeline.kinds import duration
from lifeline.model import NS, Rule
from lifeline.words import Unusable
from pipeline import database, explain_plot, explain_text
from pipeline.compare import Compared, Remark, compared
from pipeline.explained import Explanation, account
from pipeline.progress import waiting
from pipeline.record import Source
from pipeline.relive import Window, fitting, lead, nearby, relived

AROUND: Final = 600.0  # [s] shown before and after, at least
LAG: Final = 30 * NS  # [ns] the latest may not have been judged yet
STEPS: Final = 60  # [step] shown of the slowest series that spoke


def run(
    config: Config, name: str, *, rules: Path | None, before: str, source: Source, lang: str, png: Path | None, as_json: bool
) -> str:
    """The explanation as text, or as JSON; png: file for the drawing."""
    _writable(png)
    lead_time = _before(before)
    found = warning(config, name)
    with waiting("telling the readings again"):
        e = explained(config, found, rules or config.watch.rules, lead_time, source)
    if png is not None:
        explain_plot.draw(e, png)
    return explain_text.dumped(account(e)) if as_json else explain_text.text(e, lang)


def _writable(png: Path | None) -> None:
    if png is not None and (png.suffix.lower() != ".png" or not png.parent.is_dir()):
        raise Unusable(f"--png {png}: name a file that ends in .png, in a folder that is there")


def _before(text: str) -> float | None:
    try:
        return duration(text) if text else None
    except ValueError as why:
        raise Unusable(f"--before: {why}") from why


def warning(config: Config, name: str) -> Past:
    """What the desk knows of the warning; Unusable where there is no desk, or no such warning."""
    desk = Database(reachable(config))
    try:
        return past(desk, _one(named(desk, name), name))
    finally:
        desk.close()


def reachable(config: Config) -> str:
    """The URL of the desk's database; Unusable where nothing is there."""
    try:
        url = database.driven(str(config.desk.database))
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            raise Unusable(f"{url.database}: the desk has not written anything yet; is data = … in [city] right?")
        database.opened(url)
    except database.NoDatabase as why:
        raise Unusable(f"{why}; {why.mend}") from why
    return str(config.desk.database)


def _one(found: list[Case], name: str) -> Case:
    if not found:
        raise Unusable(
            f"{name!r}: the desk has no such warning; write the id that stands in its notice (编号, Id) or in "
            "/api/v1/warnings, or its case as ASSET/HAZARD"
        )
    if len(found) > 1:
        raise Unusable(f"{name!r}: several ids begin so: {', '.join(c.id for c in found[:5])} …; write more of it")
    return found[0]


def explained(config: Config, found: Past, rules: Path | None, before: float | None, source: Source) -> Explanation:
    """Its readings told again, where they can be. before [s]: how much earlier to begin; None: as long as its rules learn"""
    book, catalog = detectors.rules(rules), load(config.city.catalog)
    fits = nearby(catalog, book, found.case.asset)
    if not fits.any():
        reason = Remark(
            "series",
            f"目录中没有 {found.case.asset} 的测点，无从回放",
            f"the catalog has no series of {found.case.asset}: nothing can be told again",
        )
        return Explanation(found, book, catalog, None, Compared([], [], [reason]))
    window = _window(found, book, catalog, before)
    found = found.upto(window.end)
    needed = {s.change.key for s in found.spoken}
    fits, start, out = fitting(catalog, fits, sorted(needed), window.start, window.end)
    made = relived(config, catalog, book, fits, found.case.asset, window._replace(start=start), source, out)
    return Explanation(found, book, catalog, made, compared(found, made, catalog))


def _window(found: Past, rules: Sequence[Rule], catalog: Catalog, before: float | None) -> Window:
    """As long before as the rules that spoke learn, and somewhat around it."""
    by_id = {r.id: r for r in rules}
    pairs = {(s.change.rule, catalog.row[s.change.key]) for s in found.spoken if s.change.key in catalog.row}
    slowest = max((float(catalog.step[row]) for _, row in pairs), default=0.0)
    learns = max((lead(by_id[rule], float(catalog.step[row])) for rule, row in pairs if rule in by_id), default=0.0)
    around = round(max(AROUND, STEPS * slowest) * NS)
    ahead = round(before * NS) if before is not None else round(learns * NS) + around
    case = found.case
    end = max(case.t, min(case.t + around, found.until, now() - LAG))
    receipt = max((s.at for s in found.spoken if s.change.t <= end), default=case.updated) + NS
    return Window(max(case.onset - max(ahead, NS), 0), case.onset - around, end, receipt)
