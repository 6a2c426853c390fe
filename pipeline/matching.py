"""Which warnings belong to which expectation, event or fault of a sensor."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from lifeline.model import NS, Kind, Level
from pipeline.said import Said
from simulators.faults import Truth
from simulators.scenario import Expect, Scenario, Ticket

LINGER: Final = 7200 * NS  # [ns] after a fault is over its readings are still in the windows of rules: the longest is 2 h


def concerns(w: Said, e: Expect) -> bool:
    """Whether a warning is of the assets and hazards that an expectation speaks of."""
    return fnmatchcase(w.asset, e.asset) and w.hazard in e.hazard


def allowed(w: Said, e: Expect, s: Scenario, truth: Sequence[Truth]) -> bool:
    """Whether it may be given; what must come of a fault may not come before it, nor when all is long over."""
    return concerns(w, e) and (e.level is None or onset_of(e, s) <= w.raised <= over(e, s, truth))


def onset_of(e: Expect, s: Scenario) -> int:
    """When the fault that an expectation speaks of begins. [ns]"""
    at = s.fault[e.fault - 1][1].at if e.fault <= len(s.fault) else 0.0
    return s.start + round(at * NS)


def detectable(e: Expect, s: Scenario, truth: Sequence[Truth]) -> int:
    """From when a perfect observer could know of it; its onset where the world does not say. [ns]"""
    onset = onset_of(e, s)
    known = [t.detectable for t in truth if t.hazard in e.hazard and fnmatchcase(t.asset, e.asset) and t.onset >= onset]
    return min(known, default=onset)


def over(e: Expect, s: Scenario, truth: Sequence[Truth]) -> int:
    """Until when anything new may be said of what an expectation speaks of; the end where the world does not say. [ns]"""
    ends = [t.end + LINGER for t in truth if t.hazard in e.hazard and fnmatchcase(t.asset, e.asset)]
    return max(ends, default=s.end)


def of_fault(w: Said, truth: Sequence[Truth]) -> bool:
    """Whether a false warning was raised where a sensor or the network was at fault, and nothing else.

    A clock that is off dates its readings otherwise: what counts is the time of the reading or of its arrival.
    """
    read, told = sorted((w.first.t, w.first.told))
    here = [t for t in truth if t.asset == w.asset and t.onset <= told and read <= t.end + LINGER]
    return any(t.sensor_fault for t in here) and not any(t.hazard for t in here)


def raised(ticket: Ticket, s: Scenario, tickets: Sequence[Said]) -> bool:
    """Whether a ticket came, in time."""
    at = s.sensor[ticket.sensor - 1].at if ticket.sensor <= len(s.sensor) else 0.0
    onset = s.start + round(at * NS)
    last = s.end if ticket.within is None else onset + round(ticket.within * NS)
    return any(
        fnmatchcase(w.asset, ticket.asset)
        and ("*" in ticket.hazard or w.hazard in ticket.hazard)
        and onset <= w.first.told <= last
        for w in tickets
    )


def called(t: Truth, s: Scenario, hazards: Sequence[Said]) -> Level:
    """The gravest warning of an event while it lasts, under any of the names that an expectation allows for it."""
    names = {t.hazard, *(h for e in s.expect if t.hazard in e.hazard and fnmatchcase(t.asset, e.asset) for h in e.hazard)}
    steps = [x for w in hazards if w.asset == t.asset and w.hazard in names for x in w.steps if x.kind is Kind.HAZARD]
    return max((x.level for x in steps if t.onset <= x.t <= t.end + LINGER), default=Level.NORMAL)


def located(e: Expect, truth: Sequence[Truth], mine: Sequence[Said]) -> int | None:
    """The best rank of a true place in any of the warnings."""
    places = {t.place for t in truth if t.hazard in e.hazard and t.place}
    return min((i + 1 for w in mine for i, place in enumerate(w.places) if place in places), default=None)
