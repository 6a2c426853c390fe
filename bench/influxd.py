"""An InfluxDB 1.6 of one's own on free loopback ports, behind an nginx that knows the path of later versions."""

import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final, Self

from bench.mosquitto import free_port, program

PATIENCE: Final = 60.0  # [s]
CONF: Final = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
index-version = "inmem"
max-values-per-tag = 0
max-series-per-database = 0
query-log-enabled = false
trace-logging-enabled = false
[monitor]
store-enabled = false
[continuous_queries]
log-enabled = false
run-interval = "1s"
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
max-body-size = {body}
[logging]
level = "error"
"""

FRONT: Final = """\
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 0;
  client_body_buffer_size 16m;
  server {{
    listen 127.0.0.1:{front};
    location = /api/v2/write {{ proxy_pass http://127.0.0.1:{port}/write?db=$arg_bucket&precision=n; }}
    location / {{ proxy_pass http://127.0.0.1:{port}; }}
  }}
}}
"""


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310  our own server
            return True
    except urllib.error.HTTPError as why:
        why.close()
        return False
    except OSError:
        return False


def awaited(url: str) -> None:
    """Return when it answers; TimeoutError when it does not."""
    end = time.monotonic() + PATIENCE
    while not answers(url):
        if time.monotonic() > end:
            raise TimeoutError(f"{url} does not answer")
        time.sleep(0.02)


class Influx:
    """A server that keeps its ports and its data over restarts. Use as a context.

    body: [byte] of a request, at most; 0: any number
    """

    def __init__(self, *, body: int = 0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="influx-"))
        self.port, self._front = free_port(), free_port()
        settings: dict[str, object] = {
            "folder": self.folder,
            "port": self.port,
            "rpc": free_port(),
            "front": self._front,
            "body": body,
        }
        settings["user"] = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "influxd.conf").write_text(CONF.format(**settings))
        (self.folder / "nginx.conf").write_text(FRONT.format(**settings))
        self.url, self.token = f"http://127.0.0.1:{self._front}", ""
        self._server: subprocess.Popen[bytes] | None = None
        self._proxy: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        with (self.folder / "log").open("ab") as log:
            args = [program("influxd"), "-config", str(self.folder / "influxd.conf")]
            self._server = subprocess.Popen(args, stdout=log, stderr=log)
        awaited(f"http://127.0.0.1:{self.port}/ping")

    def kill(self) -> None:
        """As a power cut does."""
        assert self._server is not None
        self._server.kill()
        self._server.wait()

    def __enter__(self) -> Self:
        self.start()
        with (self.folder / "log").open("ab") as log:
            args = [program("nginx"), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
            self._proxy = subprocess.Popen(args, stdout=log, stderr=log)
        awaited(f"{self.url}/ping")
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._proxy, self._server):
            if process is not None:
                process.terminate()
                process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)
