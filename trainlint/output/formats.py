"""The output formats of diagnoses, by name; the module of one is imported when it is used."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Final

from trainlint.core.errors import UserError
from trainlint.core.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainlint.core.catalogue import Catalogue
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.page import Page
    from trainlint.core.report import FileReport


@immutable
class Format:
    """One way to write what was found.

    Its module in ``trainlint.output`` has a function ``render``, which yields the lines, and a
    function ``statistics``, where there is a form of them; both take a :class:`Linted`.
    """

    name: str
    module: str
    summary: str
    statistics: bool = False
    unresolved: bool = False
    """Whether it can show what could not be followed."""
    for_people: bool = False
    """Whether people read it, so that it ends with a line that counts."""


_PEOPLE: Final = {"unresolved": True, "for_people": True}

FORMATS: Final = {
    form.name: form
    for form in (
        Format("full", "full", "each diagnosis with its code", statistics=True, **_PEOPLE),
        Format("concise", "concise", "a line for each diagnosis", statistics=True, **_PEOPLE),
        Format("grouped", "grouped", "the same under the name of each file", **_PEOPLE),
        Format("json", "json_format", "one JSON document", statistics=True, unresolved=True),
        Format("json-lines", "json_lines", "a JSON object on each line", unresolved=True),
        Format("junit", "junit", "the XML of test results"),
        Format("github", "github", "annotations of a GitHub workflow"),
        Format("gitlab", "gitlab", "GitLab's code quality report"),
        Format("azure", "azure", "annotations of an Azure pipeline"),
        Format("sarif", "sarif", "SARIF 2.1.0, as GitHub's code scanning takes it"),
        Format("rdjson", "rdjson", "reviewdog's JSON"),
        Format("pylint", "pylint", "pylint's text"),
    )
}
DEFAULT: Final = "full"


@immutable
class Linted:
    """What linting gave, and how it is to be shown."""

    reports: Sequence[FileReport]
    catalogue: Catalogue
    colours: bool = False
    unresolved: bool = False
    """Whether to show what could not be followed."""
    summary: bool = True
    """Whether to end with a line that counts, in the formats for people."""
    alone: bool = False
    """Whether this is written where the error output, which tells of failures, is not seen."""
    unsafe: bool = False
    """Whether unsafe fixes are, or would be, made, too."""
    fixed: Sequence[tuple[str, Sequence[Diagnosis]]] | None = None
    """What has been fixed in which files; None where no fixes were asked for."""
    show_fixed: bool = False
    """Whether the formats for people list what has been fixed."""
    steps: int | None = None
    """How many steps of a training were looked at, where it was no files."""

    @cached_property
    def _pages(self) -> dict[str, Page | None]:
        """The pages that have been read."""
        return {}

    def page(self, name: str) -> Page | None:
        """Return the page of a rule, or None where it has none; each is read once."""
        if name not in self._pages:
            from trainlint.core.page import read_page  # noqa: PLC0415 - only where it is used

            rule = self.catalogue.find(name)
            self._pages[name] = None if rule is None else read_page(rule)
        return self._pages[name]


def refuse(name: str, *, statistics: bool, unresolved: bool) -> None:
    """Raise a :class:`UserError` where a format cannot show what is asked of it."""
    form = FORMATS[name]
    if statistics and not form.statistics:
        msg = f"--statistics has no {name} format"
        raise UserError(msg)
    if unresolved and not form.unresolved:
        msg = f"--show-unresolved has no {name} format"
        raise UserError(msg)
    if statistics and unresolved and name == "json":
        msg = "--statistics and --show-unresolved exclude each other in the json format"
        raise UserError(msg)


def render(name: str, linted: Linted, *, statistics: bool = False) -> Iterator[str]:
    """Yield the lines of a format."""
    module = import_module(f"trainlint.output.{FORMATS[name].module}")
    lines: Iterator[str] = (module.statistics if statistics else module.render)(linted)
    return lines
