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
    "°F": ("degF", "deg F", "F", "fahrenheit", "华氏度"),
    "K": ("kelvin",),
    "%": ("percent", "pct", "％"),
    "°": ("degree", "degrees"),
    "µε": ("ue", "µstrain", "ustrain", "microstrain", "um/m", "µm/m"),
    "mε": ("millistrain", "mstrain", "mm/m"),
    "nε": ("nanostrain", "nstrain", "nm/m"),
    "1": ("none", "unitless", "dimensionless", "ratio", "无", "a.u.", "au", "ε", "strain", "m/m", "mm/mm", "in/in"),
    "µS/cm": ("uS/cm",),
    "m/s²": ("m/s/s", "ms-2", "m s-2"),
    "m³/h": ("cmh", "m³/hr", "cum/h", "立方米/小时"),
    "L/s": ("lps", "升/秒"),
    "L/min": ("lpm",),
    "m³/d": ("cmd", "m³/day", "立方米/天"),
    "ML/d": ("mld", "ml/day", "megalitres/day"),
    "gal/min": ("gpm", "usgpm", "gallons/min"),
    "Mgal/d": ("mgd", "mgal/day"),
    "ft³/s": ("cfs", "cusec"),
    "mH2O": ("mWC", "mWS", "mH₂O", "mca", "mwg", "米水柱"),
    "ftH2O": ("ftH₂O", "ftWC"),
    "hPa": ("mbar", "millibar"),
    "bar": ("barg", "bar(g)", "bara"),
    "psi": ("psig", "psi(g)", "psia", "lbf/in²"),
    "kgf/cm²": ("kg/cm²", "公斤"),
    "ft": ("feet", "foot"),
    "in": ("inch", "inches"),
    "mph": ("mi/h", "miles/h"),
    "knot": ("kt", "kts", "knots"),
    "km/h": ("kph", "kmph", "kmh"),
    "m/s": ("mps", "m/sec", "ms-1", "m s-1", "米/秒"),
    "ppm": ("ppmv", "ppmvol", "µmol/mol", "ppm CH4"),
    "ppb": ("ppbv", "nmol/mol"),
    "%LEL": ("lel", "lel%", "%lfl", "% lel"),
    "%VOL": ("vol%", "%(v/v)", "v/v%", "%v/v", "vol.-%"),
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
