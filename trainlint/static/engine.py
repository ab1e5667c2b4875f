"""Run the rules over source files, one or many, in one process or several."""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from trainlint.core.catalogue import OUR_RULES
from trainlint.core.config import ConfigError
from trainlint.core.diagnosis import Related, Severity
from trainlint.core.report import CONTEXT, Failure, FileReport
from trainlint.static.edits import edited_lines, fitted
from trainlint.static.project import Project
from trainlint.static.source import SourceError, SourceFile
from trainlint.static.suppress import UNUSED, Suppressions, may_be_unused, may_silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trainlint.core.config import Settings
    from trainlint.core.diagnosis import Diagnosis, Span
    from trainlint.core.rule import Rule
    from trainlint.static.graph import Links

TRIGGERS: Final = (
    "torch",
    "keras",
    "tensorflow",
    "lightning",
    "accelerate",
    "backward",
    "optim",
    "train",
    "fit",
)
"""A file without any of these words is about something else: it is parsed, but no rule runs."""

_GARBAGE: Final = 4_000_000
"""After so many characters of source what still refers to itself is collected."""

_MANY_FILES: Final = 200
_MANY_BYTES: Final = 2_000_000
"""From here on the work of a second process outweighs starting it (about 50 ms)."""

_MAX_JOBS: Final = 16

_METHOD: Final = "fork" if sys.platform == "linux" else "spawn"
"""A fork has everything already. macOS has it too, but its libraries do not bear it."""


def lint_source(
    source: SourceFile,
    settings: Settings,
    *,
    unresolved: bool = False,
    project: Project | None = None,
) -> FileReport:
    """Run the rules that are on over one source file, which may import others of a project."""
    report = FileReport(source.path, cells=source.cells)
    report.failures += [one.failure for one in source.failures]
    alone = project is None
    project = project or Project([source.path])
    settings = settings.of(source.path)
    rules = settings.rules_for(source.path)
    found: list[Diagnosis] = []
    if source.is_config:
        rules = tuple(rule for rule in rules if rule.judges_configs)
    checks = [rule for rule in rules if rule.has_check]
    ran = {rule.name for rule in checks}
    if not source.is_config and not any(word in source.text for word in TRIGGERS):
        # Rules of others may be about anything.
        checks = [rule for rule in checks if rule.package != OUR_RULES]
    if checks or unresolved:
        try:
            model = project.adopt(source)
        except Exception as error:  # noqa: BLE001 - one file must not end the run
            report.failures.append(_bug(source.path, "the file could not be understood", error))
            return report
        for rule in checks:
            try:
                thresholds = settings.thresholds.get(rule.name, {})
                found += rule.diagnose(model, thresholds, settings.target_torch)
            except Exception as error:  # noqa: BLE001 - one rule must not end the run
                ran.discard(rule.name)
                report.failures.append(_bug(source.path, f"rule {rule.name} failed", error))
        if unresolved:
            # Only what a rule has asked for can have been in vain.
            report.unresolved = sorted(model.unresolved, key=lambda one: one.span)
    elif not alone:
        project.keep(source)
    found = [one for one in (_at_home(one, source) for one in found) if one is not None]
    report.diagnoses = _judge(source, settings, rules, found, ran)
    report.lines = _excerpt(source, _spans(report.diagnoses, ""))
    for one in report.diagnoses:
        if one.fix is not None:
            kept = edited_lines(source, one.fix, around=CONTEXT)
            report.lines |= {number: source.lines[number - 1] for number in kept}
    report.starts = {number: source.line_starts[number - 1] for number in report.lines}
    for path in {related.path for one in report.diagnoses for related in one.related} - {""}:
        other = project.source(path)
        if other is not None:
            report.others[path] = _excerpt(other, _spans(report.diagnoses, path))
    if alone:
        project.close()
    else:
        project.settle(source.path)
    return report


def lint_file(
    path: str, settings: Settings, *, unresolved: bool = False, project: Project | None = None
) -> FileReport:
    """Read a file and run the rules that are on over it."""
    try:
        source = SourceFile.read(path) if project is None else project.read(path)
    except SourceError as error:
        return _unreadable(error)
    return lint_source(source, settings, unresolved=unresolved, project=project)


