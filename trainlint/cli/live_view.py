"""The terminal application that follows recordings while they are written."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual.app import App
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import DataTable, Footer, Input, Static

from trainlint.cli.following import WAITING, Followed
from trainlint.core.diagnosis import Severity
from trainlint.output.live import STYLES, place_of
from trainlint.output.moments import number
from trainlint.output.style import printable
from trainlint.output.summary import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from textual.app import ComposeResult
    from textual.widget import Widget

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.output.summary import Row

_BARS: Final = "▁▂▃▄▅▆▇█"
ORDERS: Final = ("worst first", "forward order", "by name")
NARROW: Final = 40
"""A run needs so many columns."""
_WIDE: Final = 76
"""From here on a run has room for all it has to show."""
_MOST_LAYERS: Final = 200
_NUMBER: Final = 8
_SAID: Final = 3
_STATES: Final = {"running": "bold green", "finished": "bold", WAITING: "bold yellow"}


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


class RunPane(Vertical):
    """One run: how it stands, its loss, its layers, what was said last."""

    DEFAULT_CSS = """
    RunPane { width: 1fr; height: 1fr; border-left: solid $surface-lighten-2; }
    RunPane.first { border-left: none; }
    RunPane .head, RunPane .loss { height: auto; padding: 0 1; }
    RunPane .head { max-height: 5; }
    RunPane DataTable { height: 1fr; }
    RunPane .said { height: auto; max-height: 4; padding: 0 1; border-top: solid $primary; }
    RunPane .said Static { text-wrap: nowrap; text-overflow: ellipsis; }
    RunPane.tells .said { max-height: 60%; }
    RunPane.tells .said Static { text-wrap: wrap; }
    RunPane.tells DataTable { min-height: 4; }
    """

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        yield Static(classes="head")
        yield Static(classes="loss")
        table: DataTable[Text] = DataTable(cursor_type="row", zebra_stripes=True)
        yield table
        with VerticalScroll(classes="said", can_focus=False):
            yield Static()

    def show(self, run: Followed, place: str, width: int, order: int, wanted: str) -> None:
        """Show a run in so many columns, and of its layers those that are wanted."""
        head = Text(no_wrap=False)
        head.append(printable(os.path.basename(run.path)), "bold")
        head.append(f" {place}" if place else "", "dim")
        head.append(f"  {run.state}", _STATES.get(run.state, "bold red"))
        head.append(f"  step {run.step:,}\n" if run.step else "\n")
        head.append(verdict(run.diagnoses, run.step), _mood(run))
        self.query_one(".head", Static).update(head)
        loss = number(run.loss[-1]) if run.loss else "–"
        bars = sparkline(run.loss, max(8, width - len(loss) - 9))
        self.query_one(".loss", Static).update(
            Text.assemble("loss ", (loss, "bold"), " ", (bars, "cyan"), no_wrap=True)
        )
        self._show_layers(run, order, wanted, width)
        said = run.diagnoses if self.has_class("tells") else run.diagnoses[-_SAID:]
        told = Text("\n").join(self._told(said)) if said else Text("no diagnoses", "dim")
        self.query_one(".said Static", Static).update(told)

    def _told(self, diagnoses: Iterable[Diagnosis]) -> Iterator[Text]:
        """Yield the diagnoses, in full where there is room for it."""
        for one in diagnoses:
            step = f"{one.moment.step:,}" if one.moment else ""
            line = Text.assemble((f"{step:>6} ", "dim"), (one.rule, STYLES[one.severity]), " ")
            line.append(printable(one.message))
            if self.has_class("tells"):
                place = place_of(one)
                line.append(f" ({place})" if place else "", "blue")
                line.append(f"\n       → {printable(one.remedy)}", "green")
            yield line

    def _show_layers(self, run: Followed, order: int, wanted: str, width: int) -> None:
        """Show the layers, with the cursor on the one where it was."""
        table = self.query_one(DataTable)
        is_wide = width >= _WIDE
        bars = 14 if is_wide else max(8, min(24, width - NARROW + 8))
        name = width - 2 * _NUMBER - bars - 28 if is_wide else width - _NUMBER - bars - 10
        heads = ("layer", "gradient", "", "update", "units") if is_wide else ("layer", "grad.", "")
        before = table.cursor_row
        kept = None
        if table.is_valid_row_index(before):
            kept = table.ordered_rows[before].key.value
        if [str(one.label) for one in table.columns.values()] != list(heads):
            table.clear(columns=True)
            table.add_columns(*heads)
        table.clear()
        found = [one for one in run.rows() if wanted in one.layer.name.lower()]
        if order:
            found.sort(key=_by_name if ORDERS[order] == "by name" else _by_depth)
        for one in found[:_MOST_LAYERS]:
            *cells, units = _cells(run, one, max(8, name), bars)
            if is_wide:
                cells.append(units)
            else:
                cells = [cells[0], cells[1], cells[2] if cells[2].plain else units]
            table.add_row(*cells, key=one.layer.name)
        if kept is not None and kept in table.rows:
            table.move_cursor(row=table.get_row_index(kept))


def _by_name(row: Row) -> str:
    return row.layer.name


def _by_depth(row: Row) -> int:
    return row.layer.depth


def _cells(run: Followed, one: Row, width: int, bars: int) -> Iterator[Text]:
    """Yield the cells of a layer."""
    name = printable(one.layer.name) or "the model"
    short = name if len(name) <= width else f"…{name[1 - width :]}"
    yield Text(short, STYLES[one.severity] if one.severity else "")
    yield Text("–" if one.gradient is None else f"{one.gradient:.2g}", justify="right")
    yield Text(sparkline(run.gradients.get(one.layer.weight, []), bars), "cyan")
    yield Text("–" if one.update is None else f"{one.update:.2g}", justify="right")
    shares = ((one.dead, "dead"), (one.saturated, "sat."))
    yield Text(", ".join(f"{share:.0%} {word}" for share, word in shares if share is not None))


def _mood(run: Followed) -> str:
    """Return the style of the verdict."""
    severities = {one.severity for one in run.diagnoses}
    worst = next((one for one in Severity if one in severities), None)
    if worst is not None:
        return STYLES[worst]
    return "bold green" if run.step else "dim"


class LiveView(App[None]):
    """Runs side by side: layers with sparklines, the loss, and diagnoses as they come."""

    CSS = """
    #none { padding: 1 2; }
    #status { height: 1; padding: 0 1; color: $text-muted; }
    #filter { display: none; }
    #filter.shown { display: block; }
    """
    BINDINGS: ClassVar = [
        ("s", "order", "Sort"),
        ("slash", "filter", "Filter"),
        ("n", "move(1)", "Next"),
        ("p", "move(-1)", "Previous"),
        ("o", "only", "One/all"),
        ("d", "tell", "Diagnoses"),
        ("escape", "clear", "Clear"),
        ("q", "quit", "Quit"),
    ]
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None

    def __init__(self, paths: Callable[[], Iterable[str]], interval: float = 1.0) -> None:
        super().__init__()
        self._paths = paths
        self._interval = interval
        self._runs: dict[str, Followed] = {}
        self._first = 0
        self._is_alone = False
        self._order = 0
        self._wanted = ""

    def compose(self) -> ComposeResult:
        """Yield the parts of the screen."""
        yield Static("waiting for a recording", id="none")
        yield Horizontal(id="runs")
        yield Input(id="filter", placeholder="part of a layer's name")
        yield Static(id="status")
        yield Footer()

    async def on_mount(self) -> None:
        """Begin to follow."""
        self.set_interval(self._interval, self.follow)
        await self.follow()

    async def on_resize(self) -> None:
        """Show as many runs as have room."""
        await self.draw()

    async def follow(self) -> None:
        """Read what is new, and show it."""
        for path in self._paths():
            self._runs.setdefault(path, Followed(path))
        for one in self._runs.values():
            one.read()
        await self.draw()

    def _ordered(self) -> list[Followed]:
        """Return the runs, the newest first: they keep their places when one ends."""
        return sorted(self._runs.values(), key=lambda one: (-one.started, one.path))

    async def draw(self) -> None:
        """Show the chosen runs."""
        runs = self._ordered()
        self.query_one("#none").display = not runs
        room = 1 if self._is_alone else max(1, self.size.width // NARROW)
        self._first = max(0, min(self._first, len(runs) - 1))
        shown = runs[self._first : self._first + room]
        if len(shown) < room:  # the last ones fill the screen
            shown = runs[max(0, len(runs) - room) :] if not self._is_alone else shown
        holder = self.query_one("#runs", Horizontal)
        panes = list(holder.query(RunPane))
        for pane in panes[len(shown) :]:
            await pane.remove()
        for at in range(len(panes), len(shown)):
            await holder.mount(RunPane(classes="first" if at == 0 else ""))
        panes = list(holder.query(RunPane))
        if panes and self.focused is None:
            panes[0].query_one(DataTable).focus()
        for pane, run in zip(panes, shown, strict=True):
            place = f"{runs.index(run) + 1}/{len(runs)}" if len(runs) > 1 else ""
            width = self.size.width // len(shown)
            pane.show(run, place, width, self._order, self._wanted)
        most = max((len(one.facts.layers) for one in shown if one.facts), default=0)
        status = f"layers {ORDERS[self._order]}"
        status += f", with “{self._wanted}”" if self._wanted else ""
        status += f"; the first {_MOST_LAYERS}" if most > _MOST_LAYERS else ""
        self.query_one("#status", Static).update(Text(status))

    async def action_order(self) -> None:
        """Sort by the next order."""
        self._order = (self._order + 1) % len(ORDERS)
        await self.draw()

    async def action_move(self, by: int) -> None:
        """Show the next run, or the one before."""
        self._first = (self._first + by) % max(1, len(self._runs))
        await self.draw()

    async def action_only(self) -> None:
        """Show one run alone, or several again."""
        self._is_alone = not self._is_alone
        await self.draw()

    async def action_tell(self) -> None:
        """Tell the diagnoses in full, or the last ones in a line each."""
        for pane in self.query(RunPane):
            pane.toggle_class("tells")
            # So the arrow keys scroll what is told, and the tab key goes from run to run.
            pane.query_one(VerticalScroll).can_focus = pane.has_class("tells")
        self._to_first(VerticalScroll if self.query("RunPane.tells") else DataTable)
        await self.draw()

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
        self._to_first(DataTable)

    async def on_input_changed(self, event: Input.Changed) -> None:
        """Show the layers that are wanted."""
        self._wanted = event.value.lower()
        await self.draw()

    def on_input_submitted(self) -> None:
        """Go back to the layers."""
        self._to_first(DataTable)

    def _to_first(self, kind: type[Widget]) -> None:
        """Put the focus on the first widget of a kind."""
        for widget in self.query(kind):
            widget.focus()
            break
