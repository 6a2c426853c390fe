"""Sends what the book wrote, at least once, in order for each warning and channel.

Each channel has a lane of its own, so that a slow one holds up nobody else.
"""

import asyncio
from collections.abc import Mapping
from functools import partial

from alerts import plot, spool
from alerts.lane import Lane, Patience, Tally
from alerts.links import Links, dressed
from alerts.notice import Channel
from alerts.tables import Database
from lifeline.clock import Clock

__all__ = ["Outbox", "Patience", "Tally"]


class Outbox:
    """The worker. `run` for as long as the desk lives; `wake` when there is something new."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        clock: Clock,
        tally: Tally,
        patience: Patience | None = None,
        *,
        holder: str = "desk",
        links: Links | None = None,
    ) -> None:
        self._database, self._clock, self._tally, self._holder = database, clock, tally, holder
        self.channels, self.links, dress = channels, links or Links.of(database, ""), partial(dressed, links=links)
        self._lanes = [
            Lane(
                name,
                channel,
                database,
                clock,
                tally,
                patience or Patience(),
                holder,
                rescue_of(name, channels),
                self.wake,
                dress,
            )
            for name, channel in channels.items()
        ]

    def wake(self) -> None:
        """Look at once."""
        for lane in self._lanes:
            lane.call.set()

    async def run(self) -> None:
        """Send until cancelled."""
        await asyncio.to_thread(spool.release, self._database, self._holder)
        await asyncio.to_thread(self._bury)
        async with asyncio.TaskGroup() as tasks:
            if any(getattr(way, "draws", False) for way in self.channels.values()):
                tasks.create_task(asyncio.to_thread(plot.warm))
            for lane in self._lanes:
                tasks.create_task(lane.run())

    def _bury(self) -> None:
        """Give up what waits for channels that are configured no more."""
        known = [lane.name for lane in self._lanes]
        for channel, n in spool.bury(self._database, known, known[0] if known else None, self._clock.now()).items():
            for _ in range(n):
                self._tally.failed(channel, "misconfigured", final=True)


def rescue_of(name: str, channels: Mapping[str, Channel]) -> str | None:
    """The first other channel: it is told when this one gives up. What publishes to everybody is none of our troubles' ear."""
    return next((other for other, way in channels.items() if other != name and not getattr(way, "publishes", False)), None)
