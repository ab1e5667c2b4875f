"""One batch normalisation inside of a recurrence mixes the statistics of all time steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL605", Severity.WARNING)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find batch normalisations whose result is fed back to them in the next time step."""
    if not any(layer.is_batch_norm for layer in file.all_layers()):
        return
    for module in file.modules:
        for method in module.methods:
            for call in method.calls:
                layer = file.layer_of(call.called) if call.loops else None
                if layer is None or not layer.is_batch_norm or layer.call == call.called:
                    continue
                loop = next((one for one in call.loops if file.is_fed_back(call, one)), None)
                if loop is None:
                    continue
                yield rule.at(
                    call,
                    f"{call.called.quoted} normalises the state of every time step with one set of"
                    " statistics, and feeds it back: in `eval()` their error grows from step to step.",
                    remedy="Use `nn.LayerNorm`, which looks at one step only, or leave the recurrence"
                    " as it is and clip its gradients.",
                    label="fed back to itself",
                    related=[(loop, "over the time steps"), (layer, "one for all of them")],
                )
