"""The logarithm of a softmax or sigmoid is infinite where the probability rounds to 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel

rule = Rule(__name__, "TL307", Severity.WARNING, fixable=Safety.UNSAFE)

_STABLE = {"Softmax": "log_softmax", "Sigmoid": "logsigmoid"}
_SHOWN = frozenset({"item", "numpy", "tolist"})
_ROWS = frozenset({"torch.arange", "torch.linspace", "torch.logspace"})


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find logarithms of values that are the output of a softmax or sigmoid on every way."""
    # A test compares with the formula as it is written in books, on scores that it knows.
    for call in file.method_calls("log") if file.has_layers and not file.is_test else ():
        inside = _argument(call)
        if inside is None or call.without_gradient:
            continue
        makers = file.producers(inside)
        kinds = {step.kind for step in makers}
        if len(kinds) != 1 or not kinds <= _STABLE.keys() or any(one.optional for one in makers):
            continue
        if any(_is_table(step.at) for step in makers) or _is_only_shown(call):
            continue
        kind = kinds.pop()
        stable = _STABLE[kind]
        edits = _edits(file, call, inside, kind)
        yield rule.at(
            call,
            f"{call.quoted} takes the logarithm of a {kind.lower()}, which rounds to 0 for confident"
            " scores: the loss becomes infinite and its gradient not a number.",
            remedy=f"Use `F.{stable}` on the scores, which stays finite.",
            label="minus infinity at 0",
            related=[
                (step.at, f"the {kind.lower()}") for step in makers if step.at not in call.parts()
            ],
            fix=Fix(f"Use `{stable}`", Safety.UNSAFE, edits) if edits else None,
        )


def _is_table(made: Expr) -> bool:
    """Say whether the scores are numbers in a row that the program lists, for a table of the function."""
    if not isinstance(made, Call):
        return False
    scores = _scores(made)
    origins = () if scores is None else scores.origins()
    return any(isinstance(one, Call) and one.callee in _ROWS for one in origins)


def _scores(made: Call) -> Expr | None:
    """Return what a softmax or sigmoid is taken of."""
    return made.argument(0, "input") if made.callee is not None else made.receiver


def _is_only_shown(call: Call) -> bool:
    """Say whether the logarithm leaves the graph at once, as a number to look at."""
    return any(isinstance(one, Call) and one.method in _SHOWN for one in call.around)


def _argument(call: Call) -> Expr | None:
    """Return the tensor whose logarithm a call takes; None where it is no such call."""
    if call.callee == "torch.log":
        return call.argument(0, "input")
    is_method = call.callee is None and call.target is None and not call.args
    return call.receiver if is_method else None


def _edits(file: FileModel, call: Call, inside: Expr, kind: str) -> tuple[Edit, ...]:
    """Return the edits that compute both in one; none where the probabilities serve elsewhere."""
    if isinstance(inside, Call):
        text = _stable_text(file, inside, kind)
        return () if text is None else (call.replaced_by(text),)
    origins = inside.origins()
    made = origins[0] if len(origins) == 1 else None
    kept = file.kept(made) if isinstance(made, Call) else None
    if kept is None or kept.is_attribute or set(kept.uses) != {inside} or not inside.is_name:
        return ()
    assert isinstance(made, Call)
    text = _stable_text(file, made, kind)
    if text is None:
        return ()
    return made.replaced_by(text), call.replaced_by(inside.source_text)


def _stable_text(file: FileModel, made: Call, kind: str) -> str | None:
    """Return the softmax or sigmoid as its logarithm reads; None where it is no plain call of one."""
    if made.method != kind.lower() or made.target is not None:
        return None
    if kind == "Softmax":
        edit = made.called.renamed("log_softmax")
        return None if edit is None else made.source_with(edit)
    scores = _scores(made)
    function = file.spelling("torch.nn.functional.logsigmoid")
    known = made.callee is None or (made.callee or "").startswith("torch.")
    if scores is None or function is None or not known:
        return None
    return f"{function}({scores.source_text})"
