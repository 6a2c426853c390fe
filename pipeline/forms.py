"""How commands write out what they found."""

from enum import StrEnum


class Form(StrEnum):
    """For people, for programs, for spreadsheets."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
