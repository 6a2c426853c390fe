"""Words people mistype, and the right ones nearest to them."""

import difflib
from collections.abc import Iterable


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
