"""`trainlint replay`: judge a recorded training again, with other rules or thresholds."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from trainlint.cli.output import COLOUR_CHOICES, in_colours, keep, warn, write
from trainlint.cli.settings import hierarchy, selection_options
from trainlint.cli.showing import output_options
from trainlint.core.catalogue import load_catalogue
from trainlint.core.config import Config, Selection
from trainlint.core.diagnosis import Span
from trainlint.core.paths import below_here
from trainlint.core.report import CONTEXT, FileReport
from trainlint.core.site import site_url
from trainlint.output.formats import DEFAULT, Linted, refuse, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainlint.core.config import Settings
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.rule import Rule
    from trainlint.runtime.recording import Recording, Session

IN_ORDER: Final = frozenset({"full", "concise", "json-lines"})
"""The formats in which diagnoses stand in the order in which they were made; else file by file."""


@click.command("replay", short_help="Judge a recorded training again.")
@click.argument("file", metavar="FILE")
@selection_options
@output_options(f"{DEFAULT} is the default.")
@click.option("--statistics", is_flag=True, help="Show only how often each rule speaks.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even where there are diagnoses.")
@click.option("-q", "--quiet", is_flag=True, help="Show diagnoses only.")
@click.option("--color", type=click.Choice(COLOUR_CHOICES), default="auto", help="As for check.")
def command(file: str, **options: Any) -> int:
    """Show the diagnoses of a recording: FILE was written by `trainlint.watch`.

    The rules and thresholds are those of the configuration of the folder that you are in, what the
    training told `watch`, and the options here, in this order; with --isolated only the options.

    Exits with 0 where all is well, 1 where there are diagnoses, 2 where the file cannot be read.
    """
    from trainlint.runtime.recording import Recording  # noqa: PLC0415 - sqlite takes 10 ms

    refuse(options["output_format"], statistics=options["statistics"], unresolved=False)
    site_url()
    catalogue = load_catalogue()
    keep(options["output_file"], [file])
    said: list[Diagnosis] = []
    steps = 0
    with Recording(file) as recording:
        for session in recording.sessions:
            told = [] if options["isolated"] else [_told(session)]
            settings = hierarchy(catalogue, options, told).settings_of(os.curdir)
            judged, number = _judged(recording, session, settings)
            said += judged
            steps += number
        if recording.is_thinned and not options["quiet"]:
            warn(
                f"note: {file} was full and some of its steps were given up, so diagnoses may be missing"
            )
        ended = max((one.ended for one in recording.sessions), default=0.0)
    linted = Linted(
        reports_of(file, said, ended, in_order=options["output_format"] in IN_ORDER),
        catalogue,
        colours=in_colours(options["color"], to_file=options["output_file"] is not None),
        summary=not options["quiet"],
        alone=options["output_file"] is not None,
        steps=steps,
    )
    lines = render(options["output_format"], linted, statistics=options["statistics"])
    write(lines, options["output_file"])
    return int(bool(said) and not options["exit_zero"])


def _told(session: Session) -> Config:
    """Return what the training told `watch`, as a configuration."""
    origin = "the recording"
    told = session.settings
    selection = Selection(
        origin,
        None if told.get("select") is None else _names(told["select"]),
        _names(told.get("ignore") or ()),
        _names(told.get("extend_select") or ()),
    )
    return Config(origin=origin, selection=selection, thresholds=told.get("thresholds") or {})


def _names(selectors: str | Sequence[str]) -> tuple[str, ...]:
    """Return selectors as they are listed; a single text is one."""
    return (selectors,) if isinstance(selectors, str) else tuple(selectors)


def _judged(
    recording: Recording, session: Session, settings: Settings
) -> tuple[list[Diagnosis], int]:
    """Show the steps of a session to the rules, and return what they say and how many steps there are."""
    from trainlint.runtime.judge import Judge  # noqa: PLC0415

    def failed(rule: Rule, error: Exception) -> None:
        said = " ".join(str(error).split())
        warn(
            f"warning: {rule.name} is left out: its detector failed ({type(error).__name__}: {said})"
        )

    judge = Judge(settings, failed)
    number = 0
    for step in recording.steps(session.number):
        judge.observe(step)
        number += 1
    return judge.diagnoses, number


def reports_of(
    file: str, said: Sequence[Diagnosis], ended: float, *, in_order: bool
) -> list[FileReport]:
    """Return the diagnoses by the files in which they stand; what stands in none is in the recording's.

    ``in_order`` leaves them in the order in which they were made: a file may then come twice.
    """
    reports: list[FileReport] = []
    known: dict[str, FileReport] = {}
    sources: dict[str, list[str]] = {}
    for one in said:
        path = _from_here(one.path) if one.path else ""
        if path and path not in sources:
            sources[path] = _lines(path, ended)
        report = known.get(path)
        if report is None or (in_order and reports[-1] is not report):
            report = known[path] = FileReport(path or file)
            reports.append(report)
        report.diagnoses.append(_placed(one, path, sources.get(path, ()), report))
    return reports


def _from_here(path: str) -> str:
    """Return a path as a person would write it: relative where it lies below the current folder."""
    return (below_here(path) or path) if os.path.isabs(path) else path


def _lines(path: str, ended: float) -> list[str]:
    """Return the lines of a file, if it is still what it was when the training ended."""
    try:
        if os.path.getmtime(path) > ended:
            return []
        with open(path, encoding="utf-8") as source:
            return source.read().splitlines()
    except (OSError, ValueError):
        return []


def _placed(one: Diagnosis, path: str, lines: Sequence[str], report: FileReport) -> Diagnosis:
    """Return a diagnosis that marks the whole line, and keep that line and those around it."""
    line = one.span.line
    if not 1 <= line <= len(lines):
        return replace(one, path=path)
    for number in range(max(1, line - CONTEXT), min(len(lines), line + CONTEXT) + 1):
        report.lines[number] = lines[number - 1]
    text = lines[line - 1]
    first = len(text) - len(text.lstrip()) + 1
    return replace(one, path=path, span=Span(line, first, line, max(first, len(text.rstrip()) + 1)))
