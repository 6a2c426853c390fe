"""Tables of the ways to people: what was sent when, what providers reported, links that were used. Instants are [ns] UTC."""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from alerts.database import META

sends: Final = Table(
    "sends", META,
    Column("id", Integer, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("at", BigInteger, nullable=False),  # desk clock; only as far back as the channel's pace counts
    Column("n", Integer, nullable=False),  # messages
    Index("sends_channel", "channel", "at"),
)  # fmt: skip

pauses: Final = Table(
    "pauses", META,
    Column("channel", Text, primary_key=True),
    Column("until", BigInteger, nullable=False),  # desk clock; the provider has said "too fast"
)  # fmt: skip

posted: Final = Table(
    "posted", META,
    Column("channel", Text, primary_key=True),
    Column("reference", Text, primary_key=True),  # the provider's name for what it took
    Column("notice", Text, ForeignKey("outbox.id"), nullable=False),
)  # fmt: skip

receipts: Final = Table(
    "receipts", META,
    Column("id", Text, primary_key=True),  # a hash of what came: the same again is one
    Column("channel", Text, nullable=False),
    Column("name", Text, nullable=False),  # of the notice, ours or the provider's
    Column("at", BigInteger, nullable=False),  # desk clock
    Column("fate", Text, nullable=False),  # delivered, failed, never
    Column("words", Text, nullable=False),
    Column("notice", Text),  # whom it was found to speak of; NULL: nobody yet
    Index("receipts_name", "channel", "name"),
)  # fmt: skip

secrets: Final = Table(
    "secrets", META,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)  # fmt: skip

taps: Final = Table(
    "taps", META,
    Column("id", Text, primary_key=True),  # a hash of the link
    Column("at", BigInteger, nullable=False),  # desk clock
)  # fmt: skip
