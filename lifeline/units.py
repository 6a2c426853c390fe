"""Units: each quantity has one SI unit inside; this table says in which units devices and rules may speak of it.

SI value = value * scale + offset. Words of event-like quantities ("open", "closed") are numbers inside.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

G: Final = 9.80665  # [m/s²] standard gravity
WATER_HEAD: Final = 9806.65  # [Pa] of one metre of water
FOOT: Final = 0.3048  # [m] international foot
GALLON: Final = 3.785411784e-3  # [m³] of the United States
POUND: Final = 4.4482216152605  # [N] pound-force
METHANE: Final = 0.656  # [kg/m³] at 25 °C and 1 atm


@dataclass(frozen=True)
class Unit:
    """A linear map to SI."""

    si: str
    scale: float  # [SI / unit]
    offset: float = 0.0  # [SI]

    def to_si(self, value: float) -> float:
        return value * self.scale + self.offset

    def from_si(self, value: float) -> float:
        return (value - self.offset) / self.scale


UNITS: Final[dict[str, Unit]] = {
    # dimensionless
    "1": Unit("1", 1.0), "%": Unit("1", 0.01), "%VOL": Unit("1", 0.01), "%LEL": Unit("1", 0.0005), "ppm": Unit("1", 1e-6),
    "ppb": Unit("1", 1e-9), "mg/m³ CH4": Unit("1", 1e-6 / METHANE), "nε": Unit("1", 1e-9), "mε": Unit("1", 1e-3),
    "%RH": Unit("1", 0.01), "/": Unit("1", 1.0), "µε": Unit("1", 1e-6), "pH": Unit("1", 1.0), "count": Unit("1", 1.0),
    "state": Unit("1", 1.0), "NTU": Unit("1", 1.0),
    "rad": Unit("1", 1.0), "°": Unit("1", float(np.pi / 180)), "deg": Unit("1", float(np.pi / 180)),
    # pressure
    "Pa": Unit("Pa", 1.0), "hPa": Unit("Pa", 100.0), "kPa": Unit("Pa", 1e3), "MPa": Unit("Pa", 1e6), "bar": Unit("Pa", 1e5),
    "psi": Unit("Pa", POUND / (FOOT / 12) ** 2), "kgf/cm²": Unit("Pa", 1e4 * G),
    "mmH2O": Unit("Pa", WATER_HEAD / 1000), "inH2O": Unit("Pa", FOOT / 12 * WATER_HEAD), "mmHg": Unit("Pa", 133.322387415),
    "m": Unit("m", 1.0), "mH2O": Unit("Pa", WATER_HEAD), "ftH2O": Unit("Pa", FOOT * WATER_HEAD),
    # length, motion
    "mm": Unit("m", 1e-3), "cm": Unit("m", 1e-2), "µm": Unit("m", 1e-6), "ft": Unit("m", FOOT), "in": Unit("m", FOOT / 12),
    "m/s": Unit("m/s", 1.0), "mm/s": Unit("m/s", 1e-3), "km/h": Unit("m/s", 1 / 3.6), "ft/s": Unit("m/s", FOOT),
    "mph": Unit("m/s", 5280 * FOOT / 3600), "knot": Unit("m/s", 1852 / 3600),
    "m/s2": Unit("m/s²", 1.0), "m/s²": Unit("m/s²", 1.0),
    "mm/s²": Unit("m/s²", 1e-3), "g": Unit("m/s²", G), "m/s³": Unit("m/s³", 1.0),
    # flow
    "mm/h": Unit("m/s", 1e-3 / 3600),
    "m³/s": Unit("m³/s", 1.0), "m3/s": Unit("m³/s", 1.0), "m³/h": Unit("m³/s", 1 / 3600), "m3/h": Unit("m³/s", 1 / 3600),
    "L/s": Unit("m³/s", 1e-3), "l/s": Unit("m³/s", 1e-3), "L/h": Unit("m³/s", 1e-3 / 3600),
    "L/min": Unit("m³/s", 1e-3 / 60), "m³/d": Unit("m³/s", 1 / 86_400), "ML/d": Unit("m³/s", 1e3 / 86_400),
    "gal/min": Unit("m³/s", GALLON / 60), "Mgal/d": Unit("m³/s", 1e6 * GALLON / 86_400), "ft³/s": Unit("m³/s", FOOT**3),
    # temperature, force, mass, concentration, electricity, time
    "K": Unit("K", 1.0), "°C": Unit("K", 1.0, 273.15), "Cel": Unit("K", 1.0, 273.15), "°F": Unit("K", 5 / 9, 459.67 * 5 / 9),
    "N": Unit("N", 1.0), "kN": Unit("N", 1e3), "MN": Unit("N", 1e6), "kg": Unit("kg", 1.0), "t": Unit("kg", 1e3),
    "kg/s": Unit("kg/s", 1.0), "kg/h": Unit("kg/s", 1 / 3600),
    "kg/m³": Unit("kg/m³", 1.0), "mg/L": Unit("kg/m³", 1e-3),
    "mg/m³": Unit("kg/m³", 1e-6), "µg/m³": Unit("kg/m³", 1e-9), "S/m": Unit("S/m", 1.0), "µS/cm": Unit("S/m", 1e-4),
    "mS/cm": Unit("S/m", 0.1),
    "V": Unit("V", 1.0), "mV": Unit("V", 1e-3), "A": Unit("A", 1.0), "mA": Unit("A", 1e-3), "Hz": Unit("Hz", 1.0),
    "s": Unit("s", 1.0), "min": Unit("s", 60.0), "h": Unit("s", 3600.0), "d": Unit("s", 86_400.0),
}  # fmt: skip

FAMILIES: Final = {
    "rad": "angle",
    "°": "angle",
    "deg": "angle",
    **{u: u for u in ("pH", "NTU", "count", "state")},
}  # of units without a dimension; ratios are in none
PURE: Final = frozenset({"1", "/"})  # a bare number: it may be of any family


def akin(a: str, b: str) -> bool:
    """Whether two units measure one thing: not ppm and degrees, though neither has a dimension."""
    pure = not PURE.isdisjoint((a, b))
    return UNITS[a].si == UNITS[b].si and (pure or FAMILIES.get(a) == FAMILIES.get(b))


WORDS: Final[dict[str, dict[str, float]]] = {
    "door": {"closed": 0.0, "open": 1.0, "opening": 1.0, "closing": 1.0},
    "door_zone": {"out": 0.0, "in": 1.0},
    "motion": {"stopped": 0.0, "moving": 1.0, "up": 1.0, "down": 1.0},
    "mode": {"auto": 0.0, "maintenance": 1.0, "fire": 2.0},
    "alarm_button": {"released": 0.0, "pressed": 1.0},
    "immersion": {"dry": 0.0, "wet": 1.0},
    "valve": {"closed": 0.0, "open": 1.0},
    "pump": {"off": 0.0, "on": 1.0},
    "power": {"off": 0.0, "on": 1.0},
    "online": {"offline": 0.0, "online": 1.0},
    "direction": {"down": -1.0, "none": 0.0, "up": 1.0},
    "safety_circuit": {"open": 0.0, "closed": 1.0},
    "lock_circuit": {"open": 0.0, "closed": 1.0},
    "limit_switch": {"free": 0.0, "actuated": 1.0},
    "buffer_switch": {"free": 0.0, "compressed": 1.0},
    "landing_button": {"released": 0.0, "pressed": 1.0},
}


@dataclass(frozen=True)
class Quantity:
    """One quantity: its SI unit, the unit people read it in, its names."""

    si: str
    shown: str
    en: str
    zh: str


QUANTITIES: Final[dict[str, Quantity]] = {
    "methane": Quantity("1", "%VOL", "methane", "甲烷浓度"),
    "methane_air": Quantity("1", "ppm", "methane in the open air", "大气甲烷浓度"),
    "gas_pressure": Quantity("Pa", "kPa", "gas pressure", "燃气压力"),
    "gas_flow": Quantity("m³/s", "m³/h", "gas flow", "燃气流量"),
    "valve": Quantity("1", "state", "valve", "阀门"),
    "immersion": Quantity("1", "state", "sensor under water", "传感器浸水"),
    "humidity": Quantity("1", "%RH", "relative humidity", "相对湿度"),
    "air_pressure": Quantity("Pa", "hPa", "air pressure", "大气压"),
    "rain": Quantity("m/s", "mm/h", "rainfall", "降雨强度"),
    "water_pressure": Quantity("Pa", "mH2O", "water pressure", "供水压力"),
    "water_transient": Quantity("Pa", "mH2O", "pressure wave in a water main", "供水管道压力波动"),
    "water_flow": Quantity("m³/s", "m³/h", "water flow", "供水流量"),
    "water_level": Quantity("m", "m", "water level", "水位"),
    "turbidity": Quantity("1", "NTU", "turbidity", "浊度"),
    "chlorine": Quantity("kg/m³", "mg/L", "free chlorine", "余氯"),
    "conductivity": Quantity("S/m", "µS/cm", "conductivity", "电导率"),
    "pump": Quantity("1", "state", "pump", "水泵"),
    "ph": Quantity("1", "pH", "pH", "酸碱度"),
    "acceleration": Quantity("m/s²", "m/s²", "acceleration", "加速度"),
    "pier_acceleration": Quantity("m/s²", "g", "acceleration of a pier", "桥墩加速度"),
    "strain": Quantity("1", "µε", "strain", "应变"),
    "deflection": Quantity("m", "mm", "deflection", "挠度"),
    "displacement": Quantity("m", "mm", "displacement", "位移"),
    "joint": Quantity("m", "mm", "opening of an expansion joint", "伸缩缝位移"),
    "bearing_force": Quantity("N", "kN", "force on a bearing", "支座反力"),
    "cable_force": Quantity("N", "kN", "force of a cable", "索力"),
    "frequency": Quantity("Hz", "Hz", "natural frequency", "自振频率"),
    "crack": Quantity("m", "mm", "width of a crack", "裂缝宽度"),
    "tilt": Quantity("1", "°", "tilt", "倾角"),
    "vehicle_mass": Quantity("kg", "t", "gross vehicle mass", "车辆总重"),
    "axle_mass": Quantity("kg", "t", "mass on the heaviest group of axles", "最重轴组重量"),
    "wind_speed": Quantity("m/s", "m/s", "wind speed", "风速"),
    "wind_direction": Quantity("1", "°", "direction that the wind blows from, clockwise from north", "风向"),
    "speed": Quantity("m/s", "m/s", "car speed", "轿厢速度"),
    "motion": Quantity("1", "state", "car moving", "轿厢运行"),
    "door": Quantity("1", "state", "car door", "轿门"),
    "door_zone": Quantity("1", "state", "door zone", "门区"),
    "passengers": Quantity("1", "count", "passengers", "乘客数"),
    "mode": Quantity("1", "state", "service mode", "运行模式"),
    "alarm_button": Quantity("1", "state", "alarm button", "报警按钮"),
    "levelling": Quantity("m", "mm", "levelling offset", "平层误差"),
    "vibration": Quantity("m/s²", "m/s²", "car vibration", "轿厢振动"),
    "jerk": Quantity("m/s³", "m/s³", "largest jerk of a trip", "运行最大加加速度"),
    "door_time": Quantity("s", "s", "time of a door's movement", "开关门时间"),
    "reopenings": Quantity("1", "count", "re-openings of the door at a stop", "重复开门次数"),
    "brake_distance": Quantity("m", "mm", "stopping distance of the brake", "制动距离"),
    "rope_slip": Quantity("m", "mm", "slip of the ropes in a trip", "曳引滑移量"),
    "motor_current": Quantity("A", "A", "motor current", "电机电流"),
    "sheave_speed": Quantity("m/s", "m/s", "speed of the traction sheave's rim", "曳引轮线速度"),
    "rope_speed": Quantity("m/s", "m/s", "speed of the ropes", "曳引绳速度"),
    "direction": Quantity("1", "state", "direction of travel", "运行方向"),
    "floor": Quantity("1", "count", "floor", "楼层"),
    "safety_circuit": Quantity("1", "state", "safety circuit", "安全回路"),
    "lock_circuit": Quantity("1", "state", "door lock circuit", "门锁回路"),
    "limit_switch": Quantity("1", "state", "final limit switch", "极限开关"),
    "buffer_switch": Quantity("1", "state", "switch of a buffer", "缓冲器开关"),
    "landing_button": Quantity("1", "state", "landing button", "层站按钮"),
    "power": Quantity("1", "state", "power supply", "供电"),
    "temperature": Quantity("K", "°C", "temperature", "温度"),
    "battery": Quantity("V", "V", "battery", "电池电压"),
    "online": Quantity("1", "state", "device online", "设备在线"),
}


def shown(quantity: str, unit: str) -> str:
    """The unit people read a quantity in; for one not in the table, the unit its device speaks."""
    return QUANTITIES[quantity].shown if quantity in QUANTITIES else unit
