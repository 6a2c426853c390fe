"""A double of Grafana's HTTP API, as its documentation has it: paths, bodies, status codes and messages of what our push uses.

https://grafana.com/docs/grafana/latest/developers/http_api/ : folder, dashboard, data_source, annotations, other (health).
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

JSON = dict[str, Any]
Answer = tuple[int, Any]
TOKEN: Final = "glsa_editor"  # noqa: S105  of the double
VIEWER: Final = "glsa_viewer"  # may only look


class Double:
    """Its state, and what it answers. `broken`: a regular expression of `METHOD path` -> an answer in place of its own."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.folders: dict[str, JSON] = {}
        self.sources: dict[str, JSON] = {}
        self.boards: dict[str, JSON] = {}  # uid -> {"dashboard": ..., "folder": uid, "messages": [...]}
        self.notes: list[JSON] = []
        self.asked: list[str] = []  # every request, METHOD path
        self.broken: dict[str, Answer] = {}
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    @property
    def written(self) -> list[str]:
        return [a for a in self.asked if not a.startswith("GET")]

    def answer(self, method: str, target: str, token: str, body: JSON) -> Answer:
        """Status and body of one request."""
        self.asked.append(f"{method} {target}")
        return self.broke(method, target) or self.routed(method, target, token, body)

    def broke(self, method: str, target: str) -> Answer | None:
        for pattern, answer in self.broken.items():
            if re.search(pattern, f"{method} {target}"):
                return answer
        return None

    def routed(self, method: str, target: str, token: str, body: JSON) -> Answer:
        parts = urlsplit(target)
        path, query = parts.path.removeprefix(self.prefix), parse_qs(parts.query)
        if not path.startswith("/api/") or not parts.path.startswith(self.prefix):
            return 404, {"message": "Not found"}
        if path == "/api/health":
            return 200, {"database": "ok", "version": "13.3.0", "commit": "abc"}
        if token not in {TOKEN, VIEWER}:
            return 401, {"message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401}
        if method != "GET" and token == VIEWER:
            return 403, {"message": "You'll need additional permissions to perform this action.", "title": "Access denied"}
        for pattern, wanted, act in self.routes():
            if (match := re.fullmatch(pattern, path)) and wanted == method:
                return act(*match.groups(), query=query, body=body)
        return 404, {"message": "Not found"}

    def routes(self) -> Iterator[tuple[str, str, Callable[..., Answer]]]:
        uid = "([A-Za-z0-9_-]+)"
        yield "/api/folders", "POST", self.make_folder
        yield f"/api/folders/{uid}", "GET", self.folder
        yield f"/api/folders/{uid}", "PUT", self.rename_folder
        yield "/api/datasources", "POST", self.make_source
        yield f"/api/datasources/uid/{uid}", "GET", self.source
        yield f"/api/datasources/uid/{uid}", "PUT", self.change_source
        yield "/api/dashboards/db", "POST", self.write_board
        yield f"/api/dashboards/uid/{uid}", "GET", self.board
        yield f"/api/dashboards/uid/{uid}", "DELETE", self.remove_board
        yield "/api/search", "GET", self.search
        yield "/api/annotations", "GET", self.list_notes
        yield "/api/annotations", "POST", self.make_note
        yield "/api/annotations/([0-9]+)", "PATCH", self.change_note

    def folder(self, uid: str, **_: Any) -> Answer:
        found = self.folders.get(uid)
        return (200, found) if found else (404, {"message": "folder not found", "status": "not-found"})

    def make_folder(self, body: JSON, **_: Any) -> Answer:
        if not body.get("title"):
            return 400, {"message": "folder title cannot be empty"}
        if body.get("uid") in self.folders or body["title"] in {f["title"] for f in self.folders.values()}:
            return 409, {"message": "a folder with the same name already exists in the current location"}
        self.folders[body["uid"]] = {"id": len(self.folders) + 1, "uid": body["uid"], "title": body["title"], "version": 1}
        return 200, self.folders[body["uid"]]

    def rename_folder(self, uid: str, body: JSON, **_: Any) -> Answer:
        there = self.folders.get(uid)
        if there is None:
            return 404, {"message": "folder not found"}
        if not body.get("overwrite") and body.get("version") != there["version"]:
            return 412, {"status": "version-mismatch", "message": "The folder has been changed by someone else"}
        there |= {"title": body["title"], "version": there["version"] + 1}
        return 200, there

    def source(self, uid: str, **_: Any) -> Answer:
        if uid not in self.sources:
            return 404, {"message": "Data source not found", "messageId": "datasources.notFound"}
        there = self.sources[uid]
        fields = dict.fromkeys(there.get("secureJsonData", {}), True)
        told = {k: v for k, v in there.items() if k != "secureJsonData"}
        return 200, told | {
            "id": 1,
            "orgId": 1,
            "secureJsonFields": fields,
            "version": 1,
            "readOnly": False,
            "basicAuth": False,
        }

    def make_source(self, body: JSON, **_: Any) -> Answer:
        if body["name"] in {s["name"] for s in self.sources.values()}:
            return 409, {"message": "data source with the same name already exists"}
        self.sources[body["uid"]] = body
        return 200, {"datasource": body, "id": 1, "message": "Datasource added", "name": body["name"]}

    def change_source(self, uid: str, body: JSON, **_: Any) -> Answer:
        if uid not in self.sources:
            return 404, {"message": "Data source not found"}
        self.sources[uid] = body
        return 200, {"datasource": body, "id": 1, "message": "Datasource updated", "name": body["name"]}

    def board(self, uid: str, **_: Any) -> Answer:
        if uid not in self.boards:
            return 404, {"message": "Dashboard not found"}
        there = self.boards[uid]
        return 200, {"dashboard": there["dashboard"], "meta": {"folderUid": there["folder"], "provisioned": False}}

    def write_board(self, body: JSON, **_: Any) -> Answer:
        board, folder = body["dashboard"], body.get("folderUid", "")
        there = self.boards.get(board.get("uid") or "")
        alike = [
            u for u, b in self.boards.items()
            if u != board.get("uid") and (b["folder"], b["dashboard"]["title"]) == (folder, board["title"])
        ]  # fmt: skip
        if not board.get("title"):
            return 400, {"message": "Dashboard title cannot be empty"}
        if folder and folder not in self.folders:
            return 404, {"message": "folder not found"}
        if there and not body.get("overwrite") and board.get("version") != there["dashboard"]["version"]:
            return 412, {"status": "version-mismatch", "message": "The dashboard has been changed by someone else"}
        if alike and not body.get("overwrite"):
            return 412, {"status": "name-exists", "message": "A dashboard with the same name in the folder already exists"}
        version = there["dashboard"]["version"] + 1 if there else 1
        told = {k: v for k, v in board.items() if v is not None} | {"id": len(self.boards) + 1, "version": version}
        messages = [*(there["messages"] if there else []), body.get("message", "")]
        self.boards[board["uid"]] = {"dashboard": told, "folder": folder, "messages": messages}
        return 200, {
            "id": told["id"],
            "uid": board["uid"],
            "status": "success",
            "version": version,
            "url": f"/d/{board['uid']}",
        }

    def remove_board(self, uid: str, **_: Any) -> Answer:
        if uid not in self.boards:
            return 404, {"message": "Dashboard not found"}
        title = self.boards.pop(uid)["dashboard"]["title"]
        return 200, {"title": title, "message": f"Dashboard {title} deleted", "id": 1}

    def search(self, query: dict[str, list[str]], **_: Any) -> Answer:
        folders = query.get("folderUIDs", [])
        found = [(u, b) for u, b in self.boards.items() if not folders or b["folder"] in folders]
        return 200, [
            {"uid": u, "title": b["dashboard"]["title"], "type": "dash-db", "folderUid": b["folder"]} for u, b in found
        ]

    def list_notes(self, query: dict[str, list[str]], **_: Any) -> Answer:
        tags = set(query.get("tags", []))
        return 200, [n for n in self.notes if tags <= set(n["tags"])][: int(query.get("limit", ["100"])[0])]

    def make_note(self, body: JSON, **_: Any) -> Answer:
        if not body.get("text"):
            return 400, {"message": "Failed to save annotation"}
        made = {
            "id": len(self.notes) + 1,
            "dashboardUID": "",
            "panelId": 0,
            "timeEnd": body.get("timeEnd", body["time"]),
        } | body
        self.notes.append(made)
        return 200, {"message": "Annotation added", "id": made["id"]}

    def change_note(self, number: str, body: JSON, **_: Any) -> Answer:
        for note in self.notes:
            if note["id"] == int(number):
                note.update(body)
                return 200, {"message": "Annotation patched"}
        return 404, {"message": "Annotation not found"}


@contextmanager
def serving(double: Double) -> Iterator[Double]:
    """The double on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, told = double.answer(self.command, self.path, token, body)
            raw = told.encode() if isinstance(told, str) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(told, str) else "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815  as the library wants them

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
