"""What lies upstream of what, and what shares a well: a CSV file with the columns asset, upstream, well, hazards, because.

A line says: while one of `because` stands at the asset upstream (or at another asset of the same well), the `hazards` at this
asset are explained by it. `because` empty: the same hazard. Upstream of upstream counts too.
"""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from alerts.routing.patterns import BadPattern, checked, found
from lifeline.config import ConfigRefused
from lifeline.words import suggestion

COLUMNS: Final = ("asset", "upstream", "well", "hazards", "because")
NEEDED: Final = ("asset", "hazards")


class Link(NamedTuple):
    """One line of the file."""

    asset: str
    upstream: str  # "": none
    well: str  # "": none
    hazards: str  # pattern of what is explained
    because: str  # pattern of what explains it; "": the same hazard

    def explains(self, hazard: str, by: str) -> bool:
        """Whether one hazard elsewhere explains another here."""
        return found(self.hazards, hazard) and (found(self.because, by) if self.because else by == hazard)


@dataclass(frozen=True)
class Topology:
    """All links, by asset."""

    links: dict[str, list[Link]] = field(default_factory=dict)
    wells: dict[str, list[str]] = field(default_factory=dict)  # well -> its assets

    def causes(self, asset: str) -> dict[str, list[Link]]:
        """Where an explanation may stand: asset -> the lines that lead there."""
        causes: dict[str, list[Link]] = {}
        for link in self.links.get(asset, []):
            for other in {*self._upstream(link.upstream), *self.wells.get(link.well, [])} - {asset}:
                causes.setdefault(other, []).append(link)
        return causes

    def _upstream(self, asset: str) -> set[str]:
        reached: set[str] = set()
        ahead = [asset] if asset else []
        while ahead:
            here = ahead.pop()
            if here not in reached:
                reached.add(here)
                ahead += [link.upstream for link in self.links.get(here, []) if link.upstream]
        return reached


def load(path: Path) -> Topology:
    """Read a file; ConfigRefused with all that is wrong."""
    problems: list[str] = []
    made = Topology()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            names = lines.fieldnames or []
            problems += [f"{path}:1: no such column {n!r}; {suggestion(str(n), COLUMNS)}" for n in names if n not in COLUMNS]
            problems += [f"{path}:1: the column {n} is missing" for n in NEEDED if n not in names]
            for row in lines if not problems else ():
                link = Link(*((row.get(name) or "").strip() for name in COLUMNS))
                problems += [f"{path}:{lines.line_num}: {p}" for p in _wrong(link)]
                made.links.setdefault(link.asset, []).append(link)
                if link.well and link.asset not in made.wells.setdefault(link.well, []):
                    made.wells[link.well].append(link.asset)
    except (OSError, UnicodeDecodeError, csv.Error) as why:
        raise ConfigRefused([f"{path}: cannot be read: {why}"]) from why
    if problems:
        raise ConfigRefused(problems)
    return made


def _wrong(link: Link) -> list[str]:
    wrong = [f"{name} is empty" for name in NEEDED if not getattr(link, name)]
    if not link.upstream and not link.well:
        wrong.append("neither upstream nor well is given")
    for name in ("hazards", "because"):
        try:
            checked(getattr(link, name))
        except BadPattern as why:
            wrong.append(f"{name}: {why}")
    return wrong
