"""The format `json-lines`: an object on each line, to be read while it is written.

Each has ``version`` and ``type``: a ``diagnosis``, a ``failure`` or, with --show-unresolved, an
``unresolved``. The other keys are those of the lists of these names in the format `json`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trainlint.output.json_format import VERSION, diagnosis, failure, unresolved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.output.formats import Linted


def render(linted: Linted) -> Iterator[str]:
    """Yield one line for everything that is told, file by file."""
    for report in linted.reports:
        for one in report.diagnoses:
            yield _line("diagnosis", diagnosis(one, report, linted.page(one.rule)))
        for lost in report.failures:
            yield _line("failure", failure(lost))
        if linted.unresolved:
            for expression in report.unresolved:
                yield _line("unresolved", unresolved(expression))


def _line(kind: str, told: dict[str, Any]) -> str:
    """Return an object as one line of ASCII."""
    return json.dumps({"version": VERSION, "type": kind, **told}, separators=(",", ":"))
