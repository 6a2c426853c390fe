"""People and rosters: who there is, and who is on duty when. docs/duty.md"""

from alerts.duty.load import Duty, load
from alerts.duty.people import People, Person, Role, Unit, UnknownPerson
from alerts.duty.rosters import Found, Rosters, Shift

__all__ = ["Duty", "Found", "People", "Person", "Role", "Rosters", "Shift", "Unit", "UnknownPerson", "load"]
