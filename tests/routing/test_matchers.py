"""Matchers against what Alertmanager says they mean, and against a plain oracle."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.routing.matchers import BadMatcher, Matcher, Sign, fits, matcher, parse
from alerts.routing.patterns import BadPattern, checked

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ('severity="RED"', ['severity="RED"']),
        ("severity = RED", ['severity="RED"']),
        ("severity!=RED", ['severity!="RED"']),
        ('severity=~"RED|ORANGE"', ['severity=~"RED|ORANGE"']),
        ('{alertname="Watchdog", severity=~"warning|critical",}', ['alertname="Watchdog"', 'severity=~"warning|critical"']),
        ("foo = bar, dings != bums", ['foo="bar"', 'dings!="bums"']),
        ("foo=", ['foo=""']),  # classic only
        ('"foo bar"="x"', ['"foo bar"="x"']),  # UTF-8 only
        ("街道=凤麓", ['街道="凤麓"']),
        (r'n=~"\\d+"', [r'n=~"\\d+"']),
        (r'n=~"\d+"', [r'n=~"\\d+"']),  # a single backslash is literal by the classic rules
        (r'n="\x41"', [r'n="\\x41"']),  # both parse it and disagree: the classic reading wins
        (r'"ö"="\x41"', ['ö="A"']),
        (r'quote=~"She said: \"Hi, all!( How)?\""', [r'quote=~"She said: \"Hi, all!( How)?\""']),
        ('a="x}"', ['a="x}"']),
        ("{}", []),
        ('a="b,c"', ['a="b,c"']),
    ],
)
def test_a_text_means_what_alertmanager_takes_it_for(text: str, means: list[str]) -> None:
    assert [str(m) for m in parse(text)] == means


@pytest.mark.parametrize(
    "text",
    ["", "a", '{a="b"', 'a="b"}', '{{a="b"}}', 'a=~"("', 'a="b",,c="d"', 'a="b" c="d"', 'a="b', '="x"', "a=b,c", 'a=~"(?=x)"'],
)
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(BadMatcher):
        parse(text)


@given(name=NAMES, sign=st.sampled_from([Sign.IS, Sign.IS_NOT]), value=TEXT, has=st.none() | TEXT)
def test_a_matcher_compares_as_a_plain_if_would(name: str, sign: Sign, value: str, has: str | None) -> None:
    labels = {} if has is None else {name: has}
    there = has or ""
    want = there == value if sign is Sign.IS else there != value
    assert Matcher(name, sign, value).fits(labels) is want


@given(
    words=st.lists(st.text("ab.|", max_size=4), min_size=1, max_size=3),
    has=st.text("ab.|", max_size=6),
    sign=st.sampled_from([Sign.LIKE, Sign.UNLIKE]),
)
def test_an_expression_is_bound_to_both_ends(words: list[str], has: str, sign: Sign) -> None:
    """Among letters, dots and bars Python's expressions mean the same as RE2's."""
    pattern = "|".join(words)
    want = re.compile(f"(?:{pattern})").fullmatch(has) is not None
    assert matcher("x", sign, pattern).fits({"x": has}) is (want if sign is Sign.LIKE else not want)


@given(name=NAMES, sign=st.sampled_from(Sign), value=TEXT)
def test_what_is_written_is_read_again(name: str, sign: Sign, value: str) -> None:
    if sign.regex:
        try:
            checked(value)
        except BadPattern:
            return
    assert parse(str(Matcher(name, sign, value))) == (Matcher(name, sign, value),)


@given(st.text(max_size=30))
def test_junk_is_read_or_refused_and_never_crashes(text: str) -> None:
    try:
        read = parse(text)
    except BadMatcher:
        return
    assert all(isinstance(m.fits({"a": "b"}), bool) for m in read)


def test_an_expression_that_would_take_for_ever_is_answered_at_once() -> None:
    assert not matcher("x", Sign.LIKE, "(a+)+b").fits({"x": "a" * 5000})


def test_all_must_fit() -> None:
    assert fits(parse('{a="1",b!="2"}'), {"a": "1"})
    assert not fits(parse('{a="1",b!="2"}'), {"a": "1", "b": "2"})
    assert fits((), {})
