"""Signals of the loss and what it is computed from, read off the graph before `backward` consumes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

from trainlint.runtime.signals import Signal
from trainlint.runtime.tensors import is_plain, sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.runtime.gathering import Gathering

NODES: Final = 64
"""How many nodes of the graph behind a loss are looked at; the criterion is near its end."""
ROWS: Final = 1024
"""Of about how many examples labels and predictions are counted, unless there are many classes."""
ELEMENTS: Final = 1 << 15
FEWEST: Final = 64
"""Of how many of them even then."""
TOLERANCE: Final = 1e-4
_VIEWS: Final = ("View", "Reshape", "Transpose", "Permute", "ToCopy")


def look_at_loss(loss: Tensor, gathering: Gathering) -> bool:
    """Look at the criterion behind a loss; say whether there is one that is known."""
    for node in _nodes(loss.grad_fn):
        kind = node.name()
        if kind.startswith(("NllLoss", "CrossEntropyLoss")):
            return _cross_entropy(node, gathering)
        if kind.startswith("BinaryCrossEntropyWithLogits"):
            return _binary(node, gathering)
        if kind.startswith(("MseLoss", "L1Loss", "SmoothL1Loss", "HuberLoss")):
            return _elementwise(node, gathering)
    return False


def look_at_prediction(output: Tensor, gathering: Gathering) -> None:
    """Look at whether a model's output differs between the examples of the batch."""
    if is_plain(output) and output.dim() > 1 and output.shape[0] > 1:
        values = sample(output.detach(), -1).flatten(1)
        spread = values.var(0, unbiased=False).mean() / values.square().mean().clamp(min=1e-30)
        gathering.add(Signal.OUTPUT_VARIANCE, "", spread)


def _nodes(start: Any) -> Iterator[Any]:
    """Yield the nodes behind a loss, the nearest first."""
    pending = [start]
    seen: set[Any] = set()
    while pending and len(seen) < NODES:
        node = pending.pop(0)
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        pending += [other for other, _ in node.next_functions]


def _cross_entropy(node: Any, gathering: Gathering) -> bool:
    """Look at the classes, the labels and the predictions of a cross entropy."""
    logs, target = node._saved_self.detach(), node._saved_target  # noqa: SLF001
    if logs.dim() == 1 or logs.numel() == 0 or _is_raw(node):
        return False
    classes = logs.shape[1]
    ignored = getattr(node, "_saved_ignore_index", -100)
    ignored = ignored - 2**64 if ignored >= 2**63 else ignored  # unsigned in the graph
    counted = target != ignored
    safe = target.clamp(0, classes - 1)
    own = logs.gather(1, safe.unsqueeze(1)).squeeze(1).float()
    gathering.add(Signal.CLASSES, "", classes)
    total = counted.sum().clamp(min=1)
    gathering.add(Signal.CLASS_LOSS, "", -torch.where(counted, own, 0.0).sum() / total)
    rows = logs.movedim(1, -1).flatten(0, -2)
    most = max(FEWEST, min(ROWS, ELEMENTS // classes))
    every = max(1, rows.shape[0] // most)
    rows = rows[::every].float()
    labels, counted = safe.flatten()[::every], counted.flatten()[::every]
    for signal, chosen in (
        (Signal.PREDICTED_SHARE, rows.argmax(1)),
        (Signal.TARGET_SHARE, labels),
    ):
        counts = torch.zeros(classes, device=rows.device).index_add_(0, chosen, counted.float())
        gathering.add(signal, "", counts.max() / counts.sum().clamp(min=1))
    before = _softmax_behind(node)
    is_probability = _are_probabilities(rows) if before is None else before
    gathering.add(Signal.PROBABILITY_INPUT, "", is_probability)
    if rows.shape[0] > 1:
        chances = rows.exp()
        square = chances.square().mean().clamp(min=1e-30)
        gathering.add(
            Signal.OUTPUT_VARIANCE, "", (chances - chances.mean(0)).square().mean() / square
        )
    return True


def _is_raw(node: Any) -> bool:
    """Say whether what a negative log-likelihood takes for logarithms surely are none."""
    while node is not None and node.name().startswith(("NllLoss", *_VIEWS)):
        node = node.next_functions[0][0] if node.next_functions else None
    return node is not None and node.name().startswith(
        ("Addmm", "Mm", "Bmm", "UnsafeView", "Convolution", "Softmax", "Relu", "Sigmoid", "Tanh")
    )


def _softmax_behind(node: Any) -> float | None:
    """Say whether a softmax lies directly behind the log-softmax of a cross entropy."""
    steps = 0
    while node is not None and steps < 6:
        steps += 1
        node = node.next_functions[0][0] if node.next_functions else None
        kind = "" if node is None else node.name()
        if kind.startswith("SoftmaxBackward"):
            return 1.0
        if not kind.startswith(("LogSoftmax", *_VIEWS)):
            return None
    return None


def _are_probabilities(logs: Tensor) -> Tensor:
    """Return the share of rows whose logits may have been probabilities, from their log-softmax.

    Logits are known up to a constant; a probability is a row that sums to 1 for the constant that
    makes it so, is not negative, and is not nearly even, as small logits are too.
    """
    logits = logs + (1 - logs.sum(1, keepdim=True)) / logs.shape[1]
    inside = (logits >= -TOLERANCE).all(1)
    uneven = logits.amax(1) - logits.amin(1) > 0.5
    return (inside & uneven).float().mean()


def _binary(node: Any, gathering: Gathering) -> bool:
    """Look at the logits of a binary cross entropy."""
    logits = node._saved_self.detach().float()  # noqa: SLF001
    behind = node.next_functions[0][0] if node.next_functions else None
    while behind is not None and behind.name().startswith(("View", "Squeeze", "Reshape", "Select")):
        behind = behind.next_functions[0][0] if behind.next_functions else None
    is_sigmoid = behind is not None and behind.name().startswith("SigmoidBackward")
    gathering.add(Signal.PROBABILITY_INPUT, "", is_sigmoid)
    if logits.dim() > 0 and logits.shape[0] > 1:
        values = logits.sigmoid()
        spread = values.var(0, unbiased=False).mean() / values.square().mean().clamp(min=1e-30)
        gathering.add(Signal.OUTPUT_VARIANCE, "", spread)
    return True


def _elementwise(node: Any, gathering: Gathering) -> bool:
    """Look at the shapes of a regression's input and target, and whether its predictions differ."""
    behind = [other.name() for other, _ in node.next_functions if other is not None]
    given, target = node._saved_self.detach(), node._saved_target.detach()  # noqa: SLF001
    expanded = (
        any(one.startswith("Expand") for one in behind)
        or _is_expanded(target)
        or _is_expanded(given)
    )
    square = given.dim() == 2 and given.shape[0] == given.shape[1] and given.shape[0] > 1
    gathering.add(Signal.BROADCAST, "", expanded and square)
    source = given
    if given.dim() > 0 and source.shape[0] > 1 and not (expanded and square):
        values = source.float().flatten(1) if source.dim() > 1 else source.float()[:, None]
        centre = values.mean()
        scale = (values - centre).square().mean() + centre.square()
        spread = values.var(0, unbiased=False).mean() / scale.clamp(min=1e-30)
        gathering.add(Signal.OUTPUT_VARIANCE, "", spread)
    return True


def _is_expanded(tensor: Tensor) -> bool:
    """Say whether a dimension repeats the same elements."""
    return any(
        stride == 0 and length > 1
        for stride, length in zip(tensor.stride(), tensor.shape, strict=True)
    )
