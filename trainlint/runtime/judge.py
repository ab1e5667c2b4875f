"""Feeds steps to detectors and says what they see, live or from a recording."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trainlint.core.config import Settings
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.rule import Detector, Rule
    from trainlint.runtime.signals import Step


NON_FINITE: Final = frozenset(
    {"non-finite-activation", "non-finite-loss", "non-finite-gradient", "rank-non-finite"}
)
"""The rules whose diagnosis explains whatever is said after it: what is computed from NaN tells nothing."""
NAMES_A_RANK: Final = "rank-non-finite"
"""The one of them that adds to the others."""
MOST_KINDS: Final = 100
"""Of so many kinds of step it is remembered which detectors look at them."""
RECOVERED: Final = 50
"""After so many steps in a row with a finite loss the training is well again."""


class Judge:
    """Shows every step to the detectors of the rules that are on.

    A detector that raises is told to ``failed`` and asked no more; the others go on. A diagnosis
    that an earlier one of the run explains is folded into it: it is kept in ``folded`` and not said. So is
    one that was said before, until the training has gone on for as long again; and everything that
    follows a value that is not finite, until the loss has been finite for a while.
    """

    def __init__(
        self, settings: Settings, failed: Callable[[Rule, Exception], None] | None = None
    ) -> None:
        self._settings = settings
        self._failed = failed
        self._detectors: list[tuple[Rule, Detector]] = [
            (rule, rule.new_detector(settings.thresholds.get(rule.name, {})))
            for rule in settings.rules
            if rule.has_detector
        ]
        self.diagnoses: list[Diagnosis] = []
        self.folded: list[Diagnosis] = []
        self._by_signals: dict[tuple[str, ...], list[tuple[Rule, Detector]]] = {}
        self._is_lost = False
        self._finite = 0

    @property
    def needs(self) -> frozenset[str]:
        """The signals that the detectors ask for."""
        return frozenset(need for rule, _ in self._detectors for need in rule.needs)

    def observe(self, step: Step) -> list[Diagnosis]:
        """Look at the next step and return what is new, the cause before what it explains."""
        self._look_for_recovery(step)
        found = list(self._observe(step))
        if not found:
            return []
        spoken = []
        for rule, diagnosis in self._causes_first(found):
            said = self._settings.judged(diagnosis, rule.severity)
            if self._is_explained(rule) or self._is_repeated(said):
                self.folded.append(said)
            else:
                self.diagnoses.append(said)
                spoken.append(said)
            if rule.name in NON_FINITE:
                self._is_lost, self._finite = True, 0
        return spoken

    def _look_for_recovery(self, step: Step) -> None:
        """Note whether the loss has been finite for long enough after a value that was not."""
        loss = step.run(Signal.LOSS)
        if self._is_lost and loss is not None:
            self._finite = self._finite + 1 if math.isfinite(loss) else 0
            self._is_lost = self._finite < RECOVERED

    def _observe(self, step: Step) -> Iterator[tuple[Rule, Diagnosis]]:
        """Yield what the detectors see in a step."""
        for pair in self._asked(step):
            rule, detector = pair
            try:
                for diagnosis in detector.observe(step):
                    yield rule, diagnosis
            except Exception as error:  # noqa: BLE001 - a rule never ends the run it watches
                self._detectors.remove(pair)
                self._by_signals.clear()
                if self._failed is not None:
                    self._failed(rule, error)

    def _asked(self, step: Step) -> list[tuple[Rule, Detector]]:
        """Return the detectors that find all that they need in a step; most steps have the same signals."""
        signals = tuple(step.signals)
        asked = self._by_signals.get(signals)
        if asked is None:
            if len(self._by_signals) > MOST_KINDS:
                self._by_signals.clear()
            asked = [pair for pair in self._detectors if step.has(pair[0].needs)]
            self._by_signals[signals] = asked
        return asked

    @staticmethod
    def _causes_first(
        found: list[tuple[Rule, Diagnosis]],
    ) -> list[tuple[Rule, Diagnosis]]:
        """Return the diagnoses of one step so that none comes before one that explains it."""
        worst_first = tuple(Severity)
        waiting = sorted(
            found,
            key=lambda pair: (pair[0].name not in NON_FINITE, worst_first.index(pair[1].severity)),
        )
        ordered: list[tuple[Rule, Diagnosis]] = []
        while waiting:
            names = {rule.name for rule, _ in waiting}
            free = (pair for pair in waiting if not names & set(pair[0].explained_by))
            chosen = next(free, waiting[0])  # two may explain each other
            waiting.remove(chosen)
            ordered.append(chosen)
        return ordered

    def _is_repeated(self, diagnosis: Diagnosis) -> bool:
        """Say whether the same was said not long ago: since half as many steps, and no milder."""
        moment = diagnosis.moment
        if moment is None:
            return False
        worst_first = tuple(Severity)
        return any(
            one.rule == diagnosis.rule
            and one.moment is not None
            and one.moment.layer == moment.layer
            and moment.step < 2 * one.moment.step
            and worst_first.index(one.severity) <= worst_first.index(diagnosis.severity)
            for one in self.diagnoses
        )

    def _is_explained(self, rule: Rule) -> bool:
        """Say whether what has been said already is the cause of a diagnosis."""
        if self._is_lost and rule.name != NAMES_A_RANK:
            return True
        causes = rule.explained_by
        return bool(causes) and any(one.rule in causes for one in self.diagnoses)
