"""Nearly all that an activation is given is negative, so that it is nearly linear and small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import initialisation, named
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Activation, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Layer, Step

rule = Rule(__name__, "TL255", Severity.WARNING, explained_by=("unnormalised-input",))

LEAKING: Final = frozenset(
    {
        Activation.LEAKY_RELU,
        Activation.RRELU,
        Activation.ELU,
        Activation.SELU,
        Activation.CELU,
    }
)
"""What has a small slope below 0; that of `nn.PReLU` is learned, and may be as good as the other."""


@rule.detector
@dataclass
class Detector:
    """Looks at the share of negative inputs of each leaking activation."""

    needs: ClassVar[tuple[str, ...]] = (Signal.NEGATIVE,)
    share: float = 0.95
    patience: int = 10

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the activations that only ever use their negative half."""
        for layer, negative in step.layers(Signal.NEGATIVE):
            if layer.activation not in LEAKING or layer.is_output:
                continue
            if self.streaks.seen(layer.name, is_bad=negative > self.share):
                yield rule.seen(
                    step.number,
                    layer,
                    f"{negative:.1%} of what {named(layer)} is given is negative (bound {self.share:.0%})"
                    f" for {self.patience} measured steps in a row: it uses its small slope only",
                    remedy=_remedy(step, layer),
                    evidence=(Evidence("negative inputs", negative, self.share, Signal.NEGATIVE),),
                )


def _remedy(step: Step, layer: Layer) -> str:
    """Say what to do about what the activation is given."""
    before = step.facts.before(layer)
    if before is None:
        return "put a normalisation (`nn.BatchNorm1d`, `nn.LayerNorm`) in front of it"
    return (
        f"give {named(before)} a bias of 0 and {initialisation(before)}, or put a normalisation"
        " (`nn.BatchNorm1d`, `nn.LayerNorm`) between the two"
    )
