r"""The diagnoses of an old project that are known and not shown: a file that the project keeps.

The file is JSON: how often each rule speaks of which code in which file. Line numbers are not in it,
so it stays right when code moves; of code that spans lines the first one counts, with one space for
each stretch of white space. Paths are relative to the file's folder, with `/` between their parts::

    {
      "version": 1,
      "diagnoses": {
        "src/train.py": {
          "missing-zero-grad": {
            "optimizer.step()": 2
          }
        }
      }
    }
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from trainlint.core.atomic import create_file, replace_file
from trainlint.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trainlint.core.config import Settings
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.report import FileReport

VERSION: Final = 1


class BaselineError(UserError):
    """A baseline cannot be used; the message says which and why."""


class Entry(NamedTuple):
    """Diagnoses that look alike: of one rule, about the same code of one file."""

    path: str
    """Relative to the folder of the baseline, with `/` between its parts."""
    rule: str
    code_text: str


@dataclass(slots=True)
class Baseline:
    """How many diagnoses of each kind are known."""

    path: str
    counts: Counter[Entry] = field(default_factory=Counter)
    data: bytes | None = None
    """What the file holds; None where there is none yet."""

    @classmethod
    def read(cls, path: str) -> Baseline:
        """Read a baseline; raise :class:`BaselineError` where it is none."""
        try:
            with open(path, "rb") as stream:
                data = stream.read()
        except OSError as error:
            hint = "; --write-baseline makes it" if isinstance(error, FileNotFoundError) else ""
            msg = f"{path}: cannot be read: {error.strerror or error}{hint}"
            raise BaselineError(msg) from error
        return cls(path, Counter(dict(_entries(path, data))), data)

    def hide(self, reports: Iterable[FileReport]) -> list[FileReport]:
        """Return the reports without what is known; of more of a kind the last ones are new."""
        return [replace(report, diagnoses=list(self._new(report))) for report in reports]

    def _new(self, report: FileReport) -> Iterator[Diagnosis]:
        """Yield the diagnoses of a file that are not known."""
        seen: Counter[Entry] = Counter()
        for one in report.diagnoses:
            entry = self._entry(one, report)
            seen[entry] += 1
            if seen[entry] > self.counts[entry]:
                yield one

    def stale(self, reports: Iterable[FileReport], settings: Settings) -> Counter[Entry]:
        """Return what is known but no longer there, as far as the reports can tell.

        Nothing is said of files that were not or could not be linted but are there, and of rules that
        are off.
        """
        found, linted = self._found(reports)
        stale: Counter[Entry] = Counter()
        for entry, number in self.counts.items():
            if self._is_judged(entry, linted, settings):
                stale[entry] = max(0, number - found[entry])
        return +stale

    def updated(self, stale: Counter[Entry]) -> Baseline:
        """Return the baseline without what is stale."""
        return replace(self, counts=self.counts - stale)

    def anew(self, reports: Iterable[FileReport], settings: Settings) -> Baseline:
        """Return a baseline of what the reports say; of what they do not judge it says what it said."""
        found, linted = self._found(reports)
        kept = {
            entry: number
            for entry, number in self.counts.items()
            if not self._is_judged(entry, linted, settings)
        }
        return replace(self, counts=found + Counter(kept))

    def write(self) -> None:
        """Write the file, if it does not hold that already."""
        data = self._as_bytes()
        if self.data is None:
            create_file(self.path, data)
        elif data != self.data:
            replace_file(self.path, self.data, data)

    def _as_bytes(self) -> bytes:
        """Return what the file is to hold: the same bytes for the same counts."""
        import json  # noqa: PLC0415 - only where it is used

        diagnoses: dict[str, dict[str, dict[str, int]]] = {}
        for entry, number in sorted(self.counts.items()):
            of_file = diagnoses.setdefault(entry.path, {})
            of_file.setdefault(entry.rule, {})[entry.code_text] = number
        document = {"version": VERSION, "diagnoses": diagnoses}
        # ASCII, so that any path survives any encoding.
        return (json.dumps(document, indent=2) + "\n").encode()

    def _found(self, reports: Iterable[FileReport]) -> tuple[Counter[Entry], dict[str, str]]:
        """Count the diagnoses of reports; return the files that were linted, by their paths in here."""
        found: Counter[Entry] = Counter()
        linted = {}
        for report in reports:
            if not report.failures:
                linted[self._relative(report.path)] = report.path
                found.update(self._entry(one, report) for one in report.diagnoses)
        return found, linted

    def _is_judged(self, entry: Entry, linted: dict[str, str], settings: Settings) -> bool:
        """Say whether a run can tell if an entry still holds."""
        if entry.rule not in settings.known:
            return True
        path = linted.get(entry.path)
        if path is None:
            return not os.path.lexists(os.path.join(self._folder, entry.path))
        return any(rule.name == entry.rule for rule in settings.of(path).rules_for(path))

    @property
    def _folder(self) -> str:
        """The folder to which the paths are relative."""
        return os.path.dirname(os.path.abspath(self.path))

    def _relative(self, path: str) -> str:
        """Return a path as it is written in here."""
        absolute = os.path.abspath(path)
        try:
            return os.path.relpath(absolute, self._folder).replace(os.sep, "/")
        except ValueError:  # on another drive
            return absolute.replace(os.sep, "/")

    def _entry(self, diagnosis: Diagnosis, report: FileReport) -> Entry:
        """Return the kind of a diagnosis."""
        span = diagnosis.span
        line = report.lines.get(span.line, "")
        end = span.end_column - 1 if span.end_line == span.line else len(line)
        text = " ".join(line[span.column - 1 : end].split())
        return Entry(self._relative(report.path), diagnosis.rule, text)


def _entries(path: str, data: bytes) -> Iterator[tuple[Entry, int]]:
    """Yield what the bytes of a baseline say."""
    import json  # noqa: PLC0415 - only where it is used

    try:
        document = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        msg = f"{path}: is no baseline: it is not UTF-8"
        raise BaselineError(msg) from error
    except (ValueError, RecursionError) as error:
        msg = f"{path}: is no baseline: it is no valid JSON: {error}"
        raise BaselineError(msg) from error
    if not isinstance(document, dict) or "version" not in document:
        msg = f"{path}: is no baseline: it has no `version`"
        raise BaselineError(msg)
    if type(document["version"]) is not int or document["version"] != VERSION:
        found = json.dumps(document["version"])
        msg = f"{path}: is a baseline of version {found}; this trainlint knows version {VERSION}"
        raise BaselineError(msg)
    for file, rules in _members(path, document, "diagnoses"):
        for rule, texts in _members(path, {file: rules}, file):
            for text, number in _members(path, {rule: texts}, rule):
                if type(number) is not int or number < 1:
                    what = f"`{text}` of {rule} in {file}"
                    msg = f"{path}: is no baseline: the number of {what} is {json.dumps(number)}"
                    raise BaselineError(msg)
                yield Entry(file, rule, text), number


def _members(path: str, table: dict[str, object], key: str) -> Iterator[tuple[str, object]]:
    """Yield the members of an object inside an object of the JSON."""
    value = table.get(key)
    if not isinstance(value, dict):
        msg = f"{path}: is no baseline: `{key}` is no object"
        raise BaselineError(msg)
    yield from value.items()
