"""What the tests' desks let in."""

from typing import Final

TOKEN: Final = "t"  # noqa: S105  of a desk that lives for a moment
BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}
