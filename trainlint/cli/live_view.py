"""The terminal application that follows recordings while they are written."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.text import Text
from textual.app import App
from textual.widgets import DataTable, Footer, Input, Static

from trainlint.output.live import STYLES
from trainlint.output.moments import number
from trainlint.output.style import printable
from trainlint.output.summary import rows, verdict
from trainlint.runtime.recording import Recording
from trainlint.runtime.signals import Signal
from trainlint.runtime.tables import RecordingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import ComposeResult

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.output.summary import Row
    from trainlint.runtime.signals import Facts

_BARS: Final = "▁▂▃▄▅▆▇█"
_KEPT: Final = 200
_ORDERS: Final = ("worst", "forward", "name")
_SAID: Final = 3
_NAME: Final = 26


def sparkline(values: list[float], width: int) -> str:
    """Return the last values as bars, in the scale of their logarithm; what is not finite is `!`."""
    last = values[-width:]
    sizes = [math.log10(one) if one > 0 else None for one in map(abs, last) if math.isfinite(one)]
    known = [one for one in sizes if one is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)

    def bar(value: float) -> str:
        if not math.isfinite(value):
            return "!"
        if value == 0 or high == low:
            return _BARS[0]
        return _BARS[round((math.log10(abs(value)) - low) / (high - low) * (len(_BARS) - 1))]

    return "".join(map(bar, last))


@dataclass
class Followed:
    """A recording, and what has been read of it so far."""

    path: str
    at: int = 0
    identity: tuple[int, int] = (0, 0)
    state: str = "waiting"
    step: int = 0
    facts: Facts | None = None
    diagnoses: list[Diagnosis] = field(default_factory=list)
    last: dict[str, dict[str, float]] = field(default_factory=dict)
    loss: list[float] = field(default_factory=list)
    gradients: dict[str, list[float]] = field(default_factory=dict)

    def read(self) -> None:
        """Read what is new; a file that is missing or was begun anew is no error."""
        try:
            found = os.stat(self.path)
            with Recording(self.path) as recording:
                identity = (found.st_dev, found.st_ino)
                if identity != self.identity or recording.position < self.at:
                    self.__dict__.update(Followed(self.path, identity=identity).__dict__)
                for step in recording.steps(after=self.at):
                    self._see(step)
                self.at = recording.position
                self.step = recording.last_number
                self.state = recording.state.value
                self.facts = recording.facts
                self.diagnoses = recording.diagnoses()
        except (OSError, RecordingError):
            self.state = "waiting"

    def _see(self, step: Any) -> None:
        """Take a step."""
        for signal, values in step.signals.items():
            self.last.setdefault(signal, {}).update(values)
        loss = step.run(Signal.LOSS)
        if loss is not None:
            self.loss = [*self.loss[1 - _KEPT :], loss]
        for name, value in step.of(Signal.GRADIENT_RMS).items():
            self.gradients[name] = [*self.gradients.get(name, [])[1 - _KEPT :], value]

    def rows(self) -> list[Row]:
        """Return the layers, the worst first."""
        return [] if self.facts is None else rows(self.facts, self.last, self.diagnoses)


class LiveView(App[None]):
    """Layers with sparklines, the loss, and diagnoses as they come."""

    CSS = """
    #head, #loss { height: auto; max-height: 3; padding: 0 1; }
    #layers { height: 1fr; }
    #said { text-wrap: nowrap; text-overflow: ellipsis; }
    #said { height: auto; max-height: 7; padding: 0 1; border-top: solid $primary; }
    #filter { display: none; }
    #filter.shown { display: block; }
    """
    BINDINGS: ClassVar = [
        ("s", "order", "Sort"),
        ("slash", "filter", "Filter"),
        ("n", "next_run", "Next run"),
        ("escape", "clear", "Clear"),
        ("q", "quit", "Quit"),
    ]

    def __init__(self, paths: Callable[[], Iterator[str]], interval: float = 1.0) -> None:
        super().__init__()
        self._paths = paths
        self._interval = interval
        self._runs: dict[str, Followed] = {}
        self._shown = ""
        self._order = 0
        self._wanted = ""

    def compose(self) -> ComposeResult:
        """Yield the parts of the screen."""
        yield Static(id="head")
        yield Static(id="loss")
        table: DataTable[Text] = DataTable(id="layers", cursor_type="row", zebra_stripes=True)
        yield table
        yield Input(id="filter", placeholder="part of a layer's name")
        yield Static(id="said")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to follow."""
        table = self.query_one(DataTable)
        table.add_columns("layer", "gradient", "", "update", "units")
        table.focus()
        self.set_interval(self._interval, self.follow)
        self.follow()

    def follow(self) -> None:
        """Read what is new, and show it."""
        for path in self._paths():
            self._runs.setdefault(path, Followed(path))
        for one in self._runs.values():
            one.read()
        if self._runs and self._shown not in self._runs:
            self._shown = max(self._runs, key=lambda one: self._runs[one].state == "running")
        self.draw()

    def draw(self) -> None:
        """Show the chosen run."""
        run = self._runs.get(self._shown)
        if run is None:
            self.query_one("#head", Static).update(Text("waiting for a recording"))
            return
        place = f"{list(self._runs).index(self._shown) + 1}/{len(self._runs)}"
        head = Text(f"{printable(os.path.basename(run.path))} {place} {run.state}\n", "bold")
        head.append(verdict(run.diagnoses, run.step), "")
        self.query_one("#head", Static).update(head)
        loss = number(run.loss[-1]) if run.loss else "–"
        width = max(10, self.size.width - 24)
        self.query_one("#loss", Static).update(
            Text(f"loss {loss:>10} {sparkline(run.loss, width)}", "cyan", no_wrap=True)
        )
        table = self.query_one(DataTable)
        row = table.cursor_row
        table.clear()
        for one in self._sorted(run):
            table.add_row(*self._cells(run, one))
        table.move_cursor(row=row)
        said = Text(f"sorted: {_ORDERS[self._order]}", "dim")
        for it in run.diagnoses[-_SAID:]:
            step = it.moment.step if it.moment else 0
            said.append(f"\n{step:>6} {it.rule} ", STYLES[it.severity])
            said.append(printable(it.message), "")
        said.no_wrap, said.overflow = True, "ellipsis"
        self.query_one("#said", Static).update(said)

    def _sorted(self, run: Followed) -> list[Row]:
        """Return the layers that are wanted, in the chosen order."""
        found = [one for one in run.rows() if self._wanted in one.layer.name.lower()]
        if _ORDERS[self._order] == "forward":
            found.sort(key=lambda one: one.layer.depth)
        elif _ORDERS[self._order] == "name":
            found.sort(key=lambda one: one.layer.name)
        return found

    @staticmethod
    def _cells(run: Followed, one: Row) -> Iterator[Text]:
        """Yield the cells of a layer."""
        name = printable(one.layer.name) or "the model"
        short = name if len(name) <= _NAME else f"…{name[1 - _NAME :]}"
        yield Text(short, STYLES[one.severity] if one.severity else "")
        yield Text("–" if one.gradient is None else f"{one.gradient:.2g}", justify="right")
        yield Text(sparkline(run.gradients.get(one.layer.weight, []), 14), "cyan")
        yield Text("–" if one.update is None else f"{one.update:.2g}", justify="right")
        shares = ((one.dead, "dead"), (one.saturated, "sat."))
        yield Text(", ".join(f"{share:.0%} {word}" for share, word in shares if share is not None))

    def action_order(self) -> None:
        """Sort by the next order."""
        self._order = (self._order + 1) % len(_ORDERS)
        self.draw()

    def action_next_run(self) -> None:
        """Show the next run."""
        paths = list(self._runs)
        if paths:
            self._shown = paths[(paths.index(self._shown) + 1) % len(paths)]
            self.draw()

    def action_filter(self) -> None:
        """Ask for a part of a name."""
        field = self.query_one(Input)
        field.add_class("shown")
        field.focus()

    def action_clear(self) -> None:
        """Show all layers again."""
        field = self.query_one(Input)
        field.value = ""
        field.remove_class("shown")
        self.query_one(DataTable).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the layers that are wanted."""
        self._wanted = event.value.lower()
        self.draw()

    def on_input_submitted(self) -> None:
        """Go back to the layers."""
        self.query_one(DataTable).focus()
