"""A dialog that asks for something and does it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from nicegui import ui

from alerts.console.visit import Visit

Given = dict[str, Any]
Do = Callable[[Given], Awaitable[object]]  # None: it was refused, and the dialog stays


@dataclass(frozen=True)
class Field:
    """One thing that is asked for."""

    name: str
    label: str
    value: Any = ""
    options: Mapping[str, str] | None = None  # to choose from
    long: bool = False  # some lines of text
    kind: str = ""  # of an input: number, datetime-local, date
    must: bool = False
    tick: bool = False  # yes or no
    hint: str = ""


@dataclass
class _Made:
    field: Field
    element: Any


@dataclass(frozen=True)
class Form:
    """A dialog. It is made when it is asked for and gone when it is closed."""

    visit: Visit
    title: str
    fields: tuple[Field, ...]
    do: Do
    danger: bool = False  # its button is red
    _made: list[_Made] = field(default_factory=list)

    def open(self) -> None:
        """Show it."""
        self._made.clear()
        with ui.dialog() as box, ui.card().classes("form"):
            ui.label(self.title).classes("form-title")
            for f in self.fields:
                self._made.append(_Made(f, _element(f)))
            with ui.row().classes("form-foot"):
                ui.button(self.visit.say("cancel"), on_click=box.close).props("flat no-caps")
                ok = ui.button(self.visit.say("confirm"), on_click=lambda: self._send(box))
                ok.props(f"no-caps unelevated color={'negative' if self.danger else 'primary'}").mark("ok").props("id=form-ok")
        box.on("hide", box.delete)
        box.open()

    async def _send(self, box: ui.dialog) -> None:
        given = {m.field.name: m.element.value for m in self._made}
        missing = [m for m in self._made if m.field.must and not str(m.element.value or "").strip()]
        for m in missing:
            m.element.props("error")
        if not missing and await self.do(given) is not None:
            box.close()


FLAT: Final = "outlined dense stack-label"


def _element(f: Field) -> Any:
    """The element of a field."""
    if f.tick:
        return ui.checkbox(f.label, value=bool(f.value)).props(f"name={f.name}")
    if f.options is not None:
        made: Any = ui.select(dict(f.options), label=f.label, value=f.value, with_input=len(f.options) > 12)
        return made.props(f"{FLAT} name={f.name}").classes("full")
    if f.long:
        return ui.textarea(f.label, value=f.value).props(f"{FLAT} autogrow name={f.name} hint='{f.hint}'").classes("full")
    made = ui.input(f.label, value=f.value).props(f"{FLAT} name={f.name} hint='{f.hint}'").classes("full")
    return made.props(f"type={f.kind}") if f.kind else made


def button(text: str, do: Callable[[], object], *, name: str = "", main: bool = False, grave: bool = False) -> None:
    """One that does something at once or opens a form."""
    made = ui.button(text, on_click=do).props("no-caps unelevated" if main else "no-caps outline")
    made.props(f"color={'negative' if grave else 'primary'}")
    if name:
        made.props(f"id={name}").classes(name)
