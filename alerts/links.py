"""Links that stand for a person: signed, for one warning, until they expire."""

import base64
import binascii
import hashlib
import hmac
import secrets as chance
from dataclasses import dataclass, field
from typing import Final, Self

import msgspec
from sqlalchemy import select

from alerts import peer, plot
from alerts.notice import Notice
from alerts.tables import Database, insert_new
from alerts.ways import secrets
from lifeline.model import NS

LIFE: Final = 24 * 3600  # [s] from the notice's making
MARK: Final = 16  # [byte] of the HMAC that a link carries: nobody guesses 2^128
NAME: Final = "links"  # of the secret in the database


class BadLink(Exception):
    """Not one of ours, or changed on its way."""


class Pass(msgspec.Struct, frozen=True, array_like=True):
    """What a link allows: `a` to acknowledge, `p` to look at the plot."""

    act: str
    warning: str
    version: int
    person: str
    until: int  # [s] UTC, desk clock

    def expired(self, at: int) -> bool:
        """at [ns]"""
        return at > self.until * NS


@dataclass(frozen=True)
class Links:
    """Writes and reads them. The same notice has the same link however often it is sent."""

    secret: bytes = field(repr=False)
    public_url: str

    @classmethod
    def of(cls, database: Database, public_url: str, secret: str = "") -> Self:
        """With the configured secret, or one that is made once and kept in the database."""
        return cls((secret or kept(database)).encode(), public_url)

    def acknowledge(self, notice: Notice) -> str:
        """Where the person whom a notice is for answers it."""
        return self._url("a", notice, notice.person)

    def picture(self, notice: Notice) -> str:
        """Where a provider fetches the plot."""
        return f"{self._url('p', notice, '')}/plot.png"

    def read(self, token: str) -> Pass:
        """What a token allows; BadLink if it is none of ours. Whether it has expired is for the reader to ask."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
            said, mark = raw[:-MARK], raw[-MARK:]
            if not hmac.compare_digest(self._mark(said), mark):
                raise BadLink(token)
            return msgspec.msgpack.decode(said, type=Pass)
        except (binascii.Error, ValueError, msgspec.DecodeError) as why:
            raise BadLink(token) from why

    def _url(self, act: str, notice: Notice, person: str) -> str:
        s = notice.story
        said = msgspec.msgpack.encode(Pass(act, s.warning, s.version, person, s.made // NS + LIFE))
        token = base64.urlsafe_b64encode(said + self._mark(said)).decode().rstrip("=")
        return f"{self.public_url.rstrip('/')}/a/{token}"

    def _mark(self, said: bytes) -> bytes:
        return hmac.new(self.secret, said, hashlib.sha256).digest()[:MARK]


def kept(database: Database) -> str:
    """The database's own secret; made by whoever asks first."""
    with database.write() as db:
        insert_new(db, secrets, name=NAME, value=chance.token_hex(32))
        value: str = db.execute(select(secrets.c.value).where(secrets.c.name == NAME)).scalar_one()
    return value


def dressed(notice: Notice, links: Links | None) -> Notice:
    """A notice as it is sent: with why it is this person who is told, the link to acknowledge, and where the plot is."""
    zh, en = [notice.texts.zh], [notice.texts.en]
    if notice.part is not None:
        zh.append(f"通知您的原因：{notice.part.zh}")
        en.append(f"Why you are told: {notice.part.en}")
    link = links.acknowledge(notice) if links and notice.person else ""
    if link:
        zh.append(f"一键确认：{link}")
        en.append(f"Acknowledge: {link}")
    seen = links is not None and peer.public(links.public_url) and plot.drawable(notice.story)
    picture = links.picture(notice) if links and seen else ""
    texts = msgspec.structs.replace(notice.texts, zh="\n".join(zh), en="\n".join(en))
    return msgspec.structs.replace(notice, texts=texts, link=link, picture=picture)
