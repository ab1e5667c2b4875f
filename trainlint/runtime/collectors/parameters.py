"""Signals of parameters: their gradients before and after clipping, and what the optimizer makes of them.

Of every parameter the same few hundred elements are compared before and after the update, so that no
second copy of the model is needed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

from trainlint.runtime import tensors
from trainlint.runtime.signals import Role, Signal
from trainlint.runtime.tensors import blocks, is_plain, local, spread_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from trainlint.runtime.gathering import Gathering
    from trainlint.runtime.signals import Facts

SAMPLE: Final = 512
"""Elements of each parameter that are compared before and after an update."""
MOMENTS: Final = 128
"""Elements of each second moment of which the median is taken."""
LARGE: Final = 1 << 16
"""Elements of a gradient among which the largest is looked for."""
ROWS: Final = 256
"""Rows of a weight that are compared with each other."""
ALIKE: Final = 0.999
COLUMNS: Final = 128
"""Of rows that are longer, so many columns, or a 32nd of them, tell first whether any two are alike."""
UNDERFLOW: Final = 6e-8  # the smallest positive float16
HALVES: Final = (torch.float16, torch.bfloat16)


@dataclass(slots=True)
class _Batch:
    """Samples of parameters that are of one dtype and on one device, one behind the other."""

    names: tuple[str, ...]
    values: Tensor
    lengths: Tensor

    def reduce(self, values: Tensor, how: str = "mean") -> Tensor:
        """Return one number for each parameter, of float values such as the batch's."""
        return torch.segment_reduce(values, how, lengths=self.lengths, unsafe=True)

    def spread(self, values: Tensor) -> Tensor:
        """Return the number of each parameter once for each of its elements."""
        count = self.values.numel()  # or it would be waited for
        return torch.repeat_interleave(values, self.lengths, output_size=count)


def _batches(tensors: Mapping[str, Tensor]) -> list[_Batch]:
    """Sample tensors and put those of one kind together."""
    kinds: dict[tuple[torch.device, torch.dtype], list[tuple[str, Tensor]]] = defaultdict(list)
    for name, tensor in tensors.items():
        kinds[tensor.device, tensor.dtype].append((name, spread_out(tensor, SAMPLE)))
    found = []
    for (device, _), pairs in kinds.items():
        names, samples = zip(*pairs, strict=True)
        lengths = torch.tensor([one.numel() for one in samples], device=device)
        found.append(_Batch(names, torch.cat(samples), lengths))
    return found


def _wide(values: Tensor) -> Tensor:
    """Return values in a type in which their squares neither overflow nor vanish."""
    return values if values.dtype is torch.float64 else values.float()


