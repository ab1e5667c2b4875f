"""Pipelines of torchvision transforms, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import Call, Expr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Span
    from trainlint.static.model.file import FileModel

_PACKAGE = "torchvision.transforms."


@immutable
class Transform:
    """One step of a pipeline."""

    kind: str | None
    """The class of ``torchvision.transforms`` (``ToTensor``); None where it is not known."""
    at: Expr
    """Where the pipeline names it."""
    made: Call | None = None
    """The construction, if it is known."""
    is_v2: bool = False
    """Whether it is of ``torchvision.transforms.v2``."""

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.at.path

    @property
    def span(self) -> Span:
        """The construction; the name in the pipeline, where that is not known or of another file."""
        here = self.made is not None and self.made.path == self.at.path
        return self.made.span if here and self.made is not None else self.at.span

    def argument(self, position: int, name: str) -> Expr | None:
        """Return an argument of its construction; None if it is not passed."""
        return None if self.made is None else self.made.argument(position, name)


@immutable
class Pipeline:
    """Transforms that are applied one after the other: a ``Compose``, those inside it included."""

    call: Call
    steps: tuple[Transform, ...]


def pipelines(model: FileModel) -> Iterator[Pipeline]:
    """Yield every outermost ``Compose`` of torchvision."""
    if not model.imports("torchvision"):
        return
    found = [
        call
        for call in model.method_calls(*model.spellings("Compose"))
        if (call.callee or "").startswith(_PACKAGE)
    ]
    inner = {part for call in found for part in call.calls() if part != call}
    for call in found:
        if call not in inner:
            yield Pipeline(call, tuple(_steps_of(model, call, depth=4)))


def _steps_of(model: FileModel, compose: Call, depth: int) -> Iterator[Transform]:
    """Yield the steps of a ``Compose``; one that is not known for what cannot be followed."""
    given = compose.argument(0, "transforms")
    origins = () if given is None else given.origins()
    items = origins[0].items if len(origins) == 1 else None
    if given is None or items is None or origins[0].path != compose.path:
        yield Transform(None, given or compose)
        return
    later = [] if origins[0] == given else model.layers.additions(origins[0])
    for item, sure in [*((item, True) for item in items), *((one, not may) for one, may in later)]:
        if item is None or not sure:
            yield Transform(None, item or given)
        else:
            yield from _step(model, item, depth)


def _step(model: FileModel, item: Expr, depth: int) -> Iterator[Transform]:
    """Yield what an item of a pipeline is: one step, or those of a pipeline within."""
    origins = item.origins()
    made = origins[0] if len(origins) == 1 else None
    name = made.callee or "" if isinstance(made, Call) else ""
    if not isinstance(made, Call) or not name.startswith(_PACKAGE):
        yield Transform(None, item)
        return
    kind = name.rpartition(".")[2]
    if kind == "Compose" and depth:
        yield from _steps_of(model, made, depth - 1)
    else:
        yield Transform(kind, item, made, is_v2=name.startswith(f"{_PACKAGE}v2."))
