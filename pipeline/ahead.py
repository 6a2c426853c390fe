"""A simulated world told in lots, in this process or in another one that is a lot ahead of whoever judges them."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import NamedTuple

from lifeline.model import NS
from lifeline.words import Unusable
from pipeline.deaf import deaf
from simulators.world import City, Turn, turns


class Way(NamedTuple):
    """How far a world is to be told, and in what lots."""

    at: int  # [ns] up to which it has been
    end: int  # [ns]
    chunk: int  # [s] of a lot
    piece: int  # [s] after which it is shown how the world stands


class Lot(NamedTuple):
    """What arrives in the time up to an instant."""

    until: int  # [ns]
    turns: list[Turn]
    world: bytes  # how it then stands, at the end of a piece; else empty


def lots(world: City, way: Way) -> Iterator[Lot]:
    """Everything that a world tells. Lots and pieces end at multiples of their lengths, whenever it was begun."""
    at, chunk, piece = way.at, way.chunk * NS, way.piece * NS
    while at < way.end:
        then = min((at // chunk + 1) * chunk, (at // piece + 1) * piece, way.end)
        some = [t for t in turns(world.emit(at, then)) if t.at <= way.end]
        yield Lot(then, some, pickle.dumps(world, 5) if then % piece == 0 or then == way.end else b"")
        at = then


@contextmanager
def ahead(world: City, way: Way, *, apart: bool) -> Iterator[Iterator[Lot]]:
    """The lots of a world; apart: from a process of its own, which ends with this one."""
    if not apart:
        yield lots(world, way)
        return
    context = get_context("spawn")
    ours, its = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(its, world, way), daemon=True)
    with deaf():
        process.start()
    its.close()
    try:
        yield _told(ours)
    finally:
        ours.close()
        process.terminate()
        process.join()


def _tell(pipe: Connection, world: City, way: Way) -> None:
    try:
        for lot in lots(world, way):
            pipe.send_bytes(pickle.dumps(lot, 5))
        pipe.send_bytes(pickle.dumps(None))
    except BrokenPipeError:  # nobody listens any more
        return


def _told(pipe: Connection) -> Iterator[Lot]:
    """What the other process says."""
    while True:
        try:
            lot = pickle.loads(pipe.recv_bytes())  # noqa: S301  our own child's
        except EOFError as why:
            raise Unusable("the process that simulates was killed; is there enough memory?") from why
        if lot is None:
            return
        yield lot
