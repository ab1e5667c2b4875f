"""A rule as the text of its module tells it: the module is imported when one of its halves runs.

Importing all modules of rules takes longer than linting a file, and most runs need a part of them.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.diagnosis import Severity
from trainlint.core.fix import Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.rule import Detector

_QUOTES: Final = '"""'
_MADE: Final = "\nrule = "
_CHECK: Final = "\n@rule.check\n"
_DETECTOR: Final = "\n@rule.detector\n"


class WrittenRule(Rule):
    """A rule that is made as its module makes it, in which nothing is yet what its halves are."""

    _module = ""
    _with_check = False
    _with_detector = False

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
        return self._with_check

    @property
    def has_detector(self) -> bool:
        """Say whether the rule has a run-time half."""
        return self._with_detector

    @property
    def needs(self) -> tuple[str, ...]:
        """The signals that the run-time half needs."""
        return self._rule.needs

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The keyword-only parameters of the check, with their defaults."""
        return self._rule.parameters

    @property
    def detector_fields(self) -> Mapping[str, Any]:
        """The thresholds of the run-time half, with their defaults."""
        return self._rule.detector_fields

    def diagnose(
        self,
        file: object,
        thresholds: Mapping[str, Any],
        target_torch: tuple[int, ...] | None = None,
    ) -> Iterable[Diagnosis]:
        """Yield the diagnoses of the static half; nothing where the rule has none."""
        return self._rule.diagnose(file, thresholds, target_torch) if self.has_check else ()

    def new_detector(self, thresholds: Mapping[str, Any]) -> Detector:
        """Make a detector that has seen nothing yet; thresholds of the check are left alone."""
        return self._rule.new_detector(thresholds)


def written_rule(module: str, text: str) -> WrittenRule | None:
    """Return the rule of a module of ours, of which ``text`` is the source; None where it must be imported.

    The text is as the formatter leaves it: the docstring first, ``rule = Rule(…)`` at the start of a
    line, and a decorator above each half.
    """
    start = text.find(_MADE) + len(_MADE)
    if not text.startswith(_QUOTES) or start < len(_MADE):
        return None
    end = text.index("\n", start)
    if text[end - 1] != ")":
        end = text.find("\n)\n", end) + len("\n)")
    has_check, has_detector = _CHECK in text, _DETECTOR in text
    if not (has_check or has_detector) and "rule" in text[end:]:
        return None
    names = {"Rule": WrittenRule, "Severity": Severity, "Safety": Safety, "__name__": module}
    try:
        rule = eval(text[start:end], {"__builtins__": {}}, names)  # noqa: S307 - importing would run it, too
    except (SyntaxError, NameError, AttributeError, TypeError):
        return None
    if not isinstance(rule, WrittenRule):
        return None
    rule.summary = text[len(_QUOTES) : text.index("\n")].removesuffix(_QUOTES)
    rule._module, rule._with_check, rule._with_detector = module, has_check, has_detector  # noqa: SLF001
    return rule
