"""The console: a web page for duty staff, from the desk itself. Imported only where a desk starts: nicegui takes its time."""

import gzip
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from nicegui import app as library
from nicegui import background_tasks, ui

from alerts import etags
from alerts.console import door, shell
from alerts.console.outline import Ground
from alerts.console.pages import PAGES, Page
from alerts.console.pulse import Pulse
from alerts.console.visit import Hall, Visit
from alerts.desk import Desk

STATIC: Final = Path(__file__).parent / "static"
RECONNECT: Final = 10.0  # [s] for which the page of a browser that was cut off is kept
PACKED: Final = 6  # of gzip
BUILD: Final = 20.0  # [s] that a page may take to be made


def mount(made: FastAPI, desk: Desk) -> None:
    """Put the console into a desk's application, under /console/. Once in a process: nicegui is one thing."""
    hall = Hall(desk, Pulse(desk), Ground.of(desk.catalog, desk.map))
    made.include_router(door.router)
    made.add_api_route("/console/static/{name}", _static, include_in_schema=False)
    made.add_api_route("/console/ground.json", _ground(hall), include_in_schema=False)
    for page in PAGES:
        ui.page(page.path, response_timeout=BUILD)(_builder(hall, page))
    library.on_startup(lambda: background_tasks.create(hall.pulse.run(), name="console"))
    ui.run_with(
        made, mount_path="/console", title=desk.settings.city, dark=None, favicon=STATIC / "mark.svg", tailwind=False,
        reconnect_timeout=RECONNECT, show_welcome_message=False, message_history_length=100,
    )  # fmt: skip
    made.add_middleware(door.Fence)


async def _static(name: str) -> Response:
    """The console's own script and style."""
    path = STATIC / name
    if path.parent != STATIC or not path.is_file():
        return Response(status_code=HTTPStatus.NOT_FOUND)
    return FileResponse(path, headers={"Cache-Control": "no-cache"})


def _ground(hall: Hall) -> Callable[[Request], Awaitable[Response]]:
    """What never changes on the map: packed once, and sent to a browser once."""
    body = msgspec.json.encode(hall.ground.told())
    packed, tag = gzip.compress(body, PACKED, mtime=0), f'"{etags.digest(body)}"'
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Cookie", "ETag": tag}

    async def ground(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, headers={**headers, "Content-Encoding": "gzip"}, media_type="application/json")
        return Response(body, headers=headers, media_type="application/json")

    return ground


def _builder(hall: Hall, page: Page) -> Callable[[Request], Awaitable[None]]:
    async def build(request: Request) -> None:
        await shell.show(Visit.of(hall, request), page)

    return build
