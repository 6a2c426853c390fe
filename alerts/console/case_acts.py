"""The buttons of a case: those acts that its state knows and the role allows. Each does what the HTTP interface does."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlencode

from nicegui import ui

from alerts.case import Case, mark, to_row
from alerts.console.forms import Field, Form, Given, button
from alerts.console.visit import Visit
from alerts.dangers import ledger
from alerts.dangers.danger import Deed
from alerts.dangers.life import Act as DangerAct
from alerts.lifecycle import ASKING, NEXT, Act
from alerts.roles import CLOSES, Role
from alerts.stages import NEEDS, VERDICTS, Done, Stage
from alerts.users.access import Who
from lifeline.model import Kind

STAGES: Final = (Stage.ASSESS, Stage.PREVENT, Stage.DISPOSE, Stage.ACCOUNT)
JUDGED: Final = (Stage.ASSESS, Stage.ACCOUNT)  # steps that say what it was


class Acts:
    """The bar. It is drawn anew only when other buttons are due: nothing moves under a finger."""

    def __init__(self, visit: Visit, bar: ui.element) -> None:
        self.visit, self.bar, self.place = visit, bar, ui.element("div")
        self._shown: tuple[object, ...] = ()
        self._mark = ""  # of the case as the page shows it: what has become worse meanwhile is looked at first

    def draw(self, case: Case) -> None:
        """The buttons that are due now."""
        self._mark = mark(to_row(case))
        shown = (case.state, case.level, case.peak)
        if shown == self._shown:
            return
        self._shown = shown
        self.bar.clear()
        with self.bar:
            if not self.visit.may(Role.OPERATOR):
                ui.label(self.visit.say("viewer_only")).classes("quiet")
                return
            self._answer(case)
            for stage in STAGES:
                if self.visit.may(NEEDS[stage]):
                    button(self.visit.say(stage.value), self._form(self._stage(case, stage)), name=f"act-{stage.value}")
            if (case.state, Act.CLOSE) in NEXT and self.visit.may(CLOSES[case.peak]):
                button(self.visit.say("close"), self._form(self._close(case)), name="act-close", grave=True)
            if case.kind is Kind.HAZARD:
                button(self.visit.say("to_ledger"), self._form(self._danger(case)), name="act-danger")
            ask = urlencode({"alertname": case.hazard, "asset": case.asset})
            button(self.visit.say("silence_this"), lambda: ui.navigate.to(f"/silences?{ask}"), name="act-silence")

    def _form(self, form: Form) -> Callable[[], None]:
        def show() -> None:
            with self.place:
                form.open()

        return show

    def _answer(self, case: Case) -> None:
        """One click answers; a comment is for whoever wants to."""
        if (case.state, Act.ACK) not in NEXT:
            return
        asks = case.state in ASKING
        if asks:
            button(self.visit.say("acknowledge"), lambda: self._acknowledge(case, ""), name="act-ack", main=True)
        words = self.visit.say("acknowledge" if asks else "again")
        fields = (Field("comment", self.visit.say("comment"), long=True, must=not asks),)
        form = Form(self.visit, words, fields, lambda given: self._acknowledge(case, given["comment"]))
        button(f"{words} + {self.visit.say('comment')}", self._form(form), name="act-comment")

    async def _acknowledge(self, case: Case, comment: str) -> object:
        book, now = self.visit.desk.book, self.visit.desk.clock.now
        return await self.visit.act(
            Role.OPERATOR, lambda who: book.acknowledge(case.id, who.name, comment, now()), "acknowledged"
        )

    def _close(self, case: Case) -> Form:
        book, now = self.visit.desk.book, self.visit.desk.clock.now

        def work(given: Given) -> Awaitable[object]:
            return self.visit.act(
                Role.OPERATOR, lambda who: book.close(case.id, who.name, who.role, given["comment"], now(), (self._mark,))
            )

        return Form(
            self.visit,
            self.visit.say("close"),
            (Field("comment", self.visit.say("reason"), long=True, must=True),),
            work,
            danger=True,
        )

    def _stage(self, case: Case, stage: Stage) -> Form:
        verdicts = {v.value: self.visit.pick(pair) for v, pair in VERDICTS.items()}
        fields = (Field("verdict", self.visit.say("verdict"), "hazard", verdicts),) if stage in JUDGED else ()
        note = Field("note", self.visit.say("note"), long=True, must=stage is not Stage.ASSESS)

        def work(given: Given) -> Awaitable[object]:
            return self.visit.act(Role.OPERATOR, lambda who: self._done(case, stage, given, who))

        return Form(self.visit, self.visit.say(stage.value), (*fields, note), work)

    def _done(self, case: Case, stage: Stage, given: Given, who: Who) -> bool:
        what = Done(who.name, given["note"] or "", (), given.get("verdict") or "")
        self.visit.desk.book.done(case.id, stage, what, who.role, self.visit.desk.clock.now())
        return True

    def _danger(self, case: Case) -> Form:
        async def work(given: Given) -> object:
            desk = self.visit.desk
            made = await self.visit.act(
                Role.OPERATOR,
                lambda who: ledger.from_warning(
                    desk.database, case.id, Deed(DangerAct.REGISTER, desk.clock.now(), who.name, given["note"] or ""), who.role
                ),
            )
            if made is not None:
                ui.navigate.to(f"/dangers/{made.id}")
            return made

        return Form(self.visit, self.visit.say("to_ledger"), (Field("note", self.visit.say("note"), long=True),), work)
