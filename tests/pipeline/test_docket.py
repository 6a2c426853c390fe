"""Warnings without a desk are those that the desk's book would have written."""

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.book import Book
from alerts.case import Case
from alerts.lifecycle import State
from alerts.queries import listed
from alerts.route import Route
from alerts.tables import Database
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id
from pipeline.docket import Docket

T0 = 1_767_000_000 * NS
EVIDENCE = Evidence([T0], [0.4], "%VOL", {"BLUE": 0.5}, "%VOL")

event = st.fixed_dictionaries(
    {
        "at": st.integers(0, 40),
        "device": st.sampled_from(["d1", "d2"]),
        "asset": st.sampled_from(["W-1", "W-2"]),
        "rule": st.sampled_from(["limit", "rise", "new", "stuck"]),
        "new": st.sampled_from(list(Level)),
    }
)


def change(at: int, device: str, asset: str, rule: str, new: Level) -> Change:
    """One word of a rule: "limit" is hard, "new" is passive, "stuck" is about the device."""
    key, t = f"{asset}-{device}/ch4", T0 + at * NS
    return Change(
        id=change_id(rule, key, t, new), t=t, city="c", district="d", domain=Domain.GAS, asset=asset,
        device=f"{asset}-{device}", key=key, quantity="methane", rule=rule,
        hazard="stuck" if rule == "stuck" else "gas_accumulation",
        kind=Kind.TICKET if rule == "stuck" else Kind.HAZARD, mode=Mode.PASSIVE if rule == "new" else Mode.ACTIVE,
        hard=rule == "limit" and new >= Level.ORANGE, old="NORMAL", new=new.name, score=1.0, lat=24.0, lon=102.0, owner="o",
        evidence=EVIDENCE,
    )  # fmt: skip


def told(case: Case) -> tuple[object, ...]:
    return (
        case.id,
        case.asset,
        case.hazard,
        case.kind,
        case.level,
        case.peak,
        case.onset,
        case.cleared,
        case.version,
        case.why,
    )


@given(st.lists(event, max_size=25))
@settings(max_examples=40, deadline=None)
def test_the_docket_holds_what_a_desk_would_whose_people_close_red_at_once(said: list[dict[str, object]]) -> None:
    drawn = {c.id: c for c in (change(**e) for e in said)}  # type: ignore[arg-type]  # by name
    changes = sorted(drawn.values(), key=lambda c: c.t)
    docket = Docket()
    docket.take(changes)
    database = Database("sqlite://")
    book = Book(database, [Route("phone", Level.BLUE, frozenset({Kind.HAZARD}))])
    try:
        for c in changes:
            book.take([c], c.t)
            for case in listed(database, live=True):
                if case.state is State.GONE:
                    book.acknowledge(case.id, "a person", "", c.t)
        kept = {case.id: told(case) for case in listed(database, live=False)}
    finally:
        database.close()
    assert {i: told(w.case) for i, w in docket.warnings.items()} == kept


def test_only_hazards_are_warnings_to_people_and_their_steps_are_kept() -> None:
    docket = Docket()
    docket.take(
        [
            change(0, "d1", "W-1", "stuck", Level.BLUE),
            change(1, "d1", "W-1", "limit", Level.ORANGE),
            change(5, "d1", "W-1", "limit", Level.NORMAL),
            change(6, "d1", "W-2", "new", Level.RED),
        ]
    )
    (hazard,) = docket.hazards()
    assert [(s.t - T0, s.level) for s in hazard.steps] == [(1 * NS, Level.ORANGE), (5 * NS, Level.NORMAL)]
    assert (hazard.peak, hazard.case.cleared) == (Level.ORANGE, T0 + 5 * NS)
    assert [w.case.hazard for w in docket.tickets()] == ["stuck"]
