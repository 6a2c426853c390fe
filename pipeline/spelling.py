"""Quantities and units as people write them -> as the tables have them."""

import re
import unicodedata
from typing import Final

from lifeline.units import QUANTITIES, UNITS


def folded(word: str) -> str:
    """What is left of a unit when its spelling is not minded: m^3/h, M3/H and m³/h are one."""
    return re.sub(r"[\s^*·_]", "", unicodedata.normalize("NFKC", word)).casefold()


USUAL: Final = {
    "°C": ("℃", "degC", "deg C", "C", "celsius", "oC", "摄氏度", "度C"),
    "K": ("kelvin",),
    "1": ("none", "unitless", "dimensionless", "ratio", "无", "a.u.", "au"),
    "%": ("percent", "pct", "％"),
    "°": ("degree", "degrees"),
    "µε": ("ue", "µstrain", "ustrain", "microstrain", "um/m", "µm/m"),
    "µS/cm": ("uS/cm",),
    "m/s²": ("m/s/s", "ms-2", "m s-2"),
    "m³/h": ("cmh", "m³/hr", "cum/h", "立方米/小时"),
    "L/s": ("lps", "升/秒"),
    "L/min": ("lpm",),
    "mH2O": ("mWC", "mWS", "米水柱"),
    "hPa": ("mbar",),
    "bar": ("barg", "bar(g)", "bara"),
    "ppm": ("ppmv",),
    "%VOL": ("vol%", "%(v/v)", "v/v%"),
    "s": ("sec", "second", "seconds", "秒"),
    "A": ("amp", "ampere", "安"),
    "V": ("volt", "volts", "伏"),
}  # folded, none of them means two things
UNIT: Final = {folded(u): u for u in reversed(UNITS)} | {folded(w): u for u, words in USUAL.items() for w in words}


def unit(word: str) -> str:
    """As the table of units has it; "" where it has none of that name."""
    return word if word in UNITS else UNIT.get(folded(word), "")


def _plain(word: str) -> str:
    return re.sub(r"[\s\-]+", "_", unicodedata.normalize("NFKC", word).strip()).casefold()


QUANTITY: Final = {_plain(n): q for q, named in QUANTITIES.items() for n in (named.zh, named.en, q)}


def quantity(word: str) -> str:
    """As the nomenclature has it, by its name in either language; the word itself where it has none."""
    return word if word in QUANTITIES else QUANTITY.get(_plain(word), word)
