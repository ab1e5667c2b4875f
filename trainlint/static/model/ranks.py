"""The number of dimensions that data has on its way through a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.static.model.expression import Call

if TYPE_CHECKING:
    from trainlint.static.model.layers import Step

_KEEP = frozenset(
    {
        "to",
        "cuda",
        "cpu",
        "float",
        "double",
        "half",
        "bfloat16",
        "type",
        "type_as",
        "clone",
        "contiguous",
        "requires_grad_",
        "Identity",
        "transpose",
        "t",
        "scale",
        "Upsample",
        "normalize",
        "clamp",
        "log",
        "exp",
    }
)
"""Operations whose result has as many dimensions as what they take."""

_GIVEN = frozenset({"view", "reshape", "permute"})


def ranks_of(steps: tuple[Step, ...]) -> tuple[int | None, ...]:
    """Return the number of dimensions in front of each step, the batch included.

    Convolutions tell it (their input is taken to be a batch), and changes of shape whose sizes are
    written; what is not known stays so until the next of these.
    """
    found: list[int | None] = []
    rank: int | None = None
    for step in steps:
        found.append(rank)
        after = _rank_after(step, rank)
        rank = None if step.optional and after != rank else after
    return tuple(found)


def _rank_after(step: Step, rank: int | None) -> int | None:
    """Return the number of dimensions behind a step."""
    kind = step.kind
    if kind.removeprefix("Lazy").startswith("Conv") and kind[-2:-1].isdigit():
        return int(kind[-2]) + 2
    if kind in {"Linear", "LazyLinear"} or step.is_activation or step.is_dropout:
        return rank
    if step.is_normalisation or "Pool" in kind or kind in _KEEP:
        return rank
    if kind in {"Flatten", "flatten"}:
        return _flattened(step)
    if kind == "unsqueeze":
        return None if rank is None else rank + 1
    if kind in _GIVEN and isinstance(step.at, Call):
        return _given(step.at)
    return None


def _flattened(step: Step) -> int | None:
    """Return the number of dimensions behind a ``flatten``: 2 where it keeps the batch alone."""
    call = step.at
    if not isinstance(call, Call) or call.is_open:
        return None
    if step.layer is not None:
        start, end = call.argument(0, "start_dim"), call.argument(1, "end_dim")
        first = 1 if start is None else start.number()
    else:
        shift = 1 if call.callee is not None else 0
        start = call.argument(shift, "start_dim")
        end = call.argument(shift + 1, "end_dim")
        first = 0 if start is None else start.number()
    if end is not None and end.number() != -1:
        return None
    return int(first) + 1 if isinstance(first, int) and first >= 0 else None


def _given(call: Call) -> int | None:
    """Return the number of sizes, or of dimensions, that a change of shape is given."""
    if call.is_open or call.keywords:
        return None
    sizes = call.args[1:] if call.callee is not None else call.args
    if len(sizes) != 1:
        return len(sizes) or None
    items = sizes[0].items
    return len(items) if items is not None else 1 if sizes[0].number() is not None else None
