"""Whether the desk's database can be used: its URL, its driver, and the database itself."""

from pathlib import Path
from typing import Final

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

EXTRA: Final = {"psycopg": "pip install 'city-lifeline[postgres]'"}


class NoDatabase(Exception):
    """Says why, and shows no password."""

    def __init__(self, why: str, mend: str) -> None:
        super().__init__(why)
        self.mend = mend


def driven(url: str) -> URL:
    """A URL whose driver is installed; NoDatabase for any other."""
    try:
        made = make_url(url)
    except (ArgumentError, ValueError):
        raise NoDatabase(
            "desk.database is no SQLAlchemy URL", 'such as "postgresql+psycopg://user:password@host/name"'
        ) from None
    try:
        made.get_dialect().import_dbapi()
    except ModuleNotFoundError as why:
        mend = EXTRA.get(why.name or "", f"install the Python package of the module {why.name}")
        raise NoDatabase(f"desk.database: {shown(made)} needs the driver {why.name}, which is not installed", mend) from why
    except (ArgumentError, ImportError) as why:
        raise NoDatabase(f"desk.database: {shown(made)} names no driver that can be loaded: {why}", "mend the URL") from why
    return made


def shown(url: URL) -> str:
    """Without its password."""
    return url.render_as_string(hide_password=True)


def opened(url: URL) -> None:
    """Open it and close it again; NoDatabase where that fails. A SQLite file that is not there yet is not made."""
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        if not Path(url.database).parent.is_dir():
            raise NoDatabase(f"desk.database: there is no directory {Path(url.database).parent}", "make it, or mend the URL")
        return
    timeout = {"connect_timeout": 5} if url.get_driver_name().startswith("psycopg") else {}
    engine = create_engine(url, connect_args=timeout)
    try:
        engine.connect().close()
    except SQLAlchemyError as why:
        said = str(getattr(why, "orig", None) or why).splitlines()[0]
        raise NoDatabase(f"desk.database: {shown(url)} cannot be opened: {said}", "start it, or mend the URL") from why
    finally:
        engine.dispose()
