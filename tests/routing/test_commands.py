"""`check-config`, `route show` and `route test`: what a routing file would do, without a server."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lifeline.clock import parse
from lifeline.config import Config, ConfigRefused, load
from lifeline.words import Unusable
from pipeline.check import summary
from pipeline.routes import labelled, tree, tried

CATALOG = """key,asset,device,domain,district,quantity,unit,step,low,high,lat,lon,owner
d1/ch4,W-1,d1,gas,Fenglu,methane,%VOL,60,0,20,24.67,102.91,gas company
"""
ROUTES = """
route:
  receiver: centre
  routes:
    - {matchers: [kind="ticket"], receiver: shop, mute_time_intervals: [night]}
    - {matchers: [domain="water"], receiver: nobody}
receivers:
  - {name: centre, webhook_configs: [{url: "http://127.0.0.1:1/"}]}
  - {name: shop}
  - {name: nobody}
time_intervals: [{name: night, time_intervals: [{times: [{start_time: 22:00, end_time: 24:00}], location: Asia/Shanghai}]}]
templates: [x]
"""
NOON, NIGHT = parse("2026-10-01T12:00:00+08:00"), parse("2026-10-01T23:00:00+08:00")


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Config]:
    def made(routes: str = ROUTES, audience: str = "all", *, routed: bool = True) -> Config:
        (tmp_path / "catalog.csv").write_text(CATALOG, "utf-8")
        (tmp_path / "alertmanager.yml").write_text(routes, "utf-8")
        (tmp_path / "lifeline.toml").write_text(
            '[city]\nname = "chengjiang"\ncatalog = "catalog.csv"\n[desk]\nport = 8087\n'
            + ('routing = "alertmanager.yml"\n' if routed else "")
            + f'[channels.shop]\ntype = "log"\nmin_level = "ORANGE"\naudience = "{audience}"\n[channels.rest]\ntype = "log"\n',
            "utf-8",
        )
        return load(tmp_path / "lifeline.toml", {})

    return made


def test_check_config_says_what_of_the_file_goes_nowhere(config: Callable[..., Config]) -> None:
    said = summary(config())
    assert "alertmanager.yml: 3 routes, 3 receivers, 0 inhibition rules" in said
    assert "no receiver is called rest" in said
    assert "receiver nobody has no channel" in said
    assert "templates: not used" in said


def test_a_channel_of_the_file_that_cannot_be_made_is_named_by_its_place(config: Callable[..., Config]) -> None:
    with pytest.raises(ConfigRefused, match=r"alertmanager.yml: receivers\[0\].webhook_configs\[0\]: url: 'ftp://x/'"):
        summary(config(ROUTES.replace("http://127.0.0.1:1/", "ftp://x/")))


def test_a_channel_to_persons_is_no_receiver(config: Callable[..., Config]) -> None:
    with pytest.raises(ConfigRefused, match="receivers: shop is a channel to persons only"):
        summary(config(audience="persons"))


def test_route_test_says_who_and_why(config: Callable[..., Config]) -> None:
    text, code = tried(config(), {"severity": "ORANGE", "domain": "gas", "alertname": "gas_accumulation"}, NOON)
    assert code == 0
    assert "✗ route.routes[0]: kind=\"ticket\", but kind is 'hazard'" in text
    assert "receiver centre → centre" in text
    assert "at once" in text
    assert "persons: " in text


@pytest.mark.parametrize(
    ("labels", "at", "code"),
    [
        ("kind=ticket", NOON, 0), ("kind=ticket", NIGHT, 1), ("domain=water", NOON, 1), ("domain=gas", NIGHT, 0),
        ("kind=ticket severity=BLUE", NOON, 0),
    ],
)  # fmt: skip
def test_route_test_fails_where_nobody_would_hear(config: Callable[..., Config], labels: str, at: int, code: int) -> None:
    text, found = tried(config(), labelled(labels.split()), at)
    assert found == code, text


@pytest.mark.parametrize(("label", "said"), [("domain=gaz", "did you mean 'gas'"), ("severity=PINK", "write one of NORMAL")])
def test_a_word_that_no_warning_has_is_not_tried_but_named(config: Callable[..., Config], label: str, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        tried(config(), labelled([label]), NOON)


def test_without_a_file_the_channels_levels_are_shown(config: Callable[..., Config]) -> None:
    plain = config(routed=False)
    assert "shop: from ORANGE on" in tree(plain)
    text, code = tried(plain, {"severity": "YELLOW"}, NOON)
    assert (code, "not told shop" in text, "told     rest" in text) == (0, True, True)


def test_the_tree_is_shown_with_its_channels(config: Callable[..., Config]) -> None:
    assert 'kind="ticket" → shop (shop); not in night   [route.routes[0]]' in tree(config())
