"""Rules as an earlier run knew them: their modules are imported when one of their halves runs.

Importing all modules of rules takes longer than all the rest of a run in which nothing has changed.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainlint.core.diagnosis import Severity
from trainlint.core.fix import Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.rule import Detector


class KeptRule(Rule):
    """A rule made of what :func:`record` has said of it."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._module: str = record["module"]
        super().__init__(
            self._module,
            record["code"],
            Severity(record["severity"]),
            fixable=None if record["fixable"] is None else Safety(record["fixable"]),
            judges_configs=record["judges_configs"],
            explained_by=tuple(record["explained_by"]),
        )
        self.summary = record["summary"]
        self._parameters_kept: dict[str, Any] | None = record["check"]
        self._fields_kept: dict[str, Any] | None = record["detector"]
        self._needs_kept = tuple(record["needs"])

    def load(self) -> None:
        """Import the module, before processes that share what is imported begin."""
        if self.has_check:
            self._rule  # noqa: B018 - asked for what it does

    @cached_property
    def _rule(self) -> Rule:
        """The rule of the module."""
        rule = import_module(self._module).rule
        assert isinstance(rule, Rule)
        return rule

    @property
    def has_check(self) -> bool:
        """Say whether the rule has a static half."""
        return self._parameters_kept is not None

    @property
    def has_detector(self) -> bool:
        """Say whether the rule has a run-time half."""
        return self._fields_kept is not None

    @property
    def needs(self) -> tuple[str, ...]:
        """The signals that the run-time half needs."""
        return self._needs_kept

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The keyword-only parameters of the check, with their defaults."""
        return self._parameters_kept or {}

    @property
    def detector_fields(self) -> Mapping[str, Any]:
        """The thresholds of the run-time half, with their defaults."""
        return self._fields_kept or {}

    def diagnose(self, file: object, thresholds: Mapping[str, Any]) -> Iterable[Diagnosis]:
        """Yield the diagnoses of the static half; nothing where the rule has none."""
        return self._rule.diagnose(file, thresholds) if self.has_check else ()

    def new_detector(self, thresholds: Mapping[str, Any]) -> Detector:
        """Make a detector that has seen nothing yet; thresholds of the check are left alone."""
        return self._rule.new_detector(thresholds)


def record(rule: Rule) -> dict[str, Any]:
    """Return what is known of a rule without running it, as JSON has it if its thresholds are plain."""
    return {
        "module": f"{rule.package}.{rule.family}.{rule.name.replace('-', '_')}",
        "code": rule.code,
        "severity": rule.severity,
        "fixable": rule.fixable,
        "judges_configs": rule.judges_configs,
        "explained_by": rule.explained_by,
        "summary": rule.summary,
        "check": dict(rule.parameters) if rule.has_check else None,
        "detector": dict(rule.detector_fields) if rule.has_detector else None,
        "needs": rule.needs,
    }
