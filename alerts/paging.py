"""Long lists in pages. A cursor names the last row of a page, not a number of rows: what is put in meanwhile moves nothing.

The next page is named by a link (RFC 8288): `Link: </api/v1/warnings?after=...>; rel="next"`. Without one, that was all.
"""

import base64
import binascii
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from fastapi import Query, Request
from sqlalchemy import ColumnElement, Select, and_, or_

from alerts.web import Problem

After = Annotated[str, Query(max_length=500, description="Go on after this place: from the link to the next page.")]
BIG: Final = 2**63  # integers beyond this are none of the database's
T = TypeVar("T")


def cursor(*keys: int | str) -> str:
    """A place in a list, by the sort keys of its row."""
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).rstrip(b"=").decode()


def place(after: str, *kinds: type) -> tuple[Any, ...] | None:
    """The sort keys that a cursor holds; None where the list begins; a Problem where it is none of this list."""
    if not after:
        return None
    try:
        raw = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4))
        keys = msgspec.json.decode(raw, type=tuple[kinds])  # type: ignore[valid-type]
    except (binascii.Error, ValueError) as why:
        raise Problem(
            HTTPStatus.BAD_REQUEST, "after: is no place in this list; take it from the link to the next page"
        ) from why
    if any(isinstance(key, int) and not -BIG <= key < BIG for key in keys):
        raise Problem(HTTPStatus.BAD_REQUEST, "after: is no place in this list")
    return tuple(keys)


def youngest_first(
    query: Select[Any], at: ColumnElement[int], name: ColumnElement[str], after: tuple[Any, ...] | None
) -> Select[Any]:
    """Ordered by an instant, the latest first, then by name; after a place."""
    if after is not None:
        query = query.where(or_(at < after[0], and_(at == after[0], name > after[1])))
    return query.order_by(at.desc(), name)


def split(found: Sequence[T], limit: int) -> tuple[Sequence[T], bool]:
    """The page out of one row more than it holds, and whether there is a next one."""
    return found[:limit], len(found) > limit


def link(request: Request, after: str | None) -> dict[str, str]:
    """The header that names the next page; None: there is none. Relative, for whatever stands before the desk."""
    if after is None:
        return {}
    asked = [(k, v) for k, v in request.query_params.multi_items() if k not in {"after", "offset"}]
    return {"Link": f'<{request.url.path}?{urlencode([*asked, ("after", after)])}>; rel="next"'}
