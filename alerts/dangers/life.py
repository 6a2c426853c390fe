"""The life of a hidden danger as one table. What is not in it is refused."""

from enum import StrEnum
from typing import Final

from alerts.lifecycle import Refused
from alerts.roles import Role


class State(StrEnum):
    REGISTERED = "registered"  # 登记: written down, nobody has judged it
    ASSESSED = "assessed"  # 评估: graded, with a cause
    ASSIGNED = "assigned"  # 交办: somebody has to do something until a day
    RECTIFYING = "rectifying"  # 整改: they are at it
    RECHECKING = "rechecking"  # 复查: they say that it is done; another person has to see it
    STRUCK = "struck"  # 销号: gone, and somebody has accepted that
    OVERDUE = "overdue"  # 逾期: the day has passed
    SUPERVISED = "supervised"  # 督办: somebody above watches over it


class Act(StrEnum):
    REGISTER = "register"
    ASSESS = "assess"
    DISMISS = "dismiss"  # it is no danger: struck off with that result
    ASSIGN = "assign"
    START = "start"
    LOG = "log"  # progress
    CORRECT = "correct"  # what was written wrongly; the wrong words stay in the log
    FINISH = "finish"
    ACCEPT = "accept"  # the re-check is passed
    REJECT = "reject"  # it is not
    LAPSE = "lapse"  # the deadline passes; said by the desk
    EXTEND = "extend"  # another deadline
    SUPERVISE = "supervise"
    REOPEN = "reopen"  # it is there again


REGISTERED, ASSESSED, ASSIGNED, RECTIFYING, RECHECKING, STRUCK, OVERDUE, SUPERVISED = State
REGISTER, ASSESS, DISMISS, ASSIGN, START, LOG, CORRECT, FINISH, ACCEPT, REJECT, LAPSE, EXTEND, SUPERVISE, REOPEN = Act

NEXT: Final[dict[tuple[State, Act], State]] = {
    (REGISTERED, ASSESS): ASSESSED, (REGISTERED, DISMISS): STRUCK,
    (ASSESSED, ASSIGN): ASSIGNED, (ASSESSED, ASSESS): ASSESSED, (ASSESSED, DISMISS): STRUCK,
    (ASSIGNED, START): RECTIFYING, (ASSIGNED, LAPSE): OVERDUE, (ASSIGNED, SUPERVISE): SUPERVISED, (ASSIGNED, EXTEND): ASSIGNED,
    (RECTIFYING, FINISH): RECHECKING, (RECTIFYING, LAPSE): OVERDUE, (RECTIFYING, SUPERVISE): SUPERVISED,
    (RECTIFYING, EXTEND): RECTIFYING,
    (OVERDUE, FINISH): RECHECKING, (OVERDUE, SUPERVISE): SUPERVISED, (OVERDUE, EXTEND): RECTIFYING,
    (SUPERVISED, FINISH): RECHECKING, (SUPERVISED, EXTEND): SUPERVISED, (SUPERVISED, LAPSE): SUPERVISED,
    (RECHECKING, ACCEPT): STRUCK, (RECHECKING, REJECT): RECTIFYING,
    (STRUCK, REOPEN): REGISTERED,
    **{(state, LOG): state for state in State if state is not STRUCK},
    **{(state, CORRECT): state for state in State},
}  # fmt: skip

OPEN: Final = frozenset(State) - {STRUCK}
RUNNING: Final = frozenset(state for state, act in NEXT if act is LAPSE)  # a deadline runs
DUE: Final = RUNNING | {OVERDUE}  # somebody owes the work; not while it waits for its re-check
NEEDS: Final[dict[Act, Role]] = {  # who may do it; what the desk itself does is not here
    REGISTER: Role.OPERATOR,
    ASSESS: Role.ANALYST,
    DISMISS: Role.ANALYST,
    ASSIGN: Role.ANALYST,
    START: Role.OPERATOR,
    LOG: Role.OPERATOR,
    CORRECT: Role.ANALYST,
    FINISH: Role.OPERATOR,
    ACCEPT: Role.ANALYST,  # of a major one: a leader
    REJECT: Role.ANALYST,
    EXTEND: Role.LEADER,
    SUPERVISE: Role.LEADER,
    REOPEN: Role.ANALYST,
}


def step(state: State, act: Act) -> State:
    """The state after an act; Refused when the table has no such row."""
    try:
        return NEXT[state, act]
    except KeyError:
        possible = " or ".join(s for s, a in NEXT if a is act)
        raise Refused(f"a danger that is {state} knows no {act!s}; one that is {possible} does") from None


def diagram() -> str:
    """The table as a Mermaid state diagram, for docs/dangers.md; what is possible everywhere is left out."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for (state, act), after in NEXT.items():
        if act not in {LOG, CORRECT}:
            arrows.setdefault((state, after), []).append(act)
    lines = [f"    {a} --> {b}: {', '.join(acts)}" for (a, b), acts in arrows.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {REGISTERED}: {REGISTER}", *lines])
