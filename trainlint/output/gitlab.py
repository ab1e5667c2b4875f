"""The format `gitlab`: a code quality report, shown in merge requests."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.diagnosis import Severity
from trainlint.output.fingerprint import fingerprinted, of_failure
from trainlint.output.moments import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.output.formats import Linted

_SEVERITIES: Final = {
    Severity.ERROR: "major",
    Severity.WARNING: "minor",
    Severity.ADVICE: "info",
}


def render(linted: Linted) -> Iterator[str]:
    """Yield the report: a list of issues."""
    issues: list[dict[str, Any]] = []
    for report in linted.reports:
        path = _path(report.path)
        for one, fingerprint in fingerprinted(report, path):
            span = one.span.in_file
            positions = {
                "begin": {"line": span.line, "column": span.column},
                "end": {"line": span.end_line, "column": span.end_column},
            }
            said = told(one)
            issues.append(
                {
                    "check_name": one.code,
                    "description": f"{one.code} {one.rule}: {said}",
                    "severity": _SEVERITIES[one.severity],
                    "fingerprint": fingerprint,
                    "location": {"path": path, "positions": positions},
                }
            )
        issues += [
            {
                "check_name": "failure",
                "description": f"could not be linted: {failure.said}",
                "severity": "critical",
                "fingerprint": of_failure(path, failure.reason),
                "location": {
                    "path": path,
                    "positions": {"begin": {"line": failure.line_in_file or 1, "column": 1}},
                },
            }
            for failure in report.failures
        ]
    yield json.dumps(issues, indent=2)


def _path(path: str) -> str:
    """Return a path as GitLab asks for it: from the top of the repository, with slashes."""
    top = os.environ.get("CI_PROJECT_DIR") or os.curdir
    absolute = os.path.abspath(path)
    try:
        relative = os.path.relpath(absolute, top)
    except ValueError:  # on another drive
        relative = absolute
    if relative.startswith(os.pardir):
        relative = absolute
    return relative.replace(os.sep, "/")
