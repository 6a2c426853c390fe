"""What people may do. Each role may do all that those before it may."""

from enum import IntEnum
from typing import Final

from lifeline.model import Level


class Role(IntEnum):
    VIEWER = 1  # looks
    OPERATOR = 2  # answers, and says what was done
    ANALYST = 3  # judges what it was
    LEADER = 4  # closes what was RED
    ADMIN = 5  # says who may do what


CLOSES: Final[dict[Level, Role]] = {  # who may close a warning, by the gravest it has been
    Level.BLUE: Role.OPERATOR,
    Level.YELLOW: Role.OPERATOR,
    Level.ORANGE: Role.ANALYST,
    Level.RED: Role.LEADER,
}


class Forbidden(Exception):
    """An act that this role may not do."""


def must(role: Role, least: Role, act: str) -> None:
    """Forbidden unless the role suffices."""
    if role < least:
        raise Forbidden(f"{act} needs the role {least.name.lower()}; this is done as {role.name.lower()}")