def lint_bytes(
    path: str, data: bytes, settings: Settings, *, unresolved: bool = False
) -> FileReport:
    """Run the rules that are on over the bytes of a file."""
    try:
        source = SourceFile.from_bytes(path, data)
    except SourceError as error:
        return _unreadable(error)
    return lint_source(source, settings, unresolved=unresolved)


def lint_files(
    paths: Sequence[str],
    settings: Settings,
    *,
    unresolved: bool = False,
    project: Project | None = None,
    among: Sequence[str] | None = None,
    links: Mapping[str, Links] | None = None,
) -> Iterator[FileReport]:
    """Yield the report of every file, in the order of the paths.

    A ``project`` of the files is one in which some have another text than on disk. ``among`` are all
    files of the project where only some of them are to be linted, and ``links`` what ties these to each
    other, where that is known.
    """
    jobs = min(_jobs(), len(paths))
    if jobs > 1 and _worth_sharing(paths) and (project is None or _METHOD == "fork"):
        if project is not None:
            project.close()
        shared = (settings, unresolved, project or Project(among or paths, links))
        yield from _lint_in_processes(paths, jobs, shared)
    else:
        project = project or Project(among or paths, links)
        with CollectingRarely() as garbage:
            for path in paths:
                yield lint_file(path, settings, unresolved=unresolved, project=project)
                garbage.add(path)
        project.close()


def _unreadable(error: SourceError) -> FileReport:
    """Return the report of a file that is no Python."""
    return FileReport(error.path, failures=[error.failure])


def _judge(
    source: SourceFile,
    settings: Settings,
    rules: Sequence[Rule],
    found: list[Diagnosis],
    ran: set[str],
) -> list[Diagnosis]:
    """Return the diagnoses that are to be shown: in order, once, not silenced, not unasked for."""
    unused_rule = next((rule for rule in rules if rule.name == UNUSED), None)
    if (found and may_silence(source.text)) or (unused_rule and may_be_unused(source.text)):
        suppressions = Suppressions(source, settings.known)
        found = [one for one in found if not suppressions.silence(one)]
        if unused_rule is not None:
            found += suppressions.unused(unused_rule, ran)
    if not found:
        return []
    if settings.severities:
        own = {rule.name: rule.severity for rule in rules}
        found = [settings.judged(one, own.get(one.rule, one.severity)) for one in found]
    wanted = {
        one for one in found if one.severity is not Severity.ADVICE or one.rule in settings.explicit
    }
    return sorted(wanted, key=lambda one: (one.position, one.span, one.message))


def _at_home(diagnosis: Diagnosis, source: SourceFile) -> Diagnosis | None:
    """Return a diagnosis as one of the file that is linted; None where the file has no part in it.

    What hangs on two files may be told of the other one, which is not linted now: then the place in
    this file is the one that is marked. A fix edits this file or none.
    """
    path = source.path
    if diagnosis.path == path:
        fix = diagnosis.fix
        return diagnosis if fix is None else replace(diagnosis, fix=fitted(source, fix))
    here = next((one for one in diagnosis.related if one.path == path), None)
    if here is None:
        return None
    places = [Related(diagnosis.span, diagnosis.label, diagnosis.path)]
    for one in diagnosis.related:
        if one is not here:
            other = one.path or diagnosis.path
            places.append(Related(one.span, one.label, "" if other == path else other))
    fix = diagnosis.fix
    if fix is not None:
        fix = fitted(source, fix) if all(edit.path == path for edit in fix.edits) else None
    return replace(
        diagnosis, path=path, span=here.span, label=here.label, related=tuple(places), fix=fix
    )


def _excerpt(source: SourceFile, spans: Iterable[Span]) -> dict[int, str]:
    """Return the lines that the code frames of some places show."""
    numbers: set[int] = set()
    for span in spans:
        within = range(1, len(source.lines) + 1)
        if span.cell is not None:
            within = range(span.cell.first, span.cell.last + 1)
        for line in (span.line, span.end_line):
            around = range(line - CONTEXT, line + CONTEXT + 1)
            numbers.update(number for number in around if number in within)
    lines = source.lines if numbers else []
    return {number: lines[number - 1] for number in sorted(numbers)}