@dataclass
class Parameters:
    """Looks at the gradients and weights of a step, whenever its moments come."""

    _before: dict[int, list[_Batch]] = field(default_factory=dict)
    """By optimizer: the weights just before the update."""
    _gradients: dict[int, list[_Batch]] = field(default_factory=dict)
    _unclipped: list[tuple[tuple[str, ...], Tensor]] = field(default_factory=list)
    """The norms at the end of the last backward, of some parameters each."""
    _raw: list[_Batch] = field(default_factory=list)
    _raw_norm: Tensor | None = None
    _after_norms: list[Tensor] = field(default_factory=list)
    _stale_seen: bool = False
    _versions: dict[str, tuple[int, int]] = field(default_factory=dict)
    """What each gradient was at the end of the last backward, and how often it had been written to."""
    _was_rewritten: bool | None = None

    def begin(self) -> None:
        """Forget the step before."""
        self._before.clear()
        self._gradients.clear()
        self._raw = []
        self._raw_norm = None
        self._after_norms = []
        self._stale_seen = False
        self._versions = {}
        self._was_rewritten = None

    def before_backward(self, parameters: Mapping[str, Tensor], gathering: Gathering) -> None:
        """Look at what lies in `.grad` before the first backward of a step."""
        if self._stale_seen:
            return
        self._stale_seen = True
        names, gradients = _gradients(parameters)
        clean = [name for name, one in parameters.items() if one.grad is None and one.requires_grad]
        for name in clean:
            gathering.add(Signal.STALE_GRADIENT, name, 0.0)
        for some, norms in _norms(names, gradients):
            gathering.add_row(Signal.STALE_GRADIENT, some, norms)

    def after_backward(self, parameters: Mapping[str, Tensor], scale: Tensor | None) -> None:
        """Keep the gradients' norms and samples as a backward leaves them; the last one counts."""
        self._versions = {} if scale is not None else _versions(parameters)
        names, gradients = _gradients(parameters)
        self._raw = _batches(dict(zip(names, gradients, strict=True)))
        self._unclipped = []
        for some, norms in _norms(names, gradients):
            unscaled = norms if scale is None else norms / scale.to(norms.device)
            self._unclipped.append((some, unscaled))
        self._raw_norm = _total([norms for _, norms in self._unclipped])

    def before_step(
        self,
        optimizer: int,
        parameters: Mapping[str, Tensor],
        scale: Tensor | None,
        gathering: Gathering,
    ) -> None:
        """Look at the gradients that an optimizer is given, and sample the weights."""
        for name, one in parameters.items():
            if one.requires_grad:
                gathering.add(Signal.GRADIENT_MISSING, name, one.grad is None)
        before, now = self._versions, _versions(parameters)
        if before:
            changed = any(before.get(name) != version for name, version in now.items())
            self._was_rewritten = bool(self._was_rewritten) or changed
        self.gradients(optimizer, parameters, scale, gathering)
        self.weights(optimizer, parameters, gathering)

    def gradients(
        self,
        optimizer: int,
        parameters: Mapping[str, Tensor],
        scale: Tensor | None,
        gathering: Gathering,
    ) -> None:
        """Look at gradients: norms of all their elements, and the rest of the sample."""
        names, gradients = _gradients(parameters)
        if not names:
            return
        is_known = self._was_rewritten is False and {
            name for some, _ in self._unclipped for name in some
        } == set(names)
        each = dict(zip(names, gradients, strict=True))
        for some, norms in self._unclipped if is_known else _norms(names, gradients):
            unscaled = norms if scale is None else norms / scale.to(norms.device)
            self._after_norms.append(unscaled)
            self._look_at_elements({name: each[name] for name in some}, unscaled, scale, gathering)
        batches = self._raw if is_known else _batches(each)
        self._gradients[optimizer] = batches
        for batch in batches:
            gathering.add_row(
                Signal.GRADIENT_ZERO, batch.names, batch.reduce((batch.values == 0).float())
            )
            if batch.values.dtype in HALVES[:1]:
                small = batch.values.float().abs() < UNDERFLOW
                gathering.add_row(
                    Signal.GRADIENT_UNDERFLOW, batch.names, batch.reduce(small.float())
                )
        for some, norms in self._unclipped:
            gathering.add_row(Signal.GRADIENT_NORM_BEFORE, some, norms)
        if is_known:
            for name in names:
                gathering.add(Signal.GRADIENT_CUT, name, 0.0)
        else:
            self._compare_with_unclipped(batches, gathering)

    @staticmethod
    def _look_at_elements(
        gradients: Mapping[str, Tensor],
        norms: Tensor,
        scale: Tensor | None,
        gathering: Gathering,
    ) -> None:
        """Look at the largest elements and at those that are not finite, beside the norms of all."""
        ends = [end for one in gradients.values() for end in torch.aminmax(blocks(one, LARGE))]
        extremes = torch.stack(ends)
        if scale is not None:
            extremes = extremes / scale.to(extremes.device)
        is_counted = tensors.is_at_hand(norms)
        if is_counted:
            counts = torch.tensor(
                [
                    0.0 if math.isfinite(norm) else float((~torch.isfinite(one)).sum())
                    for norm, one in zip(norms.tolist(), gradients.values(), strict=True)
                ]
            )
        else:
            seen = [~torch.isfinite(spread_out(one, SAMPLE)) for one in gradients.values()]
            counts = torch.stack([torch.count_nonzero(one) for one in seen])
        elements = {name: one.numel() for name, one in gradients.items()}  # the gradients may go

        def tell(got: list[float]) -> Iterator[tuple[str, str, float]]:
            many = len(elements)
            for at, (name, count) in enumerate(elements.items()):
                norm, bad = got[at], got[many + at]
                yield Signal.GRADIENT_NORM, name, norm
                yield Signal.GRADIENT_RMS, name, norm / math.sqrt(count)
                low, high = got[2 * many + 2 * at : 2 * many + 2 * at + 2]
                yield Signal.GRADIENT_MAX, name, max(abs(low), abs(high))
                if not (is_counted or math.isfinite(norm)):
                    bad = max(bad, 1.0)
                yield Signal.GRADIENT_NON_FINITE, name, bad

        gathering.later((norms, counts, extremes), tell)

    def _compare_with_unclipped(self, batches: Sequence[_Batch], gathering: Gathering) -> None:
        """Say which share of the elements was cut by value since the last backward."""
        raw = {batch.names: batch for batch in self._raw}
        for batch in batches:
            before = raw.get(batch.names)
            if before is None or before.values.shape != batch.values.shape:
                continue
            was, now = _wide(before.values), _wide(batch.values)
            ratio = torch.where(was == 0, torch.ones_like(was), now / was)
            # Clipping by norm scales all elements alike; what was scaled more was cut by value.
            most = batch.reduce(ratio.nan_to_num(0.0), "max").clamp(min=1e-30)
            relative = ratio / batch.spread(most)
            gathering.add_row(
                Signal.GRADIENT_CUT, batch.names, batch.reduce((relative < 0.99).float())
            )

    def weights(
        self, optimizer: int, parameters: Mapping[str, Tensor], gathering: Gathering
    ) -> None:
        """Look at weights before an update, and keep a sample of them."""
        plain = {name: local(one) for name, one in parameters.items() if is_plain(one)}
        plain = {name: one for name, one in plain.items() if one.numel()}
        for some, norms in _norms(tuple(plain), tuple(plain.values())):
            gathering.later((norms,), _weights_told({name: plain[name].numel() for name in some}))
        self._before[optimizer] = _batches(plain)

    def after_step(
        self,
        number: int,
        optimizer: torch.optim.Optimizer,
        parameters: Mapping[str, Tensor],
        gathering: Gathering,
    ) -> None:
        """Compare the weights with what they were, and look at the optimizer's state."""
        groups = {id(one): group for group in optimizer.param_groups for one in group["params"]}
        gradients = {batch.names: batch for batch in self._gradients.get(number, ())}
        for before in self._before.get(number, ()):
            present = {name: local(parameters[name]) for name in before.names if name in parameters}
            now = _batches(present)
            if (
                len(now) != 1
                or now[0].names != before.names
                or (now[0].values.shape != before.values.shape)
            ):
                continue  # replaced in the middle of a step
            after = now[0]
            was, change = _wide(before.values), _wide(after.values) - _wide(before.values)
            same = after.values == before.values
            update = before.reduce(change.square()).sqrt()
            size = before.reduce(was.square()).sqrt()
            gathering.add_row(Signal.UPDATE_RMS, before.names, update)
            ratio = update / size
            gathering.add_row(
                Signal.UPDATE_RATIO, before.names, torch.where(size > 0, ratio, math.nan)
            )
            gathering.add_row(Signal.UNCHANGED, before.names, before.reduce(same.float()))
            gradient = gradients.get(before.names)
            if gradient is not None and gradient.values.shape == same.shape:
                wanted = gradient.values != 0
                if after.values.dtype in HALVES:
                    count = before.reduce(wanted.float())
                    away = before.reduce((wanted & same).float()) / count.clamp(min=1e-12)
                    gathering.add_row(Signal.ROUNDED_AWAY, before.names, away)
            self._look_at_decay(
                before, change, gradient, (optimizer, groups, parameters), gathering
            )
        self._look_at_state(optimizer, groups, parameters, gathering)

    @staticmethod
    def _look_at_decay(
        before: _Batch,
        change: Tensor,
        gradient: _Batch | None,
        whose: tuple[torch.optim.Optimizer, Mapping[int, dict[str, Any]], Mapping[str, Tensor]],
        gathering: Gathering,
    ) -> None:
        """Compare weight decay's part of the update with that of the gradient."""
        optimizer, groups, parameters = whose
        each = [groups.get(id(parameters[name]), {}) for name in before.names]
        decays = [float(group.get("weight_decay") or 0) for group in each]
        rates = [float(group.get("lr") or 0) for group in each]
        was = _wide(before.values)
        decoupled = [
            bool(group.get("decoupled_weight_decay")) or type(optimizer).__name__.endswith("W")
            for group in each
        ]
        pull = torch.tensor(
            [
                decay * (rate if own else 1)
                for decay, rate, own in zip(decays, rates, decoupled, strict=True)
            ],
            device=was.device,
            dtype=was.dtype,
        )
        decayed = was * before.spread(pull)
        size = before.reduce(decayed.square()).sqrt()
        others = [math.nan] * len(before.names)
        other = torch.tensor(others, device=was.device, dtype=size.dtype)
        if any(decoupled):
            other = before.reduce((change + decayed).square()).sqrt()
        elif gradient is not None and gradient.names == before.names:
            other = before.reduce(_wide(gradient.values).to(was.dtype).square()).sqrt()
        if any(decays):
            ratio = torch.where(other > 0, size / other, math.nan)
            gathering.add_row(Signal.DECAY_RATIO, before.names, ratio)
        if "betas" in (optimizer.param_groups[0] if optimizer.param_groups else {}):
            own = change + decayed if any(decoupled) else change
            rate = torch.tensor(rates, device=was.device, dtype=size.dtype)
            step = before.reduce(own.square()).sqrt()
            gathering.add_row(
                Signal.ADAM_UPDATE, before.names, torch.where(rate > 0, step / rate, math.nan)
            )

    @staticmethod
    def _look_at_state(
        optimizer: torch.optim.Optimizer,
        groups: Mapping[int, dict[str, Any]],
        parameters: Mapping[str, Tensor],
        gathering: Gathering,
    ) -> None:
        """Look at what Adam divides by."""
        alike: dict[tuple[int, torch.device], list[tuple[str, Tensor]]] = defaultdict(list)
        for name, parameter in parameters.items():
            group = groups.get(id(parameter))
            state = optimizer.state.get(parameter)
            if group is None or not state or "exp_avg_sq" not in state or "betas" not in group:
                continue
            values = spread_out(local(state["exp_avg_sq"]), MOMENTS)
            if not values.numel():
                continue
            steps = state.get("step", 0)
            if not isinstance(steps, Tensor):
                steps = torch.tensor(float(steps))
            correction = 1 - float(group["betas"][1]) ** steps.to(values.device)
            alike[values.numel(), values.device].append(
                (name, values.float() / correction.clamp(min=1e-12))
            )
        for pairs in alike.values():
            names, each = zip(*pairs, strict=True)
            roots = torch.stack(each).sqrt()
            gathering.add_row(Signal.SECOND_MOMENT, names, roots.median(1).values)

    @property
    def gradient_samples(self) -> list[Tensor]:
        """The sampled gradients of the step, in an order that stays."""
        return [batch.values for _, each in sorted(self._gradients.items()) for batch in each]

    def symmetry(
        self, facts: Facts, parameters: Mapping[str, Tensor], gathering: Gathering
    ) -> None:
        """Compare the rows of each weight with each other; costs more, so it is done rarely."""
        for name, tensor in parameters.items():
            parameter = facts.parameter.get(name)
            if parameter is None or parameter.role is not Role.WEIGHT or not is_plain(tensor):
                continue
            rows = local(tensor).flatten(1)[:ROWS].float()
            if rows.shape[0] < 2 or rows.shape[1] < 2:
                continue
            gathering.add(Signal.SIMILAR_ROWS, name, _share_alike(rows))

    def end(self, gathering: Gathering) -> None:
        """Give the norms over all parameters."""
        if self._was_rewritten is not None:
            gathering.add(Signal.REWRITTEN, "", self._was_rewritten)
        after = _total(self._after_norms)
        if after is None:
            return
        gathering.add(Signal.TOTAL_NORM, "", after)
        if self._raw_norm is not None:
            before = self._raw_norm.to(after.device)
            gathering.add(Signal.TOTAL_NORM_BEFORE, "", before)
            gathering.add(Signal.CLIPPED, "", (after < before * (1 - 1e-4)).float())


