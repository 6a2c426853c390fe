"""Makes docs/demo.svg: the demo's view after 75 s, as a terminal shows it. Run it as: python docs/picture.py"""

import io
import re
import tempfile
import time
from pathlib import Path

from rich.console import Console

from lifeline.clock import now
from lifeline.model import NS
from pipeline.demo import LEAD, Life, drained, look, ready, staged
from pipeline.view import Picture

SECONDS = 75
HERE = Path(__file__).parent


def main() -> None:
    """Play the demo and keep its last picture."""
    paper = Console(record=True, width=118, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder) / "demo", seed=1) as stage:
        ready(stage, Console(quiet=True))
        life = Life(stage.config.broker, 1, now() + round(LEAD * NS))
        life.start()
        picture, end = Picture(stage.config.city.name, "var/demo"), time.monotonic() + SECONDS
        while time.monotonic() < end:
            stage.crew.tend()
            scene = look(stage, life)
            picture.drawn(scene)
            time.sleep(0.5)
        life.stop()
        drained(stage)
    paper.print(picture.drawn(scene))
    drawn = paper.export_svg(title="make demo")
    (HERE / "demo.svg").write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL))  # fonts from elsewhere


if __name__ == "__main__":
    main()
