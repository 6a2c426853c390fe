"""A phone for tests and the demo: an HTTP server in a thread that keeps what it gets, and when, and answers as told."""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import msgspec

from lifeline.clock import now


@dataclass(frozen=True, slots=True)
class Got:
    """One request."""

    at: int  # [ns] UTC, when its body was whole
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass(frozen=True)
class Reply:
    """What to answer; `wait` first; with `reset` the connection is broken off instead."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"ok"
    wait: float = 0.0  # [s]
    reset: bool = False


class _Server(ThreadingHTTPServer):
    """That a caller is killed is no error of ours."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Receiver:
    """Use as a context: `with Receiver() as phone: ... phone.url`. Answers `script` in turn, then `after` for ever."""

    def __init__(self, script: Iterable[Reply] = (), after: Reply = Reply(), host: str = "127.0.0.1", port: int = 0) -> None:
        self.got: list[Got] = []
        self._script, self._after = deque(script), after
        self._changed = threading.Condition()
        self._server = _Server((host, port), self._answers())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="receiver", daemon=True)

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/"

    def wait(self, enough: Callable[[list[Got]], bool], patience: float = 10.0) -> list[Got]:
        """What has come, as soon as it is enough; TimeoutError after `patience` [s]."""
        with self._changed:
            if not self._changed.wait_for(lambda: enough(self.got), patience):
                raise TimeoutError(f"after {patience} s only {len(self.got)} requests")
            return list(self.got)

    def then(self, *replies: Reply) -> None:
        """Answer these next."""
        with self._changed:
            self._script.extend(replies)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, got: Got) -> Reply:
        with self._changed:
            self.got.append(got)
            self._changed.notify_all()
            return self._script.popleft() if self._script else self._after

    def _answers(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                reply = receiver._take(Got(now(), self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                time.sleep(reply.wait)
                if reply.reset:
                    self.connection.close()
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in (*reply.headers, ("Content-Length", str(len(reply.body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST  # noqa: N815  as the library names it

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        return Answers
