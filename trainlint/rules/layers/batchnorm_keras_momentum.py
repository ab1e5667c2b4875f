"""A batch normalisation has the momentum of Keras, where PyTorch counts the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Expr, FileModel

rule = Rule(__name__, "TL608", Severity.WARNING, fixable=Safety.UNSAFE, judges_configs=True)

_PREFIX = "torch.nn."


@rule.check
def check(
    file: FileModel,
    *,
    limit: float = 0.9,  # the default of TensorFlow 1 and Keras is 0.99, the usual other one 0.9
) -> Iterator[Diagnosis]:
    """Find batch normalisations whose running statistics are nearly those of the last batch."""
    if file.is_test:
        return
    for call, momentum in _given(file):
        value = momentum.number()
        if value is None or not limit <= value < 1:
            continue
        inside = momentum in call.parts()
        told = momentum.quoted if momentum.text == f"{value}" else f"{momentum.quoted} ({value:g})"
        yield rule.at(
            momentum if inside else call,
            f"The momentum {told} gives the newest batch a weight of {limit:g} or more: the running"
            " statistics forget all earlier ones, and `eval()` is as noisy as one batch.",
            remedy=f"PyTorch's momentum is 1 minus that of Keras: pass {1 - value:.4g}.",
            label="weight of the newest batch",
            fix=_fix(momentum, value) if inside else None,
        )


def _given(file: FileModel) -> Iterator[tuple[Call, Expr]]:
    """Yield what batch normalisations are given as momentum, those that a ``partial`` makes too."""
    for layer in file.all_layers():
        momentum = layer.argument("momentum") if layer.is_batch_norm else None
        if momentum is not None:
            yield layer.call, momentum
    for call in file.calls_to("functools.partial"):
        made = call.args[0].qualified if call.args else None
        momentum = call.keywords.get("momentum")
        if made is None or momentum is None or not made.startswith(_PREFIX):
            continue
        if "BatchNorm" in made:
            yield call, momentum


def _fix(momentum: Expr, value: float) -> Fix | None:
    """Return the fix that counts the way PyTorch does, where the number stands in the call."""
    try:
        float(momentum.text)
    except ValueError:
        return None
    edit = momentum.replaced_by(f"{round(1 - value, 10):g}")
    return Fix("Count the momentum as PyTorch does", Safety.UNSAFE, (edit,))
