"""A double of InfluxDB 2's interface, for what Debian has no server for: tokens, buckets, mappings, tasks, failures.

Like the real one it stores the good lines of a write that it refuses for others, and says what the first of them is.
"""

import gzip
import json
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlparse

LINE: Final = re.compile(r"([^ ]|\\ )+ (?P<fields>.+) (?P<t>-?\d+)")
TOKEN: Final = "right"  # noqa: S105
ORG: Final = "0a0a0a0a0a0a0a0a"


@dataclass(frozen=True)
class Fault:
    """An answer instead of the right one. wait [s] first; reset: the connection is broken off instead"""

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    wait: float = 0.0
    reset: bool = False
    stored: bool = False  # the lines are stored all the same


@dataclass
class Held:
    """What the server holds."""

    buckets: dict[str, dict[str, Any]] = field(default_factory=dict)
    dbrps: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    lines: dict[str, list[str]] = field(default_factory=dict)


class Double:
    """Use as a context. faults: given in turn to writes; bad: lines that hold this are refused; late: older ones too."""

    def __init__(
        self, *, token: str = TOKEN, org: str = "lifeline", room: int = 10**9, bad: str = "BAD", late: int = 0
    ) -> None:
        self.token, self.org, self.room, self.bad, self.late = token, org, room, bad, late
        self.held, self.faults = Held(), deque[Fault]()
        self.requests: list[tuple[str, str, int]] = []  # method, path, status
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def bucket(self, name: str) -> None:
        self.held.buckets[name] = {"id": f"b{len(self.held.buckets):015x}", "name": name, "orgID": ORG, "retentionRules": []}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, url: str, headers: Any, body: bytes) -> tuple[int, Any]:
        path, asked = urlparse(url).path, {k: v[0] for k, v in parse_qs(urlparse(url).query).items()}
        if path == "/ping":
            return 204, None
        if headers.get("Authorization") != f"Token {self.token}":
            return 401, {"code": "unauthorized", "message": "unauthorized access"}
        if path == "/api/v2/write":
            return self._write(asked, gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body)
        what = path.removeprefix("/api/v2/").split("/")
        return getattr(self, f"_{what[0]}")(method, asked, json.loads(body or b"{}"), *what[1:])  # type: ignore[no-any-return]

    def _write(self, asked: dict[str, str], text: bytes) -> tuple[int, Any]:
        if asked["org"] != self.org:
            return 404, {"code": "not found", "message": f'organization name "{asked["org"]}" not found'}
        if asked["bucket"] not in self.held.buckets:
            return 404, {"code": "not found", "message": f'bucket "{asked["bucket"]}" not found'}
        if len(text) > self.room:
            return 413, {"code": "request too large", "message": "cannot read data: points batch is too large"}
        lines = text.decode().split("\n")[:-1]
        bad = [x for x in lines if self.bad in x or not LINE.fullmatch(x)]
        old = [x for x in lines if x not in bad and int(x.rpartition(" ")[2]) < self.late]
        self.held.lines.setdefault(asked["bucket"], []).extend(x for x in lines if x not in bad and x not in old)
        if bad:
            return 400, {"code": "invalid", "message": f"unable to parse '{bad[0]}': it is bad"}
        if old:
            words = f"failure writing points to database: partial write: points beyond retention policy dropped={len(old)}"
            return 422, {"code": "unprocessable entity", "message": words}
        return 204, None

    def _orgs(self, _method: str, asked: dict[str, str], _body: Any) -> tuple[int, Any]:
        if asked["org"] != self.org:
            return 404, {"code": "not found", "message": f'organization name "{asked["org"]}" not found'}
        return 200, {"orgs": [{"id": ORG, "name": self.org}]}

    def _buckets(self, method: str, asked: dict[str, str], body: Any, which: str = "") -> tuple[int, Any]:
        if method == "GET":
            found = self.held.buckets.get(asked["name"])
            return (200, {"buckets": [found]}) if found else (404, {"code": "not found", "message": "bucket not found"})
        if method == "PATCH":
            held = next(b for b in self.held.buckets.values() if b["id"] == which)
            held["retentionRules"] = body["retentionRules"]
            return 200, held
        if body["name"] in self.held.buckets:
            return 422, {"code": "conflict", "message": "bucket with that name already exists"}
        self.bucket(body["name"])
        self.held.buckets[body["name"]]["retentionRules"] = body["retentionRules"]
        return 201, self.held.buckets[body["name"]]

    def _dbrps(self, method: str, asked: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"content": [d for d in self.held.dbrps if d["database"] == asked["db"]]}
        self.held.dbrps.append({"id": f"d{len(self.held.dbrps):015x}", **body})
        return 201, self.held.dbrps[-1]

    def _tasks(self, method: str, asked: dict[str, str], body: Any, which: str = "") -> tuple[int, Any]:
        if method == "GET":
            return 200, {"tasks": [t for t in self.held.tasks if t["name"] == asked["name"]]}
        name = re.search(r'name: "([^"]+)"', body["flux"])
        assert name, body
        if method == "PATCH":
            held = next(t for t in self.held.tasks if t["id"] == which)
            held["flux"] = body["flux"]
            return 200, held
        self.held.tasks.append({"id": f"t{len(self.held.tasks):015x}", "name": name[1], **body})
        return 201, self.held.tasks[-1]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        double = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                with double._lock:
                    writes = self.path.startswith("/api/v2/write")
                    fault = double.faults.popleft() if writes and double.faults else None
                    status, said = (0, None)
                    if fault is None or fault.stored:
                        status, said = double.answer(self.command, self.path, self.headers, body)
                    if fault is not None:
                        status, said = fault.status, {"code": "fault", "message": "as told"}
                    double.requests.append((self.command, urlparse(self.path).path, status))
                if fault is not None:
                    time.sleep(fault.wait)
                if fault is not None and fault.reset:
                    self.connection.close()
                    self.close_connection = True
                    return
                text = b"" if said is None else json.dumps(said).encode()
                self.send_response(status)
                more = fault.headers if fault is not None else (("X-Influxdb-Version", "v2.7.6"), ("X-Influxdb-Build", "OSS"))
                for name, value in (*more, ("Content-Type", "application/json"), ("Content-Length", str(len(text)))):
                    self.send_header(name, value)
                self.end_headers()
                if text and status != 204:
                    self.wfile.write(text)

            do_GET = do_POST = do_PATCH = _do  # noqa: N815  as http.server calls them

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        return Answers
