"""All boards in both languages, as the JSON that is committed in boards/json/."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from boards import asset, city, domains, pipeline
from boards.board import DOMAIN_BOARDS, Board
from boards.marks import JSON
from boards.words import Language
from lifeline.model import Rule

HERE: Final = Path(__file__).parent / "json"


@dataclass(frozen=True)
class City:
    """What boards draw of a city's settings."""

    rules: Sequence[Rule]
    due: Mapping[str, float]  # [s] level -> how long people have to answer
    basemap: str = ""  # URL of map tiles with {x}, {y} and {z}; "": a blank map
    database: str = "lifeline"  # of InfluxDB; its tiers are called so with `_1m` and `_1h` behind


def boards(say: Language, of: City) -> Iterator[Board]:
    """The boards of one language, in the order in which they are listed."""
    yield city.city(say, of.due, of.basemap)
    for domain in DOMAIN_BOARDS:
        yield domains.domain_board(domain, say, of.rules, of.basemap, of.database)
    for domain in DOMAIN_BOARDS:
        yield asset.asset_board(domain, say, of.rules, of.database)
    yield asset.other(say, of.rules)
    yield pipeline.pipeline(say)


def files(languages: Sequence[Language], of: City) -> dict[str, JSON]:
    """Path below the folder of boards -> board."""
    return {f"{say}/{b.name}.json": b.json(say) for say in languages for b in boards(say, of)}


def text(board: JSON) -> str:
    """As it stands in a file: the same bytes for the same board."""
    return json.dumps(board, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write(made: dict[str, JSON], folder: Path) -> list[str]:
    """Write what differs; files of boards that are no more are removed. Returns the paths touched."""
    touched = []
    for path in drift(made, folder):
        file = folder / path
        if path in made:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text(made[path]), "utf-8")
        else:
            file.unlink()
        touched.append(path)
    return touched


def drift(made: dict[str, JSON], folder: Path) -> list[str]:
    """Paths at which the files are not what is built."""
    languages = {path.split("/")[0] for path in made}
    there = {p.relative_to(folder).as_posix() for say in languages for p in (folder / say).glob("*.json")}
    stale = [p for p in made if p not in there or (folder / p).read_text("utf-8") != text(made[p])]
    return sorted([*stale, *(there - made.keys())])
