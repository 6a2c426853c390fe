"""A small page per process: is it alive, is it ready and if not why, its figures."""

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

Reasons = Callable[[], list[str]]  # why this process is not ready; empty when it is
Status = Callable[[], dict[str, Any]]


log = logging.getLogger("lifeline.health")

WEDGED: Final = 60.0  # [s] without a turn of the main loop: the process ends itself, and is started again


def guard(beat: Callable[[], float], stop: threading.Event) -> None:
    """Watch the main loop of a process; beat: when it last turned [s] monotonic. Runs in a thread of its own."""
    while not stop.wait(5.0):
        if time.monotonic() - beat() > WEDGED:
            log.critical("the main loop has not turned; ending to be started again", extra={"seconds": WEDGED})
            os._exit(70)


class Page:
    """Serves /-/healthy, /-/ready, /-/status, /healthz, /readyz and /metrics from a thread of its own."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, reasons: Reasons, status: Status) -> None:
        def ready() -> tuple[int, str, bytes]:
            why = reasons()
            return (503, "text/plain", "\n".join(why).encode()) if why else (200, "text/plain", b"ready")

        routes: dict[str, Callable[[], tuple[int, str, bytes]]] = {
            "/-/healthy": lambda: (200, "text/plain", b"healthy"),
            "/-/ready": ready,
            "/-/status": lambda: (200, "application/json", json.dumps(status()).encode()),
            "/metrics": lambda: (200, CONTENT_TYPE_LATEST, generate_latest(registry)),
        }
        routes |= {"/healthz": routes["/-/healthy"], "/readyz": routes["/-/ready"]}

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                code, kind, body = routes.get(self.path, lambda: (404, "text/plain", "\n".join(routes).encode()))()
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Say nothing: probes come every few seconds."""

        self._server = ThreadingHTTPServer((host, port), Answer)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
