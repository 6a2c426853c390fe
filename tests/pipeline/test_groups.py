"""Which rules judge which series, and which series are judged together."""

from dataclasses import replace

import numpy as np

from detectors import rules
from lifeline.catalog import Catalog
from lifeline.model import Domain, Rule
from pipeline.groups import Like, groups, meant
from simulators.columns import columns, series
from simulators.plan import Site

SITE = Site("1", "A", 31.8, 117.2)
KINDS = ("power", "sewage", "", "rain", "power")


def wells() -> Catalog:
    """Wells of these types, each with methane and a temperature."""
    told = (("methane", "%VOL", (0.0, 20.0)), ("temperature", "°C", (-40.0, 85.0)))
    return columns(
        [
            series(Domain.GAS, f"well-{i}", f"laser-{i}", q, q, unit, span, 300.0, SITE, asset_type=kind)
            for i, kind in enumerate(KINDS)
            for q, unit, span in told
        ]
    )


def book() -> list[Rule]:
    """One rule for methane in drains, one for methane elsewhere, one for everything."""
    limit = next(r for r in rules() if r.quantity == "methane")
    drains = ("sewage", "rain")
    return [
        replace(limit, id="drain", asset_types=drains, except_asset_types=()),
        replace(limit, id="dry", asset_types=(), except_asset_types=drains),
        replace(limit, id="all", quantity="*", asset_types=(), except_asset_types=()),
    ]


def test_a_rule_for_some_types_of_assets_judges_no_others() -> None:
    for kind, expected in (("sewage", "drain"), ("rain", "drain"), ("power", "dry"), ("", "dry")):
        ids = [r.id for r in meant(book(), Like("gas", "methane", kind, held=False))]
        assert ids == [expected, "all"]


def test_series_that_no_rule_tells_apart_are_judged_together() -> None:
    made = {g.name: [x.rule.id for x in g.values] for g in groups(wells(), book())}
    assert made == {
        "gas/methane/300": ["dry", "all"],
        "gas/methane/300/sewage": ["drain", "all"],
        "gas/methane/300/rain": ["drain", "all"],
        "gas/rest/300": ["all"],
    }


def test_every_series_stands_in_one_group() -> None:
    catalog = wells()
    rows = np.concatenate([g.rows for g in groups(catalog, book())])
    assert sorted(rows.tolist()) == list(range(catalog.n))
