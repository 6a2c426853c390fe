"""A heartbeat: what a process says of itself."""

from typing import Annotated, Final

import msgspec

BEHIND: Final = 60.0  # [s] a process further behind than this does not do its work


class Heartbeat(msgspec.Struct):
    """A process lives, and whether it does its work. What else it tells is kept as it is."""

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    lag_s: float | None = None
    not_ready: list[str] = []
    at: int | None = None  # [ns] by the clock of the process

    @property
    def reasons(self) -> list[str]:
        """Why it does not do its work; empty when it does."""
        if not self.not_ready and self.lag_s is not None and self.lag_s > BEHIND:
            return [f"{self.lag_s:.0f} s behind"]
        return self.not_ready
