"""A Kullback-Leibler loss gets probabilities for logarithms, or divides by the number of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.fix import Edit
    from trainlint.static.model import Expr, FileModel, Loss, Step

rule = Rule(__name__, "TL311", Severity.WARNING, fixable=Safety.UNSAFE)

_PROBABILITIES = {"Softmax", "Sigmoid"}
_LOGARITHMS = {"LogSoftmax", "LogSigmoid"}
_OLD_OPTIONS = ("size_average", "reduce")


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find divergences of the wrong input, of a target in logarithms, or of the default reduction."""
    for loss in file.losses():
        if loss.kind != "KLDivLoss" or loss.input is None or loss.call.expected_to_fail:
            continue
        wrongs: list[tuple[str, str]] = []
        edits: list[Edit | None] = []
        options: dict[str, str] = {}
        related: list[tuple[Step, str]] = []
        makers = _all_of(file, loss.input, _PROBABILITIES)
        if makers:
            wrongs.append(
                (f"takes log-probabilities, but {loss.input.quoted} holds probabilities", "input")
            )
            edits += [_logarithm_of(file, loss.input, step) for step in makers]
            related += [(step, "probabilities") for step in makers]
        if _averages_by_default(loss) and not loss.call.without_gradient and not file.is_test:
            wrongs.append(("divides by the number of classes as well as by the batch", "mean"))
            options["reduction"] = '"batchmean"'
        target = loss.target
        logarithms = None if target is None else _all_of(file, target, _LOGARITHMS)
        if target is not None and logarithms and _has_no_log_target(loss):
            wrongs.append(
                (f"takes probabilities as target, but {target.quoted} holds logarithms", "")
            )
            options["log_target"] = "True"
            related += [(step, "log-probabilities") for step in logarithms]
        if not wrongs:
            continue
        if options:
            (name, value), *rest = options.items()
            more = "".join(f", {other}={what}" for other, what in rest)
            edits.append((loss.made or loss.call).with_argument(name, f"{value}{more}"))
        mended = tuple(edit for edit in edits if edit is not None)
        fix = Fix("Compute the divergence", Safety.UNSAFE, mended)
        yield rule.at(
            loss,
            f"{loss.call.called.quoted} {', and '.join(text for text, _ in wrongs)}: the result is"
            " not the divergence.",
            remedy="Give it `log_softmax` as input, a target of probabilities (or"
            ' `log_target=True`), and `reduction="batchmean"`.',
            label="not the divergence",
            related=[(step.at, what) for step, what in related],
            fix=fix if len(mended) == len(edits) else None,
        )


def _all_of(file: FileModel, value: Expr, kinds: set[str]) -> tuple[Step, ...]:
    """Return what makes a value if it is of these kinds on every way; else nothing."""
    makers = file.producers(value)
    sure = all(step.kind in kinds and not step.optional for step in makers)
    return makers if sure else ()


def _averages_by_default(loss: Loss) -> bool:
    """Say whether nothing says how the loss is reduced."""
    made = loss.made
    if made is None:
        options = loss.call.keywords
        given = len(loss.call.args) > 2  # noqa: PLR2004 - input and target
        return (
            not given and not loss.call.is_open and not {"reduction", *_OLD_OPTIONS} & set(options)
        )
    return (
        not made.args and not made.is_open and not {"reduction", *_OLD_OPTIONS} & set(made.keywords)
    )


def _has_no_log_target(loss: Loss) -> bool:
    """Say whether the loss takes its target for probabilities."""
    call = loss.made or loss.call
    most = 3 if loss.made is not None else 5
    return not call.is_open and "log_target" not in call.keywords and len(call.args) <= most


def _logarithm_of(file: FileModel, value: Expr, step: Step) -> Edit | None:
    """Return the edit that turns a softmax into its logarithm, if it serves the loss alone."""
    made = step.at
    if not isinstance(made, Call) or step.kind != "Softmax" or made.method != "softmax":
        return None
    kept = file.kept(made)
    if value != made and (kept is None or kept.is_attribute or set(kept.uses) != {value}):
        return None
    return made.called.renamed("log_softmax")
