"""Draws where the panels of a board lie, from its JSON: docs/boards.svg. A layout, not a picture of Grafana."""

import json
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

ROOT: Final = Path(__file__).parents[1]
X: Final = 40  # [px] a column
Y: Final = 14  # [px] a line
KINDS: Final = {
    "stat": "#e9d8fd", "geomap": "#c6f6d5", "table": "#fefcbf", "timeseries": "#bee3f8", "state-timeline": "#fed7d7",
    "heatmap": "#feebc8", "annolist": "#edf2f7", "xychart": "#bee3f8",
}  # fmt: skip


def box(panel: dict[str, Any], top: int) -> str:
    place = panel["gridPos"]
    x, y, w, h = place["x"] * X, top + place["y"] * Y, place["w"] * X - 3, place["h"] * Y - 3
    title = escape(panel["title"])
    if panel["type"] == "row":
        return f'<text x="{x + 2}" y="{y + 11}" font-size="11" font-weight="bold">{title}</text>'
    most = max(4, w // 6)
    short = title if len(title) <= most else f"{title[: most - 1]}…"
    fill = KINDS.get(panel["type"], "#eeeeee")
    return (
        f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="{fill}" stroke="#a0aec0"/>'
        f'<text x="{x + 5}" y="{y + 14}" font-size="10">{short}</text>'
        f'<text x="{x + 5}" y="{y + h - 5}" font-size="8" fill="#718096">{panel["type"]}</text>'
    )


def drawn(names: list[str]) -> str:
    parts, top = [], 0
    for name in names:
        board = json.loads((ROOT / "boards" / "json" / name).read_text("utf-8"))
        parts.append(
            f'<text x="0" y="{top + 14}" font-size="14">Layout of “{escape(board["title"])}” (drawn from {name})</text>'
        )
        parts += [box(p, top + 22) for p in board["panels"]]
        top += 30 + Y * max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in board["panels"]) + 16
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{24 * X}" height="{top}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{24 * X}" height="{top}" fill="white"/>', *parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    (ROOT / "docs" / "boards.svg").write_text(drawn(["en/city.json", "en/gas.json"]), "utf-8")
