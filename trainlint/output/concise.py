"""The format `concise`: one line for every diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.output.style import Style, printable
from trainlint.output.text import closing, header, statistics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.output.formats import Linted

__all__ = ["render", "statistics"]


def render(linted: Linted) -> Iterator[str]:
    """Yield one line for every diagnosis."""
    style = Style(linted.colours)
    for report in linted.reports:
        for diagnosis in report.diagnoses:
            yield f"{header(diagnosis, style, unsafe=linted.unsafe)}: {printable(diagnosis.message)}"
    yield from closing(linted, style)