def _share_alike(rows: Tensor) -> Tensor:
    """Return the share of rows that are alike another one but for their scale.

    Most weights have no two rows that are: some columns prove it at an eighth of the cost. Where these hold
    a fourth of their share of each row at least, two rows whose cosine is over ``ALIKE`` have one over 0.87
    in them.
    """
    length = rows.shape[1]
    few = rows[:, :: min(length // COLUMNS, 32)] if length >= 2 * COLUMNS else rows
    if few is not rows and tensors.is_at_hand(rows):
        few = few.contiguous()
        some, whole = (torch.linalg.vector_norm(one, dim=1) for one in (few, rows))
        is_fair = bool((some >= whole * math.sqrt(few.shape[1] / length / 4)).all())
        if is_fair and float(_likeness(few).max()) < 0.85:
            return torch.zeros(())
    return (_likeness(rows).amax(1) > ALIKE).float().mean()


def _likeness(rows: Tensor) -> Tensor:
    """Return the cosines of all pairs of rows, 0 for a row with itself."""
    found = rows @ rows.T
    norms = found.diagonal().sqrt().clamp(min=1e-12)  # dividing here is cheaper than before
    return found.div_(norms).div_(norms[:, None]).fill_diagonal_(0)


def _weights_told(
    elements: Mapping[str, int],
) -> Callable[[list[float]], Iterator[tuple[str, str, float]]]:
    """Return what tells the norms of weights, once they have crossed."""

    def tell(norms: list[float]) -> Iterator[tuple[str, str, float]]:
        for (name, count), norm in zip(elements.items(), norms, strict=True):
            yield Signal.WEIGHT_NORM, name, norm
            yield Signal.WEIGHT_RMS, name, norm / math.sqrt(count)

    return tell


def _versions(parameters: Mapping[str, Tensor]) -> dict[str, tuple[int, int]]:
    """Return where each gradient lies, and how often it has been written to in place."""
    return {
        name: (one.grad.data_ptr() if one.grad.layout is torch.strided else 0, one.grad._version)  # noqa: SLF001 - what autograd itself compares
        for name, one in parameters.items()
        if one.grad is not None
    }


def _gradients(parameters: Mapping[str, Tensor]) -> tuple[tuple[str, ...], tuple[Tensor, ...]]:
    """Return the gradients that are there, as plain tensors, with the names of their parameters."""
    pairs = [
        (name, local(one.grad))
        for name, one in parameters.items()
        if one.grad is not None and (is_plain(one.grad))
    ]
    pairs = [(name, one) for name, one in pairs if one.numel()]
    return tuple(name for name, _ in pairs), tuple(one for _, one in pairs)


def _norms(
    names: Sequence[str], tensors: Sequence[Tensor]
) -> Iterable[tuple[tuple[str, ...], Tensor]]:
    """Yield norms of all elements, in float32 at least, for the tensors of each device and dtype."""
    kinds: dict[tuple[torch.device, torch.dtype], list[tuple[str, Tensor]]] = defaultdict(list)
    for name, tensor in zip(names, tensors, strict=True):
        kinds[tensor.device, tensor.dtype].append((name, tensor))
    for (_, dtype), pairs in kinds.items():
        some, each = zip(*pairs, strict=True)
        wide = dtype if dtype is torch.float64 else torch.float32
        norms = torch._foreach_norm(each, 2.0, dtype=wide)  # noqa: SLF001 - what clip_grad_norm_ uses
        yield some, torch.stack(norms).to(wide)


def _total(norms: Sequence[Tensor]) -> Tensor | None:
    """Return the norm of all that some norms are of, on the device of the first."""
    if not norms:
        return None
    device = norms[0].device
    return torch.stack([one.square().sum().to(device) for one in norms]).sum().sqrt()
