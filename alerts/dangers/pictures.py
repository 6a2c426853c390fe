"""Pictures: checked by their content, kept byte for byte in the database, so that they lie on no path that is served.

They stay as they were taken (what proves something is not re-encoded) and are named by their SHA-256. No decoder runs over
them here; a browser shows them as the type that their first bytes say and as nothing else.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, select

from alerts.dangers.tables import pictures
from alerts.tables import Database, insert_new

LARGEST: Final = 8_000_000  # [byte] of one
NAME: Final = 64  # [1] hex digits; longer or shorter names are papers, not pictures
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=86400, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ONE: Final = select(pictures.c.type, pictures.c.body).where(pictures.c.id == bindparam("id"))
_KNOWN: Final = select(pictures.c.id).where(pictures.c.id.in_(bindparam("ids", expanding=True)))


class NoPicture(Exception):
    """These bytes are not a picture that is taken; the text says why."""


class Picture(NamedTuple):
    type: str
    body: bytes


def kind(body: bytes) -> str:
    """The type that the bytes say; NoPicture where it is none of ours, or too large."""
    if len(body) > LARGEST:
        raise NoPicture(f"a picture has at most {LARGEST / 1e6:g} MB")
    if body[:3] == b"\xff\xd8\xff" and len(body) > 100:
        return "image/jpeg"
    if body[:8] == b"\x89PNG\r\n\x1a\n" and body[12:16] == b"IHDR":
        return "image/png"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP" and body[12:16] in {b"VP8 ", b"VP8L", b"VP8X"}:
        return "image/webp"
    raise NoPicture("it is no JPEG, PNG or WebP")


def keep(db: Connection, body: bytes, by: str, at: int) -> str:
    """Its name. The same picture twice is one. at [ns] desk clock"""
    name = sha256(body).hexdigest()
    insert_new(db, pictures, id=name, type=kind(body), body=body, at=at, by=by)
    return name


def find(database: Database, name: str) -> Picture | None:
    """One by its name."""
    with database.read() as db:
        row = db.execute(_ONE, {"id": name}).one_or_none()
    return Picture(row.type, bytes(row.body)) if row else None


def there(db: Connection, names: Iterable[str]) -> None:
    """NoPicture where a name looks like a picture's and none has it; other names are numbers of papers."""
    wanted = {n for n in names if len(n) == NAME}
    missing = wanted - set(db.execute(_KNOWN, {"ids": sorted(wanted)}).scalars()) if wanted else set()
    if missing:
        raise NoPicture(f"no picture has the name {', '.join(sorted(missing))}")
