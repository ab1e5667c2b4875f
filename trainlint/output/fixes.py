"""What the texts for people say of fixes: the mark, the preview, how many there are, what was fixed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from trainlint.core.fix import Safety
from trainlint.output.style import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.report import FileReport
    from trainlint.output.style import Style

MARK: Final = "[*]"
"""Stands behind the code of a diagnosis whose fix `--fix` makes, as in ruff."""


def shown(diagnosis: Diagnosis, report: FileReport, style: Style) -> Iterator[str]:
    """Yield the title of the fix of a diagnosis and what it changes; nothing where there is none."""
    fix = diagnosis.fix
    if fix is None:
        return
    from trainlint.output.diff import preview  # noqa: PLC0415 - only where there is one

    unsafe = (
        "" if fix.safety is Safety.SAFE else " (unsafe: it changes the training or its checkpoints)"
    )
    yield f"{style.paint('fix:', 'bold')} {printable(fix.title)}{unsafe}"
    yield from preview(report, fix, style)


def available(
    reports: Sequence[FileReport], *, unsafe: bool = False, made: bool = False
) -> Iterator[str]:
    """Yield the line that says how many diagnoses have a fix, and how it is made; nothing if none has.

    ``unsafe`` says whether unsafe fixes are made, too; ``made`` whether fixes were made just now.
    """
    safe, other = _count(reports)
    if unsafe:
        safe, other = safe + other, 0
    if made:
        safe = 0  # what is left of these could not be made
    also = f"{_unsafe_fixes(other)} available with `--fix --unsafe-fixes`" if other else ""
    if safe:
        option = "--fix --unsafe-fixes" if unsafe else "--fix"
        yield f"{MARK} {safe} fixable with `{option}`" + (f" ({also})." if also else ".")
    elif also:
        yield f"{also}."


def listed(fixed: Iterable[tuple[str, Sequence[Diagnosis]]]) -> Iterator[str]:
    """Yield what has been fixed in each file: how often which rule."""
    files = list(fixed)
    yield f"Fixed {diagnoses(sum(len(one) for _, one in files))}:"
    for path, made in files:
        yield f"- {printable(path)}:"
        counts = Counter((one.code, one.rule) for one in made)
        for (code, rule), number in counts.items():
            yield f"    {number} × {code} ({rule})"
    yield ""


def only(
    reports: Sequence[FileReport], number: int, *, unsafe: bool = False, would: bool = False
) -> str:
    """Return the line that says how many were fixed, or ``would`` be, where nothing else is said."""
    _, other = _count(reports)
    also = f" ({_unsafe_fixes(other)} available with `--unsafe-fixes`)" if other else ""
    also = "" if unsafe else also
    if not number:
        return f"No diagnosis {'would be' if would else 'was'} fixed{also}."
    return f"{'Would fix' if would else 'Fixed'} {diagnoses(number)}{also}."


def diagnoses(number: int) -> str:
    """Return a number of diagnoses in words."""
    return "1 diagnosis" if number == 1 else f"{number} diagnoses"


def _count(reports: Sequence[FileReport]) -> tuple[int, int]:
    """Count the diagnoses with a safe fix, and those with an unsafe one."""
    fixes = [one.fix for report in reports for one in report.diagnoses if one.fix is not None]
    safe = sum(one.safety is Safety.SAFE for one in fixes)
    return safe, len(fixes) - safe


def _unsafe_fixes(number: int) -> str:
    """Return a number of unsafe fixes in words."""
    return "1 unsafe fix" if number == 1 else f"{number} unsafe fixes"
