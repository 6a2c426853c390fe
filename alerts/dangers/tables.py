"""The tables of the ledger. Rows of acts are only added; `dangers` is what they come to, and can be told again from them."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text

from alerts.database import META

_TEXTS = (
    "finder", "signature", "place", "asset", "district", "domain", "hazard", "description", "photos", "evidence", "grade",
    "colour", "cause", "measures", "unit", "person", "funds", "plan", "rechecker", "interim", "supervisor", "reported",
    "before", "after", "finished_by", "result", "accepted_by",
)  # fmt: skip

dangers = Table(
    "dangers", META,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),  # acts so far
    Column("source", Text, nullable=False),  # warning, patrol, public
    Column("warning", Text, ForeignKey("warnings.id")),
    Column("receipt", Text, unique=True),
    Column("made", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("registered_by", Text, nullable=False),
    Column("found", BigInteger, nullable=False),
    *(Column(name, Text, nullable=False, server_default="") for name in _TEXTS),
    Column("lat", Float),
    Column("lon", Float),
    Column("deadline", BigInteger),
    Column("lapsed", BigInteger),
    Column("overdue", Integer, nullable=False),
    Column("struck", BigInteger),
    Column("kept", BigInteger),
    Column("reopened", Integer, nullable=False),
    Index("dangers_state", "state", "deadline"),
    Index("dangers_made", "made"),
    Index("dangers_warning", "warning"),
)  # fmt: skip

danger_acts = Table(
    "danger_acts", META,
    Column("danger", Text, ForeignKey("dangers.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("act", Text, nullable=False),
    Column("state", Text, nullable=False),  # after it
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("facts", Text, nullable=False),  # alerts.dangers.danger.Facts as JSON
)  # fmt: skip

pictures = Table(
    "pictures", META,
    Column("id", Text, primary_key=True),  # SHA-256 of its bytes
    Column("type", Text, nullable=False),  # image/jpeg, image/png, image/webp: as its bytes say
    Column("body", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
)  # fmt: skip

reports = Table(
    "reports", META,
    Column("receipt", Text, primary_key=True),
    Column("once", Text, nullable=False, unique=True),  # of the form: the same form sent twice is one report
    Column("at", BigInteger, nullable=False),
    Column("danger", Text, ForeignKey("dangers.id"), nullable=False),
    Column("contact", Text, nullable=False),  # as the citizen gave it; "": none
    Column("bundle", Text, nullable=False, server_default=""),  # with which others it is told; "": not yet
    Index("reports_at", "at"),
    Index("reports_bundle", "bundle"),
)  # fmt: skip

bundles = Table(
    "report_bundles", META,
    Column("id", Text, ForeignKey("dangers.id"), primary_key=True),  # the first of its reports in the ledger
    Column("at", BigInteger, nullable=False),  # desk clock
    Column("said", BigInteger),  # its warning is raised
    Column("ended", BigInteger),  # all of it is assessed
    Index("report_bundles_at", "at"),
)  # fmt: skip
