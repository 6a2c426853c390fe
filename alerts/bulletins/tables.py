"""The table of the reports by day and month. Instants are [ns] UTC, desk clock."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from alerts.database import META

bulletins: Final = Table(
    "bulletins", META,
    Column("every", Text, primary_key=True),  # daily, monthly
    Column("day", Text, primary_key=True),  # the first of its days, as 2026-01-31, in the city's time zone
    Column("due", BigInteger, nullable=False),  # not made before
    Column("lease", BigInteger, nullable=False),  # a desk is at it until then
    Column("made", BigInteger),  # NULL: not yet
    Column("body", Text),  # alerts.bulletins.bulletin.Bulletin as JSON: the figures as they were when it was made
    Column("mail", Text, nullable=False),  # "": nobody wants it; waiting, sent, dropped
    Column("mail_due", BigInteger, nullable=False),
    Column("mail_lease", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("words", Text, nullable=False),  # the mail server's last
    Index("bulletins_due", "made", "due"),
    Index("bulletins_mail", "mail", "mail_due"),
)  # fmt: skip
