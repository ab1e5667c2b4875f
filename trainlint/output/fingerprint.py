"""What a diagnosis is recognised by from one run to the next, wherever its lines have moved to."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.report import FileReport


def fingerprinted(report: FileReport, path: str) -> Iterator[tuple[Diagnosis, str]]:
    """Yield the diagnoses of a file, each with its fingerprint.

    It is made of the path, the rule, the first and the last line of the marked code (in a training,
    of the layer), and of which one among equals it is; neither of line numbers nor of the words of the
    message.
    """
    seen: Counter[str] = Counter()
    for one in report.diagnoses:
        what = "\0".join((path, one.rule, *_marked(one, report)))
        yield one, _hashed(f"{what}\0{seen[what]}")
        seen[what] += 1


def of_failure(path: str, reason: str) -> str:
    """Return the fingerprint of something that could not be linted."""
    return _hashed(f"{path}\0failure\0{reason}")


def _marked(diagnosis: Diagnosis, report: FileReport) -> tuple[str, str]:
    """Return the marked code in the first and in the last line, without the spaces in it."""
    if diagnosis.moment is not None:
        return diagnosis.moment.layer, ""
    span = diagnosis.span
    first, last = report.lines.get(span.line, ""), report.lines.get(span.end_line, "")
    if span.line == span.end_line:
        first, last = first[span.column - 1 : span.end_column - 1], ""
    else:
        first, last = first[span.column - 1 :], last[: span.end_column - 1]
    return "".join(first.split()), "".join(last.split())


def _hashed(text: str) -> str:
    """Return 32 hexadecimal digits."""
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
