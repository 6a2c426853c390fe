"""The token that the system's own processes show to the desk."""

import os
import secrets
from typing import Final

from lifeline.config import Config

FILE: Final = "desk.token"


def token(config: Config) -> str:
    """The one of the settings, or of the file in the data directory; whoever comes first makes that file, whole."""
    if config.desk.token:
        return str(config.desk.token)
    path = config.city.data / FILE
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{FILE}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails where another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def bearer(config: Config) -> dict[str, str]:
    """The header that shows it."""
    return {"Authorization": f"Bearer {token(config)}"}
