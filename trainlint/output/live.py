"""Diagnoses of a training, printed as they are made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.text import Text

from trainlint.core.diagnosis import Severity
from trainlint.core.paths import below_here
from trainlint.output.moments import proof, subject, when
from trainlint.output.style import printable

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType, RenderResult

    from trainlint.core.diagnosis import Diagnosis

STYLES: Final = {
    Severity.ERROR: "bold red",
    Severity.WARNING: "bold yellow",
    Severity.ADVICE: "bold cyan",
}
_VERDICTS: Final = {
    "The training cannot work like this": STYLES[Severity.ERROR],
    "The training likely suffers": STYLES[Severity.WARNING],
    "The training looks (healthy|sound)": "bold green",
    "Do first": "bold green",
}
_INDENT: Final = 2
WIDEST: Final = 110
"""Longer lines of prose are hard to read; a log, which is as wide as it likes, has such, too."""


class LivePrinter:
    """Prints on standard error, beside the progress bar of the training, or on a given console."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = Console(stderr=True, highlight=False) if console is None else console
        if console is None and not self.console.is_terminal and "COLUMNS" not in os.environ:
            self.console.width = WIDEST

    def diagnosis(self, one: Diagnosis) -> None:
        """Print a diagnosis, and an empty line."""
        self.console.print(card(one), "", width=min(self.console.width, WIDEST))

    def say(self, text: str) -> None:
        """Print a text of one or several lines, such as the summary, which may be wide."""
        self.console.print(painted(text), soft_wrap=True)


def card(one: Diagnosis) -> RenderableType:
    """Return a diagnosis in a few lines: which rule, where, what was measured, what to do."""
    moment = one.moment
    head = Text.assemble(
        (one.severity.value, STYLES[one.severity]), " ", (one.code, "bold"), f" {one.rule}"
    )
    lines: list[Text] = []
    if moment is not None:
        head.append(f"  {when(moment)}", "dim")
        about = printable(subject(moment))
        place = place_of(one)
        where = Text(about, "bold")
        if place:
            where.append(f"{', ' if about else ''}{place}", "not bold blue")
        if where.plain:
            lines.append(where)
    elif place := place_of(one):
        lines.append(Text(place, "blue"))
    lines.append(painted(one.message))
    if moment is not None and moment.evidence:
        evidence = Text.assemble(("evidence: ", "dim"))
        for number, it in enumerate(moment.evidence):
            evidence.append("; " if number else "", "dim")
            style = STYLES[one.severity] if it.bound is not None else ""
            evidence.append(printable(proof(it)), style)
        lines.append(evidence)
    lines.append(Text.assemble(("remedy: ", "green"), painted(one.remedy)))
    return Group(head, *map(_Indented, lines))


class _Indented:
    """A text in lines that are indented and end where they end, so that they can be copied."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._text.wrap(console, options.max_width - _INDENT):
            line.rstrip()
            yield Text(" " * _INDENT).append_text(line)


def place_of(one: Diagnosis) -> str:
    """Return where a diagnosis stands: `model.py:14`, from the current folder if it lies below it."""
    if not one.path:
        return ""
    return f"{printable(from_here(one.path))}:{one.span.line}"


def from_here(path: str) -> str:
    """Return a path from the current folder, or the name of a file that lies elsewhere."""
    return (below_here(path) or os.path.basename(path)) if os.path.isabs(path) else path


def painted(text: str) -> Text:
    """Return a text in which names of code, severities, codes of rules and verdicts stand out."""
    lines = "\n".join(printable(line) for line in text.split("\n"))
    shown = Text(lines)
    shown.highlight_regex(r"`[^`\n]+`", "cyan")
    shown.highlight_regex(r"\bTL\d{3}\b", "bold")
    for severity, style in STYLES.items():
        shown.highlight_regex(rf"\b{severity.value}(?= +TL\d)", style)
    for said, style in _VERDICTS.items():
        shown.highlight_regex(rf"(?m)^{said}\b", style)
    return shown
