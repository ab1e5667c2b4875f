"""The training calls the bare model, so the processes do not share their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Event, Expr, FileModel

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL803", Severity.ERROR, fixable=Safety.UNSAFE)

_WRAPPER = "torch.nn.parallel.DistributedDataParallel"
_BY_HAND = r"all_?reduce|no_sync|(average|sync|reduce)_(gradients|grads)"


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find calls of the ``module`` of a wrapped model whose result a backward pass starts from."""
    if not any(True for _ in file.calls_to(_WRAPPER)):
        return
    told = set()
    for routine in file.routines():
        for backward in routine.of(LoopEvent.BACKWARD):
            if any(one.speaks_of(_BY_HAND) for one in (file, *backward.models)):
                continue
            for call, wrapper in _bypasses(backward):
                if call in told:
                    continue
                told.add(call)
                yield rule.at(
                    call.called,
                    f"{call.called.quoted} is the bare model, so no process gets the gradients of"
                    " the others and their copies drift apart.",
                    remedy=f"Call `{wrapper.text}` itself; `module` is for saving and for looking at"
                    " weights.",
                    label="bypasses the wrapper",
                    related=[
                        (backward, "shares no gradients"),
                        *(
                            (made, "wrapped here")
                            for made in wrapper.origins()
                            if made.path != call.path
                        ),
                    ],
                    fix=_fix(call, wrapper),
                )


def _bypasses(backward: Event) -> list[tuple[Call, Expr]]:
    """Return the calls of a bare model behind a loss, and its wrapper; none if that is called too."""
    found = []
    for part in () if backward.subject is None else backward.subject.ingredients():
        if not isinstance(part, Call) or part.without_gradient:
            continue
        if _is_wrapped(part.called):
            return []
        wrapper = _wrapper(part)
        if wrapper is not None and part.function == backward.call.function:
            found.append((part, wrapper))
    return found


def _wrapper(call: Call) -> Expr | None:
    """Return the wrapped model whose ``module`` a call runs."""
    model = call.receiver if call.method == "forward" else call.called
    owners = [] if model is None else [_owner(origin) for origin in model.origins()]
    return owners[0] if len(owners) == 1 else None


def _owner(model: Expr) -> Expr | None:
    """Return the wrapped model of which an expression is the ``module``."""
    owner = model.owner if model.is_attribute and model.name == "module" else None
    return owner if owner is not None and _is_wrapped(owner) else None


def _is_wrapped(model: Expr) -> bool:
    """Say whether a model is surely a ``DistributedDataParallel``."""
    origins = model.origins()
    return all(isinstance(one, Call) and one.callee == _WRAPPER for one in origins)


def _fix(call: Call, wrapper: Expr) -> Fix | None:
    """Return the fix that calls the wrapper; None where the bare model has a name of its own."""
    if not call.called.text.startswith(f"{wrapper.text}.module"):
        return None
    edit = call.called.replaced_by(wrapper.source_text)
    return Fix("Call the wrapper", Safety.UNSAFE, (edit,))
