"""Regular expressions as Alertmanager has them: RE2's, bound to both ends. RE2 is linear: none can make the desk wait."""

from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc


class BadPattern(Exception):
    """No regular expression of RE2's kind."""


def checked(pattern: str) -> str:
    """The same, if it can be used."""
    found(pattern, "")
    return pattern


@lru_cache(maxsize=65536)
def found(pattern: str, text: str) -> bool:
    """Whether the whole of the text is matched."""
    try:
        return bool(pc.match_substring_regex(pa.scalar(text, pa.string()), pattern=f"^(?:{pattern})$").as_py())
    except (pa.ArrowInvalid, UnicodeEncodeError) as why:
        reason = str(why).splitlines()[0].removeprefix("Invalid regular expression: ").removesuffix(f": ^(?:{pattern})$")
        raise BadPattern(f"{pattern!r} is no regular expression: {reason}") from why
