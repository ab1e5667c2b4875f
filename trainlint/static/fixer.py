"""Make the fixes of diagnoses: in memory over several rounds, then in the file, whole or not at all."""

from __future__ import annotations

import ast
import os
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from trainlint.core.atomic import ReplaceError, replace_file
from trainlint.core.fix import apply_fixes
from trainlint.core.report import Failure, FileReport
from trainlint.static.engine import CollectingRarely, lint_files, lint_source
from trainlint.static.project import Project
from trainlint.static.source import SourceError, SourceFile, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainlint.core.config import Settings
    from trainlint.core.diagnosis import Diagnosis

ROUNDS: Final = 100
"""So often a file is linted anew after a fix, as in ruff: fixes may overlap, or make others possible."""

_PASSES: Final = 10
"""So often all files are gone through: what is mended in one may show something in another."""


@dataclass(slots=True)
class Mended:
    """What fixing made of a file."""

    before: SourceFile
    after: SourceFile
    made: list[Diagnosis] = field(default_factory=list)
    """Those whose fix was made, in the order in which that was done."""
    refused: list[tuple[Diagnosis, str]] = field(default_factory=list)
    """Those whose fix was not made, and why."""
    report: FileReport | None = None
    """What is to be said of the file as it is after that, where that is known."""

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.before.path


@dataclass(slots=True)
class Outcome:
    """What fixing a set of files gave."""

    reports: list[FileReport]
    """What is to be said of all files as they are now."""
    mended: list[Mended] = field(default_factory=list)
    """The files that are, or would be, changed."""
    refused: list[tuple[Diagnosis, str]] = field(default_factory=list)
    """The diagnoses whose fix was not made though it was asked for, and why."""

    @property
    def made(self) -> int:
        """How many diagnoses are fixed."""
        return sum(len(one.made) for one in self.mended)


def mend(
    source: SourceFile,
    settings: Settings,
    project: Project,
    *,
    unsafe: bool,
    unresolved: bool = False,
    first: FileReport | None = None,
) -> Mended:
    """Make the fixes of one file in memory; ``first`` is what was said of it, if that is known.

    In each round the fixes of one rule are made, then the file is linted anew: of what two rules say of
    one place the fix of the first may mend both, and a fix is never made to a text it was not made for.
    """
    mended = Mended(source, source)
    seen = {source.text}
    project.replace(source)
    report = first if first is not None and _is_about(first, source) else None
    for _ in range(ROUNDS):
        if report is None:
            report = lint_source(mended.after, settings, project=project, unresolved=unresolved)
        wanted = [one for one in report.diagnoses if one.is_mended(unsafe=unsafe)]
        mended.refused.clear()
        if not _make_one_round(mended, wanted):
            mended.report = report
            break
        report = None
        project.replace(mended.after)
        if mended.after.text in seen:
            why = "and the fixes of other rules undo each other"
            mended.refused = [(one, why) for one in mended.made]
            mended.after, mended.made = source, []
            project.replace(source)
            break
        seen.add(mended.after.text)
    return mended


def _is_about(report: FileReport, source: SourceFile) -> bool:
    """Say whether a report is one of a text: the lines of its places and edits are there, where it says."""
    lines, starts = source.lines, source.line_starts
    return all(
        number <= len(lines)
        and (lines[number - 1], starts[number - 1]) == (line, report.starts.get(number))
        for number, line in report.lines.items()
    )


def fix_files(
    paths: Sequence[str],
    settings: Settings,
    reports: Sequence[FileReport],
    *,
    unsafe: bool,
    write: bool,
    unresolved: bool = False,
) -> Outcome:
    """Make the fixes of files, given what linting them has said; ``write`` them, or only show them.

    Each file is mended with the others as its context, which never change by it. After each pass those
    are linted again of which the fixes of others may have changed what is to be said.
    """
    mended: dict[str, Mended] = {}
    refused: list[tuple[Diagnosis, str]] = []
    failures: dict[str, Failure] = {}
    left: set[str] = set()
    project = Project(paths)
    known = {report.path: report for report in reports}
    absolute = {path: os.path.abspath(path) for path in paths}
    with CollectingRarely() as garbage:
        for _ in range(_PASSES):
            outdated: set[str] = set()
            for path in paths:
                wanted = [one for one in known[path].diagnoses if one.is_mended(unsafe=unsafe)]
                if not wanted or path in left:
                    continue
                garbage.add(path)
                try:
                    result = _fix_file(
                        path,
                        settings,
                        project,
                        mended,
                        unsafe=unsafe,
                        write=write,
                        unresolved=unresolved,
                        first=None if absolute[path] in outdated else known[path],
                    )
                except (SourceError, ReplaceError) as error:
                    left.add(path)
                    failures[path] = _failure(path, error)
                    continue
                refused += result.refused
                if result.made:
                    outdated |= project.hanging_on(path, result.before.text)
                if result.report is not None:
                    known[path] = result.report
                    outdated.discard(absolute[path])
                if not result.made:
                    left.add(path)
                    continue
                earlier = mended.get(path)
                if earlier is not None:
                    result.before, result.made = earlier.before, [*earlier.made, *result.made]
                mended[path] = result
            if not outdated:
                break
            again = [path for path in paths if absolute[path] in outdated]
            for report in lint_files(again, settings, unresolved=unresolved, project=project):
                known[report.path] = report
    project.close()
    for path, failure in failures.items():
        known[path].failures.append(failure)
    reported = [known.get(report.path, report) for report in reports]
    return Outcome(reported, [mended[path] for path in paths if path in mended], refused)


