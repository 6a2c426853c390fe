"""A report as a mail: what stands at its head, and the whole of it attached."""

from collections.abc import Sequence
from datetime import tzinfo
from html import escape
from typing import NamedTuple

from alerts.bulletins import page, sheets
from alerts.bulletins.bulletin import Bulletin
from alerts.bulletins.sections import Section, sections
from alerts.bulletins.words import TITLES, Language, say
from alerts.dangers.export import XLSX


class Attachment(NamedTuple):
    """A file in a mail."""

    name: str
    type: str  # "text/html"
    body: bytes


class Letter(NamedTuple):
    """A mail that is no notice."""

    id: str  # the same however often it is sent
    at: int  # [ns] UTC
    to: tuple[str, ...]  # empty: the channel's own receivers
    subject: str
    text: str
    html: str
    files: list[Attachment]


def letter(made: Bulletin, zone: tzinfo, languages: Sequence[Language], to: tuple[str, ...]) -> Letter:
    """In one language or both. Blocks while plots are drawn."""
    titles = [f"{made.city} {say(TITLES[made.every], language)} {made.name.partition('-')[2]}" for language in languages]
    heads = [sections(made, zone, language)[0] for language in languages]
    files = []
    for language in languages:
        whole = page.page(made, zone, language).encode()
        files += [
            Attachment(f"{made.name}.{language}.html", "text/html", whole),
            Attachment(f"{made.name}.{language}.xlsx", XLSX, sheets.xlsx(made, zone, language)),
        ]
    text = "\n\n".join(f"{title}\n\n{_text(head)}" for title, head in zip(titles, heads, strict=True))
    html = "<br>".join(f"<h2>{escape(title)}</h2>{page.table(head)}" for title, head in zip(titles, heads, strict=True))
    return Letter(f"report.{made.name}", made.made, to, " | ".join(titles), text, html, files)


def _text(head: Section) -> str:
    return "\n".join(f"{row[0]}: {row[1]}" + (f" ({row[3]})" if row[3] else "") for row in head.rows)
