"""Grafana's HTTP API, by grafana-api 1.0.3.

The library is of 2020 and knows no data source by UID, no search by a folder's UID, no annotation without a dashboard, no
alerting. What it lacks goes through its own request layer (`GrafanaAPI.GET`, `.POST` ...), which keeps the session, the
token and the errors. Two traps of it: an answer that is no JSON is a bare ValueError, and 403, 404, 409 and 412 are one class.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

import requests
from grafana_api.grafana_api import GrafanaException
from grafana_api.grafana_face import GrafanaFace

from boards.marks import JSON

PATIENCE: Final = 20.0  # [s]
MEANT: Final = {
    HTTPStatus.BAD_REQUEST: "Grafana does not understand what was sent",
    HTTPStatus.UNAUTHORIZED: "the token is not valid: make a service account's token and give it as GRAFANA_TOKEN",
    HTTPStatus.FORBIDDEN: "the token may not do that: its service account needs the role Editor, and Admin for the data source",
    HTTPStatus.NOT_FOUND: "there is no such thing: is GRAFANA_URL the address of Grafana itself, with its sub-path?",
    HTTPStatus.CONFLICT: "another one of that name is there already: rename it, or remove it",
    HTTPStatus.PRECONDITION_FAILED: "it was changed by someone else, or one of that title has another UID: "
    "look with `lifeline boards diff`, then push with --force",
}
Notes = list[dict[str, Any]]


class Refused(Exception):
    """Grafana did not do it; the text says why, and what may be done."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Grafana:
    """One organisation of one Grafana."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Refused(f"{url}: is no address of a Grafana; write it as http://HOST:3000")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
        self.url = f"{parts.scheme}://{parts.netloc}/{prefix}".rstrip("/")
        self._face = GrafanaFace(
            auth=token, host=host, port=parts.port, url_path_prefix=prefix, protocol=parts.scheme, timeout=PATIENCE
        )
        self._face.api.s.max_redirects = 3

    def version(self) -> str:
        """Also whether anything answers there."""
        health = self._do("look at", lambda: self._face.api.GET("/health"))
        if not isinstance(health, dict) or "version" not in health:
            raise Refused(f"{self.url}: what answers there is no Grafana")
        return str(health["version"])

    def datasource(self, uid: str) -> JSON | None:
        return self._there(f"data source {uid}", lambda: self._face.api.GET(f"/datasources/uid/{quote(uid)}"))

    def put_datasource(self, source: JSON, *, new: bool) -> None:
        """Make it, or write over it."""
        if new:
            self._do(f"make data source {source['uid']}", lambda: self._face.datasource.create_datasource(source))
        else:
            path = f"/datasources/uid/{quote(source['uid'])}"
            self._do(f"change data source {source['uid']}", lambda: self._face.api.PUT(path, json=source))

    def folder(self, uid: str) -> JSON | None:
        return self._there(f"folder {uid}", lambda: self._face.folder.get_folder(quote(uid)))

    def make_folder(self, uid: str, title: str) -> None:
        self._do(f"make folder {title}", lambda: self._face.folder.create_folder(title, uid))

    def rename_folder(self, uid: str, title: str, version: int) -> None:
        self._do(f"rename folder {uid}", lambda: self._face.folder.update_folder(quote(uid), title, version=version))

    def dashboard(self, uid: str) -> JSON | None:
        """{"dashboard": its JSON, "meta": its folder ...}"""
        return self._there(f"dashboard {uid}", lambda: self._face.dashboard.get_dashboard(quote(uid)))

    def put_dashboard(self, board: JSON, folder: str, message: str, *, force: bool) -> None:
        """Write a dashboard. Without force Grafana refuses (412) where its version is not the one that was read."""
        body = {"dashboard": board, "folderUid": folder, "message": message, "overwrite": force}
        self._do(f"write dashboard {board['uid']}", lambda: self._face.dashboard.update_dashboard(body))

    def delete_dashboard(self, uid: str) -> None:
        self._do(f"remove dashboard {uid}", lambda: self._face.dashboard.delete_dashboard(quote(uid)))

    def uids(self, folder: str) -> list[str]:
        """UIDs of the dashboards in a folder."""
        found = self._do("list dashboards", lambda: self._face.api.GET(f"/search?type=dash-db&folderUIDs={quote(folder)}"))
        return sorted(d["uid"] for d in found)

    def notes(self, tags: Sequence[str]) -> Notes:
        """Annotations that have all these tags."""
        asked = "&".join(f"tags={quote(t, safe='')}" for t in tags)
        found: Notes = self._do(
            "list annotations", lambda: self._face.api.GET(f"/annotations?type=annotation&limit=5000&{asked}")
        )
        return found

    def add_note(self, note: JSON) -> None:
        self._do("add an annotation", lambda: self._face.api.POST("/annotations", json=note))

    def change_note(self, number: int, note: JSON) -> None:
        self._do(f"change annotation {number}", lambda: self._face.api.PATCH(f"/annotations/{number}", json=note))

    def _there(self, what: str, ask: Callable[[], Any]) -> JSON | None:
        try:
            found: JSON = self._do(f"read {what}", ask)
        except Refused as why:
            if why.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return found

    def _do(self, what: str, ask: Callable[[], Any]) -> Any:
        """The answer; Refused with Grafana's own words and ours."""
        try:
            return ask()
        except GrafanaException as why:
            raise Refused(self._told(what, why), why.status_code) from why
        except requests.exceptions.JSONDecodeError as why:
            raise Refused(f"{self.url}: could not {what}: the answer is no JSON; what answers there is no Grafana") from why
        except requests.RequestException as why:
            raise Refused(f"{self.url}: could not {what}: {why}") from why

    def _told(self, what: str, why: GrafanaException) -> str:
        words = why.response.get("message", "") if isinstance(why.response, dict) else str(why.response)[:200]
        status = int(why.status_code)
        server = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        meant = "Grafana itself failed: look into its log, and push again" if server else MEANT.get(HTTPStatus(status), "")
        return f"{self.url}: could not {what}: {status} {words}" + (f" ({meant})" if meant else "")
