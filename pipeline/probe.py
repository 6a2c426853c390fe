"""`python -m pipeline.probe URL`: exit code 0 when a page answers well; for health checks, so it loads nothing heavy."""

import sys
import urllib.error
import urllib.request
from typing import Final

TIMEOUT: Final = 4.0  # [s]


def main(url: str) -> int:
    """0 when the page says 200; else 1, and why."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310  docker-compose.yml says which
            return 0 if answer.status == 200 else 1
    except urllib.error.HTTPError as why:
        said = f"{why.code}: {why.read(2000).decode(errors='replace')}"
    except OSError as why:
        said = str(why)
    sys.stderr.write(f"{url}: {said}\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
