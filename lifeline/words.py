"""Words people mistype, the right ones nearest to them, and the refusal that says so."""

import difflib
from collections.abc import Iterable


class Unusable(ValueError):
    """What people wrote (settings, catalog, rules) cannot be used; the text names everything that is wrong with it."""


class Failed(Exception):
    """What was asked for cannot be done now, through no fault of what was written; the text says why, and what may be done."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was most likely meant; "" when none is near. Case is not minded."""
    folded = {k.casefold(): k for k in known}
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else ""


def suggestion(word: str, known: Iterable[str]) -> str:
    """How an error message goes on: the nearest right word, or all the words there are."""
    known = list(known)
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else f"known are {', '.join(known)}"
