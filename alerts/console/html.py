"""HTML as text: what is not marked as HTML is escaped."""

from html import escape
from typing import Any, Final

VOID: Final = frozenset({"br", "hr", "img", "input", "link"})  # elements without an end


class Html(str):
    """A text that is HTML already."""

    __slots__ = ()


def el(tag: str, *inner: object, **attributes: Any) -> Html:
    """One element. Attributes: `_` at the end is left out, other `_` are hyphens; None and False: no such attribute."""
    said = "".join(
        _attribute(k.rstrip("_").replace("_", "-"), v) for k, v in attributes.items() if v is not None and v is not False
    )
    return Html(f"<{tag}{said}>" if tag in VOID else f"<{tag}{said}>{join(*inner)}</{tag}>")


def join(*inner: object) -> Html:
    """Parts after one another; None is nothing."""
    return Html("".join(x if isinstance(x, Html) else escape(str(x)) for x in inner if x is not None))


def _attribute(name: str, value: Any) -> str:
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
