"""How many citizens' reports are let in: by address, in all, at one time. In memory of this process; no address is stored."""

import asyncio
import ipaddress
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from lifeline.model import NS

HOUR: Final = 3600 * NS
PAUSE: Final = 0.05  # [s] between looks


@dataclass
class Gate:
    """Counts of the last hour."""

    each: int = 20  # [1] an address and hour: behind one address of a mobile network there may be many people
    all: int = 300  # [1] an hour
    volume: int = 1_000_000_000  # [byte] an hour
    at_once: int = 4  # [1] reports in memory, being written down; who sends slowly holds up nobody
    patience: float = 10.0  # [s] that one more waits for its turn
    _past: deque[tuple[int, str, int]] = field(default_factory=deque)  # instant [ns], address, size [byte]
    _busy: int = 0

    def opens(self, address: str, size: int, at: int) -> bool:
        """Whether a report of this size may come in; if so it is counted. size [byte]; at [ns]"""
        while self._past and self._past[0][0] <= at - HOUR:
            self._past.popleft()
        who = network(address)
        full = len(self._past) >= self.all or sum(n for _, _, n in self._past) + size > self.volume
        if full or sum(one == who for _, one, _ in self._past) >= self.each:
            return False
        self._past.append((at, who, size))
        return True

    async def __aenter__(self) -> None:
        left = self.patience
        while self._busy >= self.at_once:
            if left <= 0:
                raise Crowded
            left -= PAUSE
            await asyncio.sleep(PAUSE)
        self._busy += 1

    async def __aexit__(self, *_: object) -> None:
        self._busy -= 1


class Crowded(Exception):
    """As many reports as can be are being written down."""


def network(address: str) -> str:
    """What counts as one address: of IPv6 the first 64 bits, for a household has as many as it likes."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        return str(known.ipv4_mapped or ipaddress.ip_network((known, 64), strict=False))
    return str(known)
