"""Models whose weights are frozen: ``requires_grad`` is switched off for all of their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Span
    from trainlint.static.model.expression import Expr
    from trainlint.static.model.file import FileModel

_PARAMETERS = {"parameters", "named_parameters"}


@immutable
class Frozen:
    """A place where all weights of a model are frozen."""

    at: Expr
    owner: Expr
    """The model, as written: ``net`` of ``net.parameters()``."""

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.at.path

    @property
    def span(self) -> Span:
        """What switches the gradients off."""
        return self.at.span


def frozen_models(model: FileModel) -> Iterator[Frozen]:
    """Yield where the file freezes all of a model, and under no condition that picks parameters.

    ``for p in net.parameters(): p.requires_grad = False`` and ``net.requires_grad_(False)``.
    """
    for target, value in model.assignments("requires_grad"):
        owner = target.owner
        if owner is not None and value is not None and value.truth() is False:
            held = _owner_of_parameter(owner)
            if held is not None and not _picks(target):
                yield Frozen(target, held)
    for call in model.method_calls("requires_grad_"):
        receiver = call.receiver
        if receiver is None or not call.args or call.args[0].truth() is not False:
            continue
        held = _owner_of_parameter(receiver)
        if held is not None and not _picks(call):
            yield Frozen(call, held)
        elif held is None and not receiver.is_loop_variable and call.is_statement:
            yield Frozen(call, receiver)


def _owner_of_parameter(parameter: Expr) -> Expr | None:
    """Return the model of whose parameters a loop variable is one."""
    binding = parameter.binding
    if not parameter.is_loop_variable or binding is None or binding.value is None:
        return None
    iterated = parameter.model.expr(binding.value, binding.site)
    if not isinstance(iterated, Call) or iterated.method not in _PARAMETERS:
        return None
    return iterated.receiver


def _picks(place: Expr) -> bool:
    """Say whether an ``if`` inside of the loop picks parameters."""
    if not place.loops:
        return False
    loop = place.loops[-1].block
    return any(loop in test.site.block.ancestors() for test, _ in place.decided_by)
