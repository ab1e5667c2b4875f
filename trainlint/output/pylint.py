"""The format `pylint`: `path:line: [code] message`, which most editors and CI services read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.output.moments import prefix
from trainlint.output.style import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.output.formats import Linted


def render(linted: Linted) -> Iterator[str]:
    """Yield one line for every diagnosis and every failure."""
    for report in linted.reports:
        for one in report.diagnoses:
            place = f"{printable(one.path or report.path)}:{one.span.in_file.line}"
            yield f"{place}: [{one.code}] {prefix(one)}{printable(one.message)}"
        for failure in report.failures:
            # Whoever reads this format expects a line.
            place = f"{printable(failure.path)}:{failure.line_in_file or 1}"
            yield f"{place}: [failure] {printable(failure.said)}"
