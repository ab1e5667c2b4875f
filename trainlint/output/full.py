"""The format `full`: every diagnosis with its code frame, its remedy, its fix and where to read more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.site import page_url
from trainlint.output import fixes, moments
from trainlint.output.frame import frame
from trainlint.output.style import Style, printable
from trainlint.output.text import closing, header, statistics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.output.formats import Linted

__all__ = ["render", "statistics"]


def render(linted: Linted) -> Iterator[str]:
    """Yield every diagnosis with its code frame, its remedy, and its fix if it has one."""
    style = Style(linted.colours)
    for report in linted.reports:
        for diagnosis in report.diagnoses:
            yield header(diagnosis, style, unsafe=linted.unsafe)
            yield f"  {printable(diagnosis.message)}"
            rule = linted.catalogue.find(diagnosis.rule)
            more = (rule and page_url(rule)) or f"trainlint rule {diagnosis.rule}"
            notes = [
                f"{style.paint(f'{word}:', 'bold')} {printable(said)}"
                for word, said in (moments.notes(diagnosis.moment) if diagnosis.moment else ())
            ]
            notes += [
                f"{style.paint('remedy:', 'bold')} {printable(diagnosis.remedy)}",
                style.paint(f"read more: {more}", "dim"),
            ]
            yield from frame(diagnosis, report, style, notes)
            yield from fixes.shown(diagnosis, report, style)
            yield ""
    yield from closing(linted, style)
