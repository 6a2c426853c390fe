"""What must be done in a Grafana so that it shows our boards; and doing it. Done twice, the second time changes nothing."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from boards.grafana import Grafana
from boards.marks import JSON
from boards.panels import SOURCE
from boards.words import FOLDERS, Language, folder_uid

MADE: Final = ("id", "version", "uid")  # that Grafana gives, or we; not what a board shows
NOTE: Final = "lifeline"  # tag of our annotations
MS: Final = 1_000_000  # [ns]
SECRETS: Final = ("secureJsonData",)  # never given back, so never compared


@dataclass(frozen=True)
class Step:
    """One thing to do, in words, with what differs."""

    what: str
    do: Callable[[], None]
    details: Sequence[str] = ()


@dataclass(frozen=True)
class Wanted:
    """What a Grafana shall show."""

    boards: dict[str, JSON]  # path -> board, as of boards.build.files
    datasource: JSON | None = None  # None: left alone
    warnings: Sequence[JSON] = field(default_factory=list)  # as of the desk's /api/v1/warnings

    @property
    def languages(self) -> list[Language]:
        return sorted({Language(path.split("/")[0]) for path in self.boards})


def datasource(url: str, database: str, token: str) -> JSON:
    """The source of all boards, as the API wants it."""
    secret = {"secureJsonData": {"httpHeaderValue1": f"Token {token}"}} if token else {}
    headers = {"httpHeaderName1": "Authorization"} if token else {}
    return {
        "uid": SOURCE["uid"], "name": "lifeline", "type": SOURCE["type"], "access": "proxy", "url": url, "isDefault": True,
        "jsonData": {"dbName": database, "httpMode": "POST", **headers}, **secret,
    }  # fmt: skip


def plan(grafana: Grafana, wanted: Wanted, *, message: str = "", prune: bool = False, force: bool = False) -> list[Step]:
    """What is not yet so, in the order in which it must be done."""
    steps = [*sources(grafana, wanted), *folders(grafana, wanted)]
    steps += dashboards(grafana, wanted, message, force=force)
    if prune:
        steps += stale(grafana, wanted)
    return [*steps, *notes(grafana, wanted)]


def sources(grafana: Grafana, wanted: Wanted) -> Iterable[Step]:
    source = wanted.datasource
    if source is None:
        return
    there = grafana.datasource(str(source["uid"]))
    differs = [] if there is None else list(differences({k: v for k, v in source.items() if k not in SECRETS}, there))
    if there is None or differs:
        word = "make" if there is None else "change"
        yield Step(f"{word} data source {source['uid']}", lambda: grafana.put_datasource(source, new=there is None), differs)


def folders(grafana: Grafana, wanted: Wanted) -> Iterable[Step]:
    for say in wanted.languages:
        uid, title = folder_uid(say), FOLDERS[say]
        there = grafana.folder(uid)
        if there is None:
            yield Step(f"make folder {title}", lambda u=uid, t=title: grafana.make_folder(u, t))  # type: ignore[misc]
        elif there["title"] != title:
            old = there["title"]
            version = int(there.get("version", 1))
            yield Step(
                f"rename folder {old} to {title}",
                lambda u=uid, t=title, v=version: grafana.rename_folder(u, t, v),  # type: ignore[misc]
            )


def dashboards(grafana: Grafana, wanted: Wanted, message: str, *, force: bool) -> Iterable[Step]:
    for path, board in wanted.boards.items():
        folder = folder_uid(Language(path.split("/")[0]))
        there = grafana.dashboard(board["uid"])
        if there is None:
            yield Step(f"make {path}", putting(grafana, board, folder, message, force=force))
            continue
        moved = there.get("meta", {}).get("folderUid", folder) != folder
        details = list(differences(bare(board), bare(there["dashboard"])))
        if moved:
            details.append(f"folder: {there['meta']['folderUid']} -> {folder}")
        if details:
            own = board | {"id": there["dashboard"].get("id"), "version": there["dashboard"].get("version", 0)}
            yield Step(f"change {path}", putting(grafana, own, folder, message, force=force), details)


def putting(grafana: Grafana, board: JSON, folder: str, message: str, *, force: bool) -> Callable[[], None]:
    return lambda: grafana.put_dashboard(board, folder, message, force=force)


def stale(grafana: Grafana, wanted: Wanted) -> Iterable[Step]:
    """Dashboards in our folders that are no more among ours."""
    ours = {b["uid"] for b in wanted.boards.values()}
    for say in wanted.languages:
        if grafana.folder(folder_uid(say)) is not None:
            for uid in grafana.uids(folder_uid(say)):
                if uid not in ours:
                    yield Step(f"remove dashboard {uid}", lambda u=uid: grafana.delete_dashboard(u))  # type: ignore[misc]


def notes(grafana: Grafana, wanted: Wanted) -> Iterable[Step]:
    """An annotation for each warning, found again by a tag with its id; it ends when the warning is closed."""
    if not wanted.warnings:
        return
    there = {tag: note for note in grafana.notes([NOTE]) for tag in note.get("tags", []) if tag.startswith("id:")}
    for warning in wanted.warnings:
        note = noted(warning)
        old = there.get(f"id:{warning['id']}")
        if old is None:
            yield Step(f"note warning {warning['id']}", lambda n=note: grafana.add_note(n))  # type: ignore[misc]
            continue
        details = list(differences(note | {"tags": sorted(note["tags"])}, old | {"tags": sorted(old.get("tags", []))}))
        if details:
            number = int(old["id"])
            yield Step(
                f"change the note of {warning['id']}",
                lambda i=number, n=note: grafana.change_note(i, n),  # type: ignore[misc]
                details,
            )


def noted(warning: JSON) -> JSON:
    """A warning as an annotation of the whole organisation. Its text links to the desk's case."""
    title = f"{warning['title_zh']} {warning['title_en']}".strip()
    text = f'<a href="{warning["url"]}">{escaped(title)}</a>'
    tags = [NOTE, warning["domain"], warning["asset"], warning["level"], f"id:{warning['id']}"]
    end = {"timeEnd": warning["closed"] // MS} if warning.get("closed") else {}
    return {"time": warning["onset"] // MS, **end, "tags": tags, "text": text}


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def bare(board: JSON) -> JSON:
    return {k: v for k, v in board.items() if k not in MADE}


def differences(want: Any, have: Any, path: str = "", *, both: bool = False) -> Iterable[str]:
    """Where something is not as wanted, one line each. both: what is there and not wanted is a difference too.

    Without `both` it may be that a server adds what it takes for granted, and leaves out what is empty.
    """
    if isinstance(want, dict) and isinstance(have, dict):
        for key in sorted({*want, *(have if both else ())}):
            at = f"{path}.{key}" if path else str(key)
            if key not in have and not both and not want[key]:
                continue
            if key not in have:
                yield f"{at}: missing -> {short(want[key])}"
            elif key not in want:
                yield f"{at}: {short(have[key])} -> gone"
            else:
                yield from differences(want[key], have[key], at, both=both)
    elif isinstance(want, list) and isinstance(have, list) and len(want) == len(have):
        for i, (w, h) in enumerate(zip(want, have, strict=True)):
            yield from differences(w, h, f"{path}[{named(w, i)}]", both=both)
    elif want != have:
        yield f"{path}: {short(have)} -> {short(want)}"


def named(item: Any, i: int) -> str:
    """How people know an item of a list: a panel by its title."""
    return str(item["title"]) if isinstance(item, dict) and item.get("title") else str(i)


def short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 80 else f"{text[:77]}..."