def fix_bytes(
    path: str, data: bytes, settings: Settings, *, unsafe: bool, unresolved: bool = False
) -> tuple[bytes, Outcome]:
    """Make the fixes of a file that was read already; return its bytes, unchanged where it is no Python."""
    project = Project([path])
    try:
        source = rewritable(path, data)
        mended = mend(source, settings, project, unsafe=unsafe)
    except SourceError as error:
        return data, Outcome([FileReport(path, failures=[_failure(path, error)])])
    report = lint_source(mended.after, settings, unresolved=unresolved)
    made = [mended] if mended.made else []
    return mended.after.encoded(), Outcome([report], made, mended.refused)


def _fix_file(
    path: str,
    settings: Settings,
    project: Project,
    mended: dict[str, Mended],
    *,
    unsafe: bool,
    write: bool,
    unresolved: bool,
    first: FileReport | None,
) -> Mended:
    """Make the fixes of one file, and write it; raise `SourceError` or `ReplaceError` if it cannot be."""
    earlier = mended.get(path)
    if earlier is None or write:
        data = read_bytes(path)
        source = rewritable(path, data)
    else:
        source = earlier.after.with_text(earlier.after.text)
    result = mend(source, settings, project, unsafe=unsafe, unresolved=unresolved, first=first)
    if result.made and write:
        try:
            replace_file(path, data, result.after.encoded())
        except ReplaceError:
            project.replace(source.with_text(source.text))
            raise
    return result


def rewritable(path: str, data: bytes) -> SourceFile:
    """Parse the bytes of a file, which must come out the same when they are written again."""
    source = SourceFile.from_bytes(path, data)
    try:
        same = source.encoded() == data
    except UnicodeError:
        same = False
    if not same:
        reason = f"is not changed: `{source.encoding}` does not give the same bytes back"
        raise SourceError(path, reason)
    return source


def _failure(path: str, error: SourceError | ReplaceError) -> Failure:
    """Return what could not be done to a file."""
    if isinstance(error, SourceError):
        return Failure(path, error.line, error.reason, error.cell)
    return Failure(path, None, str(error).removeprefix(f"{path}: "))


def _make_one_round(mended: Mended, wanted: list[Diagnosis]) -> bool:
    """Make the fixes of the first rule of which one can be made; say whether there was one."""
    for rule in dict.fromkeys(one.rule for one in wanted):
        of_rule = [one for one in wanted if one.rule == rule]
        # All at once, or, if that breaks the file, those that do not.
        for group in (of_rule, *([one] for one in of_rule if len(of_rule) > 1)):
            try:
                after, made = _with_fixes(mended, group)
            except _BrokenError as error:
                if len(group) == 1:
                    mended.refused.append((group[0], str(error)))
                continue
            if made:
                mended.after = after
                mended.made += made
                return True
    return False


class _BrokenError(Exception):
    """Fixes would break the file; the message says how."""


def _with_fixes(mended: Mended, group: list[Diagnosis]) -> tuple[SourceFile, list[Diagnosis]]:
    """Return the file with fixes made, and those that were: none where nothing would change."""
    source = mended.after
    fixes = [one.fix for one in group if one.fix is not None]
    text, refused = apply_fixes(source.text, fixes)
    if text == source.text:
        return source, []
    try:
        after = source.with_text(text)
        after.encoded()
    except SourceError as error:
        msg = f"would break the file ({error.reason})"
        raise _BrokenError(msg) from error
    except UnicodeEncodeError as error:
        msg = f"has a character that `{source.encoding}` lacks"
        raise _BrokenError(msg) from error
    said = next(_refusals(after), None)
    if said is not None and next(_refusals(mended.before), None) is None:
        msg = f"would break the file ({said})"
        raise _BrokenError(msg)
    return after, [one for one in group if not any(one.fix is other for other in refused)]


def _refusals(source: SourceFile) -> Iterator[str]:
    """Yield why Python does not compile a file that it parses: a `return` outside of a function."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if source.cells else 0
            compile(source.tree, source.path, "exec", flags, dont_inherit=True)
    except SyntaxError as error:
        yield f"syntax error: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        yield str(error)
