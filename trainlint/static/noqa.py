"""Silence what is found with `# noqa` comments, as `--add-noqa` does: to begin anew in an old project."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from trainlint.core.atomic import ReplaceError, replace_file
from trainlint.core.fix import Edit, Fix, Safety, apply_fixes
from trainlint.core.report import Failure
from trainlint.static.fixer import rewritable
from trainlint.static.source import SourceError, read_bytes
from trainlint.static.suppress import UNUSED, Suppressions, lines_that_silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.report import FileReport
    from trainlint.static.source import SourceFile

_PLACES: Final = ("lineno", "col_offset", "end_lineno", "end_col_offset")


@dataclass(slots=True)
class Silenced:
    """What adding comments to files has come to."""

    comments: int = 0
    files: int = 0
    left: list[Diagnosis] = field(default_factory=list)
    """What no comment can silence: no line of its statement has room for one."""
    failures: list[Failure] = field(default_factory=list)
    """The files that could not be read or written."""


def add_noqa(reports: Iterable[FileReport], known: Mapping[str, str], reason: str = "") -> Silenced:
    """Silence diagnoses in the files themselves, each of which is written whole or not at all.

    The ``reason``, one line, stands behind the codes of the comments that are new.
    """
    done = Silenced()
    for report in reports:
        # A comment that silences nothing is to be taken out, not to be silenced by another one.
        wanted = [one for one in report.diagnoses if one.rule != UNUSED]
        if not wanted:
            continue
        try:
            data = read_bytes(report.path)
            source = rewritable(report.path, data)
            after, comments, left = silenced(source, wanted, known, reason)
            if comments:
                replace_file(report.path, data, after.encoded())
        except SourceError as error:
            done.failures.append(Failure(report.path, error.line, error.reason))
        except UnicodeEncodeError as error:
            why = f"is not changed: `{error.encoding}` lacks a character of the reason"
            done.failures.append(Failure(report.path, None, why))
        except ReplaceError as error:
            why = str(error).removeprefix(f"{report.path}: ")
            done.failures.append(Failure(report.path, None, why))
        else:
            done.comments += comments
            done.files += bool(comments)
            done.left += left
    return done


def silenced(
    source: SourceFile, wanted: list[Diagnosis], known: Mapping[str, str], reason: str = ""
) -> tuple[SourceFile, int, list[Diagnosis]]:
    """Return a file with comments added, how many were, and the diagnoses that none can silence."""
    suppressions = Suppressions(source, known)
    closed = _closed_lines(source)
    codes: dict[int, set[str]] = {}
    left = []
    for one in wanted:
        if suppressions.silence(one):
            continue
        line = next((each for each in _lines(source, one) if each not in closed), None)
        if line is None:
            left.append(one)
        else:
            codes.setdefault(line, set()).add(one.code)
    edits = [
        _edit(source, suppressions, line, sorted(each), reason) for line, each in codes.items()
    ]
    fixes = [Fix("Silence", Safety.SAFE, (edit,)) for edit in edits]
    if not fixes:
        return source, 0, left
    text, _ = apply_fixes(source.text, fixes)
    after = source.with_text(text)
    if not _same_program(source, after):
        raise SourceError(source.path, "is not changed: a comment would change the program")
    there = Suppressions(after, known)
    left += [one for one in wanted if one not in left and not there.silence(one)]
    return after, len(fixes), left


def _lines(source: SourceFile, diagnosis: Diagnosis) -> list[int]:
    """Return the lines on which a comment silences a diagnosis: its own first, then the last one."""
    own = diagnosis.span.line
    return [own, *sorted(lines_that_silence(source, diagnosis.span) - {own}, reverse=True)]


def _edit(
    source: SourceFile, suppressions: Suppressions, line: int, codes: list[str], reason: str
) -> Edit:
    """Return the edit that adds codes to the comment of a line, or a comment to the line."""
    shared = suppressions.shared_comment(line)
    if shared is not None:
        end = shared.items[-1].end
        return Edit(end, end, "".join(f", {code}" for code in codes))
    text = source.lines[line - 1]
    start = source.line_starts[line - 1]
    kept = text.rstrip()
    comment = f"  # noqa: {', '.join(codes)} {reason}".rstrip()
    return Edit(start + len(kept), start + len(text), comment)


def _closed_lines(source: SourceFile) -> set[int]:
    """Return the lines at whose end no comment can stand: in a text, or before a backslash."""
    import tokenize  # noqa: PLC0415 - only where it is used

    if source.is_config:
        # JSON has no comments; what else is marked never stands in a text of several lines.
        return set(range(1, len(source.lines) + 1)) if source.path.endswith(".json") else set()
    lines = source.code_lines
    closed = {number for number, line in enumerate(lines, start=1) if line.endswith("\\")}
    opened: list[int] = []
    supply = iter([line + "\n" for line in lines])
    try:
        for token in tokenize.generate_tokens(lambda: next(supply)):
            name = tokenize.tok_name[token.type]
            if name == "COMMENT":
                closed.discard(token.start[0])
            elif name == "STRING":
                closed.update(range(token.start[0], token.end[0]))
            elif name.endswith("STRING_START"):
                opened.append(token.start[0])
            elif name.endswith("STRING_END"):
                closed.update(range(opened.pop(), token.end[0]))
    except (tokenize.TokenError, SyntaxError):
        # The tokenizer refuses what the parser has accepted: a backslash at the end of the file.
        pass
    return closed


def _same_program(one: SourceFile, other: SourceFile) -> bool:
    """Say whether two files have the same syntax tree, with everything at the same place."""
    pairs = zip(_shape(one), _shape(other), strict=False)
    return len(one.lines) == len(other.lines) and all(left == right for left, right in pairs)


def _shape(source: SourceFile) -> Iterator[tuple[object, ...]]:
    """Yield every node of a syntax tree as what it is, without recursion."""
    for node in ast.walk(source.tree):
        plain = (
            value for _, value in ast.iter_fields(node) if not isinstance(value, (ast.AST, list))
        )
        places = (getattr(node, name, None) for name in _PLACES)
        yield (type(node), *map(repr, plain), *places)
