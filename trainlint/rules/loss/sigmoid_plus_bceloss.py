"""A sigmoid and a binary cross-entropy are computed one after the other, not in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Loss, Step

rule = Rule(__name__, "TL312", Severity.ERROR, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find losses of probabilities behind a sigmoid; they are errors under autocast."""
    paired = {loss: makers for loss in file.losses() if (makers := _sigmoids(file, loss))}
    for loss, makers in paired.items():
        assert loss.input is not None
        context = next(filter(_is_cuda_autocast, reversed(loss.call.contexts)), None)
        others = [one for one in file.losses() if one.made == loss.made and one not in paired]
        alone = loss.made is None or not others
        edits = [loss.with_logits, *(step.removal for step in makers)] if alone else [None]
        mended = tuple(edit for edit in edits if edit is not None)
        fix = Fix("Use the loss with logits", Safety.UNSAFE, mended)
        harm = (
            "it is forbidden under autocast and ends in an error"
            if context is not None
            else "where the sigmoid rounds to 0 or 1 the gradient is lost"
        )
        yield rule.at(
            loss,
            f"{loss.call.called.quoted} takes the logarithm of {loss.input.quoted}, the output of a"
            f" sigmoid: {harm}.",
            remedy="Hand the logits to `nn.BCEWithLogitsLoss`, and apply the sigmoid where"
            " probabilities are shown.",
            label="sigmoid and logarithm apart",
            related=[
                *((step.at, "the sigmoid") for step in makers),
                *([] if context is None else [(context, "in 16 bits")]),
            ],
            fix=fix if len(mended) == len(edits) and _serve_only(file, loss, makers) else None,
            severity=Severity.ADVICE if context is None else rule.severity,
        )


def _sigmoids(file: FileModel, loss: Loss) -> tuple[Step, ...]:
    """Return the sigmoids that make the input of a loss of probabilities; none where not sure."""
    if loss.kind != "BCELoss" or loss.input is None or loss.call.expected_to_fail:
        return ()
    makers = file.producers(loss.input)
    sure = all(step.kind == "Sigmoid" and not step.optional for step in makers)
    return makers if sure else ()


def _is_cuda_autocast(context: Expr) -> bool:
    """Say whether a context manager surely computes in half precision on a GPU."""
    if not isinstance(context, Call):
        return False
    enabled = context.keywords.get("enabled")
    if enabled is not None and enabled.truth() is not True:
        return False
    if context.callee == "torch.cuda.amp.autocast":
        return not context.args or context.args[0].truth() is True
    device = context.argument(0, "device_type")
    return (
        context.callee == "torch.amp.autocast"
        and device is not None
        and (device.string() or "").startswith("cuda")
    )


def _serve_only(file: FileModel, loss: Loss, makers: tuple[Step, ...]) -> bool:
    """Say whether the probabilities go nowhere but into the loss.

    A sigmoid in a ``Sequential`` goes to all who call the model.
    """
    if any(step.layer is not None for step in makers) or loss.input is None:
        return False
    if len(makers) == 1 and loss.input == makers[0].at:
        return True
    origins = loss.input.origins()
    kept = file.kept(origins[0]) if len(origins) == 1 and origins[0] == makers[0].at else None
    return kept is not None and not kept.is_attribute and set(kept.uses) == {loss.input}
