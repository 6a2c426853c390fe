"""The console as duty staff use it: in a real Chromium, on a town whose gas comes over MQTT."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from lifeline.model import NS
from tests.brokers import until
from tests.console.conftest import PASSWORD, Room

pytestmark = [pytest.mark.network, pytest.mark.timeout(180)]
LIVE = "#live.good, #live.ill"
PATIENCE = 30_000  # [ms] on a machine that others use too
PAGES = ("", "cases", "roster", "dangers", "silences", "exercises", "health", "wall")
UNNAMED = """() => [...document.querySelectorAll('button, a[href], input, [role=combobox]')].filter((e) => {
  if (!e.offsetParent) return false;
  const label = e.labels?.[0]?.textContent || e.closest('label')?.textContent;
  return !(e.textContent.trim() || e.getAttribute('aria-label') || e.title || e.value || label);
}).map((e) => e.outerHTML.slice(0, 200))"""


@pytest.fixture(autouse=True)
def quiet(room: Room) -> Iterator[None]:
    """No browser complains, and nothing leaves this machine."""
    room.troubles.clear()
    yield
    assert room.troubles == []


def row(page: Page, warning: str) -> None:
    page.wait_for_selector(f"#main .entry[data-id='{warning}']", timeout=PATIENCE)


def test_a_warning_raised_over_mqtt_appears_by_itself_and_is_acknowledged_by_a_click(
    room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    with room.looking() as page:
        page.goto("/console/cases")
        page.wait_for_selector(LIVE, timeout=PATIENCE)
        warning = room.leak(0)
        row(page, warning)
        seen, raised = page.evaluate(f"window.seen['{warning}']"), room.case(warning)["raised"]
        with capsys.disabled():
            print(f"\nbooked to seen: {seen / 1000 - raised / NS:.3f} s")  # noqa: T201
        expect(page.locator("#rose a, #main .entry.new").first).to_be_visible(timeout=PATIENCE)
        page.click(f"#main .entry[data-id='{warning}']")
        page.click("#act-ack")
        expect(page.locator(".case-head [data-state=held], .case-head [data-state=taken]")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#act-ack")).to_have_count(0)
    known = room.case(warning)
    assert (known["acknowledged_by"], known["state"] in {"held", "taken"}) == ("li", True)
    assert [a["by"] for a in known["audit"] if a["act"] == "acknowledged"] == ["li"]


def test_what_another_does_shows_on_an_open_page(room: Room) -> None:
    warning = room.leak(1)
    with room.looking("wang") as page:
        page.goto(f"/console/case/{warning}")
        expect(page.locator("#act-ack")).to_be_visible(timeout=PATIENCE)
        room.http.post(f"/api/v1/warnings/{warning}/ack", json={"by": "the phone", "comment": "on my way"}).raise_for_status()
        expect(page.locator(".timeline")).to_contain_text("the phone", timeout=PATIENCE)
        expect(page.locator("#act-ack")).to_have_count(0)
        expect(page.locator(".plot svg").first).to_be_visible(timeout=PATIENCE)


def test_a_step_is_done_by_form_and_a_closing_needs_a_leader(room: Room) -> None:
    warning = room.leak(2)
    with room.looking("wang") as page:
        page.goto(f"/console/case/{warning}")
        page.click("#act-prevent", timeout=PATIENCE)
        page.click("#form-ok")  # what must be said is missing
        expect(page.locator(".form")).to_be_visible()
        page.fill("textarea[name=note]", "street closed")
        page.click("#form-ok")
        expect(page.locator(".steps")).to_contain_text("street closed", timeout=PATIENCE)
        assert page.locator("#act-assess, #act-close").count() == 0
    assert [s["by"] for s in room.case(warning)["stages"] if s["stage"] == "prevent"] == ["wang"]


def test_a_viewer_sees_no_buttons(room: Room) -> None:
    warning = room.leak(3)
    with room.looking("guest") as page:
        page.goto(f"/console/case/{warning}")
        page.wait_for_selector(".plot svg", timeout=PATIENCE)
        assert page.locator("#main button").count() == 0
        for name in ("roster", "dangers", "silences", "exercises"):
            page.goto(f"/console/{name}")
            page.wait_for_selector("#main .card, #main .empty, #main .quiet", timeout=PATIENCE)
            assert page.locator("#main button").count() == 0, name


def test_an_override_by_form_changes_who_is_on_duty(room: Room) -> None:
    with room.looking(lang="zh-CN") as page:
        page.goto("/console/roster")
        expect(page.locator("[data-role='gas/duty'] .on-duty")).to_have_text("杨俊", timeout=PATIENCE)
        page.click("#override-gas-duty")
        page.locator(".form .q-select").first.click()
        page.locator(".q-menu .q-item", has_text="冯杰").first.click()
        page.fill("input[name=reason]", "换班")
        page.click("#form-ok")
        expect(page.locator("[data-role='gas/duty'] .on-duty")).to_have_text("冯杰", timeout=PATIENCE)
    now = room.http.get("/api/v1/rosters/gas/duty").json()
    assert [p["id"] for p in now["now"]] == ["feng"]


def test_a_danger_is_registered_and_assessed(room: Room) -> None:
    with room.looking() as page:
        page.goto("/console/dangers")
        page.click("#new-danger", timeout=PATIENCE)
        page.fill("input[name=place]", "Station Road 5")
        page.fill("textarea[name=description]", "a smell of gas")
        page.click("#form-ok")
        page.wait_for_url(re.compile("/dangers/HD-"), timeout=PATIENCE)
        page.click("#act-assess", timeout=PATIENCE)
        page.fill("textarea[name=cause]", "an old seal")
        page.click("#form-ok")
        expect(page.locator(".case-head .state")).to_have_text("assessed", timeout=PATIENCE)
    (danger,) = room.http.get("/api/v1/dangers").json()["dangers"]
    assert (danger["state"], danger["registered_by"], danger["cause"]) == ("assessed", "li", "an old seal")


def test_a_silence_has_a_reason_and_is_ended(room: Room) -> None:
    with room.looking("wang") as page:
        page.goto("/console/silences?asset=well-7")
        expect(page.locator("input[name=matchers]")).to_have_value('asset="well-7"', timeout=PATIENCE)
        page.fill("textarea[name=comment]", "works")
        page.click("#form-ok")
        expect(page.locator(".silence.active")).to_contain_text("works", timeout=PATIENCE)
        page.click(".silence.active button")
        expect(page.locator(".silence.expired")).to_contain_text("works", timeout=PATIENCE)
    (silence,) = room.http.get("/api/v2/silences").json()
    assert (silence["createdBy"], silence["status"]["state"]) == ("wang", "expired")


def test_an_exercise_is_begun_and_says_so(room: Room) -> None:
    with room.looking() as page:
        page.goto("/console/exercises")
        page.click("#new-exercise", timeout=PATIENCE)
        page.fill("input[name=asset]", "well-6")
        page.click("#form-ok")
        expect(page.locator("#main .entry.exercise")).to_contain_text("EXERCISE", timeout=PATIENCE)
        page.click("#main .bar button >> text=well-6")
        expect(page.locator("#main .entry.exercise")).to_have_class(re.compile("over"), timeout=PATIENCE)


def test_the_keyboard_alone_finds_opens_and_answers_a_case(room: Room) -> None:
    warning = room.leak(4)
    with room.looking() as page:
        page.goto("/console/health")
        page.wait_for_selector("#main table", timeout=PATIENCE)
        page.keyboard.press("g")
        page.keyboard.press("c")
        row(page, warning)
        page.wait_for_selector(LIVE, timeout=PATIENCE)
        page.keyboard.press("/")
        page.keyboard.type("well-4")
        expect(page.locator("#main .entry")).to_have_count(1, timeout=PATIENCE)
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(warning), timeout=PATIENCE)
        page.wait_for_selector("#act-ack", timeout=PATIENCE)
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("a")
        expect(page.locator("#act-ack")).to_have_count(0, timeout=PATIENCE)
    assert room.case(warning)["acknowledged_by"] == "li"


def test_two_languages_and_two_themes(room: Room) -> None:
    with room.looking(lang="zh-CN", theme="dark") as page:
        page.goto("/console/cases")
        expect(page.locator("nav [aria-current]")).to_contain_text("预警")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.click("#do-theme")  # dark, light
        page.wait_for_function(f"getComputedStyle(document.body).backgroundColor !== {dark!r}")
        page.click("#do-language")
        expect(page.locator("nav [aria-current]")).to_contain_text("Cases", timeout=PATIENCE)
        assert page.evaluate("document.documentElement.lang") == "en"
        assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_the_map_paints_the_asset_and_lists_it(room: Room) -> None:
    warning = room.leak(5)
    with room.looking(theme="dark") as page:
        page.goto("/console/")
        row(page, warning)
        page.wait_for_selector(".leaflet-cells-pane path", timeout=PATIENCE)
        page.wait_for_function("document.querySelector('.districts tbody').textContent.includes('Fenglu')")
        levels = page.evaluate("[...document.querySelectorAll('.districts tbody tr:last-child td')].map((e) => e.className)")
        assert any("RED" in x for x in levels)


def test_every_page_fits_a_phone_and_names_its_controls(room: Room) -> None:
    warning = room.leak(0)
    with room.looking(size=(390, 844), lang="zh-CN") as page:
        for name in (*PAGES, f"case/{warning}"):
            page.goto(f"/console/{name}")
            page.wait_for_selector("#main > *", timeout=PATIENCE, state="attached")
            if name != "wall":
                assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
            assert page.evaluate(UNNAMED) == [], name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_levels_can_be_told_from_the_ground(room: Room, theme: str) -> None:
    """WCAG 2.2, 1.4.11: 3:1 for what must be seen; of YELLOW on white its rim or its letter."""
    with room.looking(theme=theme) as page:
        page.goto("/console/cases")
        page.wait_for_selector("#tally")
        page.wait_for_function(f"document.documentElement.dataset.dark === '{str(theme == 'dark').lower()}'")
        said = "getComputedStyle(document.documentElement).getPropertyValue('--{}').trim()"
        colour = {
            n: page.evaluate(said.format(n)) for n in ("panel", "RED", "ORANGE", "BLUE", "rim-YELLOW", "UNKNOWN", "ink", "soft")
        }
    for name in ("RED", "ORANGE", "BLUE", "rim-YELLOW", "UNKNOWN"):
        assert contrast(colour[name], colour["panel"]) >= 3.0, name
    assert contrast(colour["ink"], colour["panel"]) >= 7.0
    assert contrast(colour["soft"], colour["panel"]) >= 4.5


def test_silence_is_never_green(room: Room) -> None:
    """A page that hears nothing says so in red."""
    with room.looking() as page:
        page.goto("/console/cases")
        page.wait_for_selector(LIVE, timeout=PATIENCE)
        page.evaluate("window.lifeline.beat = () => {}; window.socket.disconnect()")
        page.wait_for_selector("#live.bad", timeout=PATIENCE)
        expect(page.locator("#stale")).to_be_visible()


def test_whoever_is_locked_out_sees_nothing_more(room: Room) -> None:
    room.http.post("/api/v1/users", json={"name": "temp", "role": "operator", "password": PASSWORD}).raise_for_status()
    with room.looking("temp") as page:
        page.goto("/console/cases")
        page.wait_for_selector(LIVE, timeout=PATIENCE)
        room.http.patch("/api/v1/users/temp", json={"ended": True}).raise_for_status()
        page.wait_for_selector("#name", timeout=PATIENCE)  # the login


def test_who_is_given_another_role_has_another_page(room: Room) -> None:
    room.http.post("/api/v1/users", json={"name": "shift", "role": "operator", "password": PASSWORD}).raise_for_status()
    with room.looking("shift") as page:
        page.goto("/console/silences")
        page.wait_for_selector(".new-silence", timeout=PATIENCE)
        room.http.patch("/api/v1/users/shift", json={"role": "viewer"}).raise_for_status()
        expect(page.locator(".new-silence")).to_have_count(0, timeout=PATIENCE)
        page.wait_for_selector(LIVE, timeout=PATIENCE)


def test_nothing_is_told_without_a_credential(room: Room) -> None:
    paths = (
        "/console/",
        "/console/cases",
        "/console/ground.json",
        "/console/static/console.js",
        "/console/_nicegui/x/static/nicegui.js",
    )
    for path in (*paths, "/console/_nicegui_ws/socket.io/?EIO=4&transport=polling"):
        assert httpx.get(room.url + path, trust_env=False).status_code == 401, path
    to_login = httpx.get(room.url + "/console/cases", headers={"Accept": "text/html"}, trust_env=False)
    assert (to_login.status_code, to_login.headers["location"]) == (303, "/login?next=%2Fconsole%2Fcases")
    page = httpx.get(room.url + "/login?next=//evil.example/", trust_env=False)
    assert page.status_code == 200
    assert "evil" not in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_another_site_can_neither_sign_in_nor_open_the_socket(room: Room) -> None:
    evil = {"Origin": "https://evil.example"}
    form = {"name": "li", "password": PASSWORD}
    assert httpx.post(room.url + "/login", data=form, headers=evil, trust_env=False).status_code == 403
    let_in = httpx.post(room.url + "/login", data=form, trust_env=False)
    assert let_in.status_code == 303
    cookies = {"lifeline_session": let_in.cookies["lifeline_session"]}
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    path = "/console/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    answer = httpx.get(room.url + path, headers={**evil, **upgrade}, cookies=cookies, trust_env=False)
    assert answer.status_code == 403
    assert httpx.post(room.url + "/console/logout", cookies=cookies, trust_env=False).status_code == 303
    assert httpx.get(room.url + "/api/v1/me", cookies=cookies, trust_env=False).status_code == 401


def contrast(a: str, b: str) -> float:
    """Of two colours #rrggbb (WCAG 2.2, relative luminance). [1]"""
    light = sorted((luminance(a), luminance(b)))
    return (light[1] + 0.05) / (light[0] + 0.05)


def luminance(colour: str) -> float:
    part = [int(colour.lstrip("#")[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in part)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_a_page_comes_back_by_itself_after_the_desk_was_killed(room: Room) -> None:
    """Until then it says that it is not live."""
    with room.looking() as page:
        page.goto("/console/cases")
        page.wait_for_selector(LIVE, timeout=PATIENCE)
        process, starts = room.desk.process, room.desk.starts
        assert process is not None
        process.kill()
        process.wait()

        def started_again() -> bool:
            room.desk.tend()
            return room.desk.starts > starts

        page.wait_for_selector("#live.bad", timeout=PATIENCE)
        until(started_again, "the desk is not started again")
        page.wait_for_selector(LIVE, timeout=2 * PATIENCE)
        row(page, room.leak(6))
        room.troubles.clear()  # of the socket, while there was no desk
