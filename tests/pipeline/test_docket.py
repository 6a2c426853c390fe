"""Warnings without a desk are those that the desk's book would have written."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.book import Book
from alerts.case import Case
from alerts.lifecycle import State
from alerts.queries import listed
from alerts.route import Route
from alerts.tables import Database
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, Place, change_id
from pipeline.docket import Docket

T0 = 1_767_000_000 * NS
EVIDENCE = Evidence([T0], [0.4], "%VOL", {"BLUE": 0.5}, "%VOL")

event = st.fixed_dictionaries(
    {
        "at": st.sampled_from([*range(40), 1000, 1830, 3000]),
        "device": st.sampled_from(["d1", "d2"]),
        "asset": st.sampled_from(["W-1", "W-2"]),
        "rule": st.sampled_from(["limit", "rise", "new", "stuck", "plume"]),
        "new": st.sampled_from(list(Level)),
    }
)


def change(at: int, device: str, asset: str, rule: str, new: Level) -> Change:
    """One word of a rule: "limit" is hard, "new" is passive, "stuck" is about the device."""
    key, t = f"{asset}-{device}/ch4", T0 + at * NS
    return Change(
        id=change_id(rule, key, t, new), t=t, city="c", district="d", domain=Domain.GAS, asset=asset,
        device=f"{asset}-{device}", key=key, quantity="methane", rule=rule,
        hazard={"stuck": "stuck", "plume": "open_air_release"}.get(rule, "gas_accumulation"),
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


def test_a_warning_names_the_places_last_said_by_what_speaks_to_people() -> None:
    docket = Docket()
    first = replace(change(0, "d1", "W-1", "limit", Level.RED), evidence=located("p1", "p2"))
    later = replace(change(1, "d2", "W-1", "limit", Level.RED), evidence=located("p2"))
    unheard = replace(change(2, "d2", "W-1", "new", Level.RED), evidence=located("p3"))
    docket.take([first])
    assert [p.name for p in docket.hazards()[0].places] == ["p1", "p2"]
    docket.take([later, unheard, change(3, "d1", "W-1", "limit", Level.ORANGE)])
    assert [p.name for p in docket.hazards()[0].places] == ["p2"]


def located(*names: str) -> Evidence:
    return replace(EVIDENCE, places=[Place(n, 1 / len(names)) for n in names])


def test_gas_in_the_open_that_comes_back_is_one_warning_from_its_first_raise_to_its_last_end() -> None:
    docket = Docket()
    said = [(0, Level.BLUE), (100, Level.NORMAL), (1900, Level.YELLOW), (2000, Level.NORMAL), (3801, Level.BLUE)]
    docket.take([change(at, "d1", "W-1", "plume", level) for at, level in said])
    first, second = docket.hazards()
    assert [((s.t - T0) // NS, s.level) for s in first.steps] == said[:4]
    assert first.case.cleared == T0 + 2000 * NS
    assert second.case.onset == T0 + 3801 * NS
