"""The commands `lifeline boards …`: what boards are built of, compared with, and pushed to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alerts import terms
from alerts.alertmanager import link
from alerts.texts import LEVELS, hazard
from boards import build, provision
from boards.grafana import Grafana, Refused
from boards.push import Step, Wanted, datasource, differences, plan
from boards.words import Language
from detectors.rulebook import rules
from lifeline.words import Failed, Unusable
from pipeline.hotline import Line
from pipeline.progress import bar

TREE: Final = Path(build.__file__).parents[1]
PROVISIONING: Final = TREE / "docker" / "grafana" / "provisioning"
LINES: Final = 20  # of what differs in one board


def languages(which: str) -> list[Language]:
    return list(Language) if which == "both" else [Language(which)]


def made(which: str, folder: Path | None, basemap: str, database: str = "lifeline") -> dict[str, Any]:
    """Path -> board, with the limits of these rules."""
    if basemap and not all(f"{{{x}}}" in basemap for x in "xyz"):
        raise Unusable(f"--basemap: {basemap!r} has no {{x}}, {{y}} and {{z}}; e.g. http://tiles.example/{{z}}/{{x}}/{{y}}.png")
    due = {level: t.answer for level, t in terms.DEFAULTS.items()}
    return build.files(languages(which), build.City(rules(folder), due, basemap, database))


@dataclass(frozen=True)
class Place:
    """Where the files lie."""

    boards: Path
    provisioning: Path

    @classmethod
    def of(cls, out: Path | None) -> "Place":
        return cls(build.HERE, PROVISIONING) if out is None else cls(out, out / "provisioning")

    def drift(self, boards: dict[str, Any]) -> list[str]:
        """Files that are not what is built."""
        stale = [str(self.boards / p) for p in build.drift(boards, self.boards)]
        for path, text in provision.files().items():
            file = self.provisioning / path
            if not file.exists() or file.read_text("utf-8") != text:
                stale.append(str(file))
        return stale

    def write(self, boards: dict[str, Any]) -> list[str]:
        """Write what is not so yet; the files that were."""
        stale = self.drift(boards)
        build.write(boards, self.boards)
        for path, text in provision.files().items():
            file = self.provisioning / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if str(file) in stale:
                file.write_text(text, "utf-8")
        return stale


def compared(boards: dict[str, Any], place: Place) -> list[str]:
    """What differs between the files and what is built, to be read by people."""
    import json

    said = []
    for path in build.drift(boards, place.boards):
        file = place.boards / path
        if path not in boards:
            said.append(f"{path}: is not built any more")
        elif not file.exists():
            said.append(f"{path}: is not there")
        else:
            found = list(differences(boards[path], json.loads(file.read_text("utf-8")), both=True))
            said += block(path, found or ["written otherwise"])
    told = {str(place.boards / p) for p in build.drift(boards, place.boards)}
    return [*said, *(f"{p}: differs" for p in place.drift(boards) if p not in told)]


def block(head: str, details: Sequence[str]) -> list[str]:
    """A heading with what differs below it, not more than can be read."""
    more = [f"  … and {len(details) - LINES} more"] if len(details) > LINES else []
    return [head, *(f"  {d}" for d in details[:LINES]), *more]


@dataclass(frozen=True)
class Options:
    """How to push."""

    prune: bool = False
    force: bool = False
    message: str = "lifeline boards push"


def planned(grafana: Grafana, wanted: Wanted, options: Options) -> list[Step]:
    """Failed with what Grafana says."""
    try:
        grafana.version()
        return plan(grafana, wanted, message=options.message, prune=options.prune, force=options.force)
    except Refused as why:
        raise Failed(str(why)) from why


def reached(url: str, token: str) -> Grafana:
    if not url:
        raise Unusable("no Grafana is named: give --url or set GRAFANA_URL")
    if not token:
        raise Unusable("no token: set GRAFANA_TOKEN to a token of a service account (Administration, Service accounts)")
    try:
        return Grafana(url, token)
    except Refused as why:
        raise Unusable(str(why)) from why


def done(steps: Sequence[Step]) -> Iterator[str]:
    """Do it step by step; Failed names the step and what was done before it."""
    with bar(len(steps), "pushing") as told:
        for i, step in enumerate(steps):
            try:
                step.do()
            except Refused as why:
                raise Failed(f"{step.what}: {why}; {i} of {len(steps)} steps are done, push again to go on") from why
            told(1)
            yield step.what


def source(url: str, database: str, token: str) -> dict[str, Any] | None:
    """The data source, where its address is known."""
    return datasource(url, database, token) if url else None


def warnings(line: Line, public_url: str) -> list[dict[str, Any]]:
    """The desk's warnings as they are noted in Grafana; devices in doubt are not."""
    rows = line.ask("GET", "/api/v1/warnings", params={"limit": 5000})
    return [row(w, public_url) for w in rows if w["kind"] == "hazard"]


def row(w: dict[str, Any], public_url: str) -> dict[str, Any]:
    zh, en = hazard(w["hazard"])
    level = LEVELS[w["peak"]]
    return {
        "id": w["id"], "domain": w["domain"], "asset": w["asset"], "level": w["peak"], "onset": w["onset"],
        "closed": w["cleared"] or w["closed_at"], "title_zh": f"【{level[0]}】{zh}：{w['asset']}",
        "title_en": f"[{level[1]}] {en}: {w['asset']}", "url": link(public_url, w["id"]),
    }  # fmt: skip
