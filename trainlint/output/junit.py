"""The format `junit`: a suite of tests for every file, in which each diagnosis is one that failed."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from trainlint.output.moments import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.report import FileReport
    from trainlint.output.formats import Linted

PACKAGE: Final = "org.trainlint"

_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(linted: Linted) -> Iterator[str]:
    """Yield the document; a failure of linting is an error of a test, as JUnit tells the two apart."""
    told = [one for one in linted.reports if one.diagnoses or one.failures]
    failed = sum(len(one.diagnoses) for one in told)
    lost = sum(len(one.failures) for one in told)
    counts = _counts((failed + lost) or 1, failed, lost)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites name="trainlint" {counts}>'
    for report in told:
        yield from _suite(report)
    if not told:
        # A report without a test is taken for a step that did not run.
        yield f'    <testsuite name="trainlint" {counts} package="{PACKAGE}">'
        yield '        <testcase name="No diagnoses" classname="trainlint"/>'
        yield "    </testsuite>"
    yield "</testsuites>"


def _suite(report: FileReport) -> Iterator[str]:
    """Yield the suite of a file."""
    failed, lost = len(report.diagnoses), len(report.failures)
    name = _attribute(report.path)
    yield f'    <testsuite name={name} {_counts(failed + lost, failed, lost)} package="{PACKAGE}">'
    for one in report.diagnoses:
        span = one.span.in_file
        place = f' line="{span.line}" column="{span.column}"'
        said = told(one)
        if not one.span.prefix and one.moment is None:
            said = f"line {span.line}, col {span.column}, {said}"
        if not one.path:
            place = ""
        yield from _case(report, one.code, place, one.severity, "failure", one.message, said)
    for failure in report.failures:
        line = failure.line_in_file
        place = "" if line is None else f' line="{line}"'
        said = str(failure)
        yield from _case(report, "failure", place, "error", "error", failure.reason, said)
    yield "    </testsuite>"


def _case(
    report: FileReport, code: str, place: str, severity: str, tag: str, message: str, said: str
) -> Iterator[str]:
    """Yield a test that did not pass."""
    classname = _attribute(os.path.splitext(report.path)[0])
    yield f'        <testcase name="{PACKAGE}.{code}" classname={classname}{place}>'
    yield "            <properties>"
    yield f'                <property name="severity" value="{severity}"/>'
    yield "            </properties>"
    yield f"            <{tag} message={_attribute(message)}>{_ascii(escape(_clean(said)))}</{tag}>"
    yield "        </testcase>"


def _counts(tests: int, failures: int, errors: int) -> str:
    """Return the attributes that count."""
    return f'tests="{tests}" skipped="0" failures="{failures}" errors="{errors}"'


def _attribute(text: str) -> str:
    """Return a text in quotes."""
    return _ascii(quoteattr(_clean(text)))


def _clean(text: str) -> str:
    """Return a text without the characters that no XML may hold."""
    return _NOT_XML.sub("\ufffd", text)


def _ascii(text: str) -> str:
    """Return a text that is the same in any encoding the output may have."""
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