def _spans(diagnoses: list[Diagnosis], path: str) -> Iterator[Span]:
    """Yield the places that diagnoses mark, in their own file or in the one of a path."""
    for diagnosis in diagnoses:
        if not path:
            yield diagnosis.span
        for related in diagnosis.related:
            if related.path == path:
                yield related.span


def _bug(path: str, what: str, error: Exception) -> Failure:
    """Return the line that says what went wrong in trainlint itself."""
    if isinstance(error, RecursionError):
        return Failure(path, None, "is nested too deeply to be linted")
    message = " ".join(str(error).split())
    said = f"{type(error).__name__}: {message}" if message else type(error).__name__
    bug = f"{what} ({said}); this is a bug of trainlint, the rest went on"
    return Failure(path, None, bug)


class CollectingRarely:
    """Keep the garbage collector from running at random while many short-lived trees are made.

    A tree and the model that is taken apart are freed at once by their reference counts; should a
    rule leave a cycle behind, it is collected after every so many characters of source.
    """

    def __init__(self) -> None:
        self._pending = 0
        self._was_on = gc.isenabled()

    def __enter__(self) -> Self:
        gc.disable()
        gc.freeze()
        return self

    def __exit__(self, *_: object) -> None:
        gc.unfreeze()
        if self._was_on:
            gc.enable()

    def add(self, path: str) -> None:
        """Count a file that has been linted."""
        try:
            self._pending += os.stat(path).st_size
        except OSError:
            return
        if self._pending > _GARBAGE:
            self._pending = 0
            gc.collect()


def _jobs() -> int:
    """Return how many processes may work: `TRAINLINT_JOBS`, or one for each core."""
    wish = os.environ.get("TRAINLINT_JOBS", "")
    if wish:
        if not wish.isdecimal() or int(wish) < 1:
            msg = f"TRAINLINT_JOBS: expects a number of processes, not `{wish}`"
            raise ConfigError(msg)
        return int(wish)
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        cores = os.cpu_count() or 1
    return min(cores, _MAX_JOBS)


def _worth_sharing(paths: Sequence[str]) -> bool:
    """Say whether there is enough work for several processes."""
    if len(paths) > _MANY_FILES:
        return True
    total = 0
    for path in paths:
        try:
            total += os.stat(path).st_size
        except OSError:
            continue
        if total > _MANY_BYTES:
            return True
    return False


_worker: tuple[Settings, bool, Project, CollectingRarely] | None = None


def _lint_in_processes(
    paths: Sequence[str], jobs: int, shared: tuple[Settings, bool, Project]
) -> Iterator[FileReport]:
    """Yield the reports in order while several processes make them."""
    import multiprocessing  # noqa: PLC0415 - 10 ms, and only where there is much to lint
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

    chunk = max(1, min(16, len(paths) // (jobs * 4)))
    if _METHOD == "fork":
        import trainlint.static.model  # noqa: F401, PLC0415 - once for all of them

        settings = shared[0]
        for rule in (rule for one in (settings, *settings.nested.values()) for rule in one.rules):
            rule.load()
    while paths:
        executor = ProcessPoolExecutor(
            jobs, multiprocessing.get_context(_METHOD), _start_worker, shared
        )
        done = 0
        try:
            for report in executor.map(_lint_in_worker, paths, chunksize=chunk):
                done += 1
                yield report
        except BrokenProcessPool:
            if jobs == 1:
                path = paths[done]
                reason = "ended the process that linted it; out of memory?"
                yield FileReport(path, failures=[Failure(path, None, reason)])
                done += 1
            # Of several files under way one is to blame: the rest is linted one by one.
            jobs = chunk = 1
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
        paths = paths[done:]


def _start_worker(
    settings: Settings,
    unresolved: bool,  # noqa: FBT001 - called by name only
    project: Project,
) -> None:
    """Make a process ready for its files."""
    import signal  # noqa: PLC0415

    global _worker  # noqa: PLW0603 - the only place where a worker can keep what all files share
    # Ctrl-C reaches every process of the group; the first one tells the user.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    garbage = CollectingRarely()
    garbage.__enter__()
    _worker = (settings, unresolved, project, garbage)


def _lint_in_worker(path: str) -> FileReport:
    """Lint one file in a process of its own."""
    assert _worker is not None
    settings, unresolved, project, garbage = _worker
    report = lint_file(path, settings, unresolved=unresolved, project=project)
    garbage.add(path)
    return report
