"""A comment silences a rule that has nothing to say there."""

from __future__ import annotations

from trainlint.core.diagnosis import Severity
from trainlint.core.fix import Safety
from trainlint.core.rule import Rule

# Only the engine knows which comments were of use, so trainlint.static.suppress makes the diagnoses.
rule = Rule(__name__, "TL001", Severity.ADVICE, fixable=Safety.SAFE, judges_configs=True)
