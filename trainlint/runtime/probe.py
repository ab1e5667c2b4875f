"""`probe`: what a model does to a signal and to its gradient before its first step."""

from __future__ import annotations

import contextlib
import copy
import math
import re
import warnings
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from trainlint.core.errors import UserError
from trainlint.runtime.anatomy import Anatomy, is_leaf
from trainlint.runtime.collectors.activations import Activations
from trainlint.runtime.collectors.losses import look_at_loss
from trainlint.runtime.collectors.parameters import Parameters
from trainlint.runtime.hooks import Hooks, call_site, eagerly
from trainlint.runtime.judge import Judge
from trainlint.runtime.judging.gains import ideal_gain
from trainlint.runtime.looking import Looking
from trainlint.runtime.settings import settings_of
from trainlint.runtime.signals import Origin, Run, Signal, Step
from trainlint.runtime.source.places import Places
from trainlint.runtime.tensors import dense, is_plain
from trainlint.runtime.trials.feeding import (
    closed,
    copied,
    differentiable,
    first_of,
    loss_of,
    place_of,
    projection,
    refuse_empty,
    split,
)
from trainlint.runtime.trials.memory import trim
from trainlint.runtime.trials.probed import Effect, LayerReport, ProbeReport, Scale
from trainlint.runtime.trials.reinitialise import reinitialise
from trainlint.runtime.trials.restoring import (
    chance_restored,
    memory_restored,
    model_restored,
    modules_of,
    seeded,
)
from trainlint.runtime.trials.zero_start import awakened
from trainlint.runtime.watching import unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from trainlint.core.config import Settings
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.rule import Rule
    from trainlint.runtime.gathering import Gathering, Values
    from trainlint.runtime.signals import Activation, Facts, Layer

ONE_STEP: Final[Mapping[str, Mapping[str, Any]]] = {
    "poor-initial-scale": {},
    "initial-loss": {},
    "unnormalised-input": {},
    "symmetric-units": {},
    "label-shape-broadcast": {},
    "non-finite-loss": {},
    "non-finite-activation": {},
    "non-finite-gradient": {},
    "probabilities-as-logits": {"patience": 1},
    "no-gradient": {"patience": 1},
    "vanishing-gradient": {"patience": 1},
    "exploding-gradient": {"patience": 1},
    "saturated-activation": {"patience": 1},
    "dead-relu": {"patience": 1, "window": 1, "samples": 16},
    "collapsed-representation": {"patience": 1},
    "half-precision-overflow": {"patience": 1},
}
"""The rules that one step can prove, with the thresholds by which it is enough."""
CURABLE: Final = frozenset(
    {
        "poor-initial-scale",
        "vanishing-gradient",
        "exploding-gradient",
        "dead-relu",
        "saturated-activation",
        "symmetric-units",
        "initial-loss",
        "collapsed-representation",
        "non-finite-activation",
        "non-finite-loss",
    }
)
"""The rules whose defect another initialisation may mend."""
ALIKE: Final = 0.01
"""Under this variance over the batch, relative to the mean square, a signal may be lost in its mean."""
SWITCHING: Final = 0.1
"""It is lost where the units that are not dead are 0 less often: for no example instead of for half."""
SAME: Final = 1e-10
"""Under this variance over the batch, relative to the mean square, an output is the same for all."""
MORE: Final = 0.2
"""A loss that differs by more from the cross entropy in it is a sum of several."""
HELD: Final = 8 << 20
"""Bytes of gradients that are looked at together where each is freed once it has been."""
_FEW: Final = 3
_PLAIN: Final = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_INSIDE: Final = "NonDynamicallyQuantizableLinear"
"""The last layer of an attention of torch, which is part of it and never called."""
_LINEAR: Final = frozenset(one.__name__ for one in _PLAIN)
ENOUGH: Final = 1 << 15
"""Elements of an activation that are looked at: what is compared with theory is measured more exactly."""
_PATIENCE: Final = re.compile(
    r",? (?:for|in|of|at)(?: the last)? 1 (?:measured )?steps?(?: in a row)?(?=\W|$)"
)


def probe(
    model: nn.Module | Callable[[], nn.Module],
    batch: Any,
    loss: str | nn.Module | Callable[..., Any] | None = None,
    *,
    seeds: int = 1,
    remedy: bool | None = None,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    thresholds: Mapping[str, Mapping[str, object]] | None = None,
) -> ProbeReport:
    """Run one forward and one backward pass, and say what they do to the signal and its gradient.

    The model is left as it was to the bit: weights, buffers, gradients, modes and random states.

    Args:
        model: The model, or a function that makes it: then each seed has a model of its own.
        batch: What it is given: a tensor, a tuple whose last member is the target where there is a
            loss, a mapping whose `labels` or `target` is it, or any one object; of a `DataLoader` or an
            iterator the first one.
        loss: A function of output and target, or the name of one: `cross_entropy`, `mse`, `l1`,
            `huber`, `bce_with_logits`, `bce`, `nll`. Without it the model's own `loss` is taken, or
            a random projection of the output.
        seeds: How often to measure, to tell what is chance.
        remedy: Whether to measure the right initialisation, too, which is then undone; by default where
            a diagnosis may be mended by it.
        select: The rules that are on, instead of the configured ones.
        ignore: Rules to turn off.
        thresholds: Thresholds of rules, by their names.

    Raises:
        UserError: There is nothing to measure: no parameters, or a loss without a graph.

    """
    settings = settings_of(select=select, ignore=ignore, thresholds=thresholds, origin="probe")
    return probed(model, batch, loss, settings, origin=call_site(), seeds=seeds, remedy=remedy)


def probed(
    model: nn.Module | Callable[[], nn.Module],
    batch: Any,
    loss: Any,
    settings: Settings,
    *,
    origin: Origin,
    seeds: int = 1,
    remedy: bool | None = None,
) -> ProbeReport:
    """Probe a model with settings that are known."""
    with chance_restored(), torch.inference_mode(mode=False), torch.enable_grad():
        first: nn.Module | None = None
        places: Places | None = None  # of its layers, which are looked for once
        measured: list[_Measured] = []
        batch = first_of(batch)
        for seed in range(max(1, seeds)):
            seeded(seed)
            one = model if isinstance(model, nn.Module) or not callable(model) else model()
            one = _checked(one)
            there = places if places and one is first else Places({"": one}, origin)
            if first is None:
                first, places = one, there
            measured.append(_measure(one, batch, loss, there))
        assert first is not None
        assert places is not None
        report = _report(type(first).__name__, measured, settings)
        wants = any(one.rule in CURABLE for one in report.diagnoses) if remedy is None else remedy
        if wants:
            report = _with_effect(report, first, (batch, loss, places), settings)
        return report


def _checked(model: Any) -> nn.Module:
    """Return the module that the user wrote, in a copy where a forward pass would change it for good."""
    if not isinstance(model, nn.Module):
        msg = f"the model is of type `{type(model).__name__}`, not a torch.nn.Module"
        raise UserError(msg)
    if isinstance(model, torch.jit.ScriptModule):
        msg = "the model is compiled by TorchScript, which lets nothing be seen: probe it before"
        raise UserError(msg)
    inner = unwrapped(model)
    if not any(True for _ in inner.parameters()):
        msg = f"{place_of(inner)}`{type(inner).__name__}` has no parameters, so there is nothing to probe"
        raise UserError(msg)
    empty = next((name for name, one in inner.named_parameters() if one.is_meta), None)
    if empty is not None:
        msg = (
            f"{place_of(inner)}`{empty}` of `{type(inner).__name__}` is on the meta device, which holds no"
            " numbers: give the model its weights first (`to_empty`, then an initialisation)"
        )
        raise UserError(msg)
    if any(isinstance(one, nn.parameter.UninitializedParameter) for one in inner.parameters()):
        return copy.deepcopy(inner)
    if any(one.is_inference() for one in inner.parameters()):
        what = f"{place_of(inner)}`{type(inner).__name__}`"
        msg = f"{what} is made in `torch.inference_mode`: nothing of it can learn"
        raise UserError(msg)
    return inner


@dataclass
class _Measured:
    """What one forward and one backward pass gave."""

    facts: Facts
    values: Values
    output: tuple[float, float]
    independent: list[str]
    expected: float | None
    notes: list[str]


class _Observer(Looking):
    """Looks at a forward pass as a monitor does, for one step."""

    def __init__(self, anatomy: Anatomy) -> None:
        looked_at = Activations(lambda look, gradient: look(gradient), enough=ENOUGH, whole=True)
        super().__init__(anatomy, looked_at)
        self.activations.begin()

    def entered(self, name: str, module: nn.Module, inputs: Any, *, is_outermost: bool) -> None:
        """Note in which mode the model runs."""
        del name, inputs
        if is_outermost:
            self.gathering.add(Signal.TRAINING, "", module.training)

    def left(
        self, name: str, module: nn.Module, inputs: Any, output: Any, *, is_outermost: bool
    ) -> None:
        """Look at what a leaf, or the model, returned."""
        if is_leaf(module):
            self.at_module(name, module, inputs, output)
        if is_outermost:
            self.at_output(output)

    def called(
        self, name: str, kind: str, activation: Activation | None, inputs: Any, output: Any
    ) -> None:
        """Look at what an activation or an attention returned that was called as a function."""
        self.at_function(name, kind, activation, inputs, output)


def _measure(
    model: nn.Module, batch: Any, loss: Any, places: Places, *, is_frugal: bool = False
) -> _Measured:
    """Run a forward and a backward pass and look at both; the model is left as it was.

    ``is_frugal`` has no more than a few gradients at a time, for what else stands beside them.
    """
    steps = any(one._post_accumulate_grad_hooks for one in model.parameters())  # noqa: SLF001
    with contextlib.ExitStack() as stack:
        stack.enter_context(eagerly())
        for one in modules_of(model, loss):
            stack.enter_context(model_restored(one, weights=steps))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        if not model.training:
            model.train()
        args, kwargs, target = split(model, batch, has_loss=loss is not None)
        refuse_empty((args, kwargs))
        target = copied(target)  # one that was made for inference has no place in a graph

        def forward() -> Any:
            given, named = copied((args, kwargs))  # a model may write to what it is given
            return model(*given, **named)

        if any(isinstance(one, nn.parameter.UninitializedParameter) for one in model.parameters()):
            with torch.no_grad():
                forward()
        trainable = [one for one in model.parameters() if one.requires_grad]
        if not trainable:
            msg = f"{place_of(model)}no parameter of `{type(model).__name__}` requires a gradient"
            raise UserError(msg)
        # Rules ask which parameters are trained, and at a rate over 0. Making an optimizer of torch imports
        # its compiler, which takes seconds.
        facts_of: Any = SimpleNamespace(param_groups=[{"params": trainable, "lr": 1e-30}], state={})
        anatomy = Anatomy({"": model}, [facts_of], Run(places.caller), places)
        anatomy.look()
        observer = _Observer(anatomy)
        observer.at_input((args, kwargs))
        hooks = Hooks(observer)
        hooks.install(anatomy.modules)
        try:
            output = forward()
        finally:
            hooks.end()
        value, note = loss_of(loss, output, target)
        gathering = observer.gathering
        if not note or "targets" in note:
            gathering.add(Signal.LOSS, "", value)
        look_at_loss(value, gathering)
        parameters = _Parameters(anatomy, gathering)
        with parameters.freed() if is_frugal else contextlib.nullcontext():
            value.backward()
        observer.activations.end(gathering)
        parameters.end()
        values = gathering.cross().read()
        batch_size = int(values.get(Signal.BATCH_SIZE, {}).get("", 0))
        scale, expected = _scale_of(output), _expected(values, value, target)
        notes = [note] if note else []
        kept_out = closed(output) if "projection" in note else ""
        if kept_out:
            notes.append(f"what a `{kept_out}` in the output holds is no part of it: give a loss")
            values.pop(Signal.GRADIENT_MISSING, None)

        def again() -> Any:
            nonlocal output
            model.zero_grad()
            output = forward()
            loss_of(loss, output, target)[0].backward()

        others = differentiable(output)[1:] if isinstance(loss, str) else []
        if others and any(_unreached(values)):
            notes.append(f"the loss is that of the first of {len(others) + 1} outputs")
            model.zero_grad()
            projection(differentiable(forward())[1:]).backward()
            _leave_out_reached(model, values)
            again()
        notes += _unseen(model, values)
        zeros = awakened(model, values, again)
        if zeros:
            notes.append(
                f"{_few(zeros)} start at 0: what they cut off has its first gradient in the second step"
            )
        return _Measured(
            replace(anatomy.facts, optimizers=()),  # nobody has chosen a rate yet
            values,
            scale,
            list(_independent(output, batch_size, values)),
            expected,
            notes,
        )


def _leave_out_reached(model: nn.Module, values: Values) -> None:
    """Leave parameters without a gradient out of what is known where they have one now."""
    named = dict(model.named_parameters())
    for name in list(_unreached(values)):
        gradient = named[name].grad
        if gradient is not None and dense(gradient.detach()).any():
            del values[Signal.GRADIENT_MISSING][name]


def _unseen(model: nn.Module, values: Values) -> list[str]:
    """Say which layers have a gradient though nobody saw them run, if there are any."""
    seen = values.get(Signal.RMS, {})
    missing = values.get(Signal.GRADIENT_MISSING, {})
    names = [
        name
        for name, one in model.named_modules()
        if (isinstance(one, _PLAIN) or getattr(one, "original_name", "") in _LINEAR)
        and type(one).__name__ != _INSIDE
        and name not in seen
        and missing.get(f"{name}.weight") == 0
    ]
    if not names:
        return []
    note = (
        f"{_few(names)} cannot be seen to run, as in a checkpoint with `use_reentrant=True`, in what"
        " TorchScript has compiled, in `torch.func`, with parts of its own or where only the weight is"
        " used: the table is without them"
    )
    return [note]


def _bytes(parameter: Tensor) -> int:
    """Return how many bytes a parameter's gradient has, a sparse one as if it were dense."""
    return 0 if parameter.grad is None else parameter.numel() * parameter.element_size()


class _Parameters:
    """Looks at the gradients and weights as before an optimizer's step, and at how alike rows are."""

    def __init__(self, anatomy: Anatomy, gathering: Gathering) -> None:
        self._anatomy, self._gathering = anatomy, gathering
        self._named: dict[str, Tensor] = {
            name: one for name, one in anatomy.parameters.items() if one.requires_grad
        }
        self._left = dict(self._named)
        """What has not been looked at."""
        self._held: dict[str, Tensor] = {}
        """What has its gradient, and is looked at and freed next."""
        self._looker = Parameters()
        self._looker.begin()

    @contextlib.contextmanager
    def freed(self) -> Iterator[None]:
        """Look at gradients while they come, and free them: they never stand beside each other."""

        def came(name: str, parameter: Tensor) -> None:
            self._held[name] = parameter
            if sum(map(_bytes, self._held.values())) > HELD:
                self._look(self._held)
                for one in self._held.values():
                    one.grad = None
                self._held.clear()

        handles = [
            one.register_post_accumulate_grad_hook(partial(came, name))
            for name, one in self._named.items()
            if is_plain(one)
        ]
        try:
            yield
        finally:
            for one in handles:
                one.remove()

    def _look(self, parameters: Mapping[str, Tensor]) -> None:
        self._looker.before_step(0, parameters, None, self._gathering)
        for name in parameters:
            self._left.pop(name, None)

    def end(self) -> None:
        """Look at the rest, and at all together."""
        self._look(dict(self._left))
        self._looker.symmetry(self._anatomy.facts, self._named, self._gathering)
        self._looker.end(self._gathering)


def _outputs(value: Any, name: str = "output") -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of an output by how a person would write them."""
    if isinstance(value, Tensor):
        if is_plain(value):
            yield name, value
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for key in value._fields:
            yield from _outputs(getattr(value, key), f"{name}.{key}")
    elif isinstance(value, (tuple, list)):
        for at, one in enumerate(value):
            yield from _outputs(one, f"{name}[{at}]")
    elif hasattr(value, "items"):
        for key, one in value.items():
            yield from _outputs(one, f"{name}[{key!r}]")
    elif hasattr(value, "__dataclass_fields__"):
        for key in value.__dataclass_fields__:
            yield from _outputs(getattr(value, key, None), f"{name}.{key}")


def _scale_of(output: Any) -> tuple[float, float]:
    """Return the root mean square and the mean of the first output that is more than a loss."""
    found = next((pair for pair in _outputs(output) if pair[1].dim()), None)
    if found is None or found[1].numel() == 0 or found[1].is_complex():
        return math.nan, math.nan
    values = found[1].detach().float()
    return float(values.square().mean().sqrt()), float(values.mean())


def _independent(output: Any, batch_size: int, values: Values) -> Iterator[str]:
    """Yield the outputs that are the same for all examples, though these differ."""
    if batch_size < 2 or values.get(Signal.INPUT_CONSTANT, {}).get("") == 1:  # noqa: PLR2004
        return
    for name, one in _outputs(output):
        if one.dim() < 1 or one.shape[0] != batch_size or one.is_complex() or not one.numel():
            continue
        seen = one.detach().float().reshape(batch_size, -1)
        square = seen.square().mean()
        if torch.isfinite(square) and (seen - seen[:1]).square().mean() <= SAME * square:
            yield name


def _expected(values: Values, loss: Tensor, target: Any) -> float | None:
    """Return the loss of a guess, where the kind of the loss is known, and it is nothing more."""
    classes = values.get(Signal.CLASSES, {}).get("")
    own = values.get(Signal.CLASS_LOSS, {}).get("")
    if classes and own is not None:
        is_all = math.isclose(float(loss.detach()), own, rel_tol=MORE)
        return math.log(classes) if is_all else None
    kind = loss.grad_fn.name() if loss.grad_fn is not None else ""
    if kind.startswith("BinaryCrossEntropy"):
        return math.log(2)
    if kind.startswith("MseLoss") and isinstance(target, Tensor):
        return float(target.float().square().mean())
    return None


def _judged(one: _Measured, settings: Settings) -> tuple[Diagnosis, ...]:
    """Show a measured step to the rules that one step can prove."""
    rules = tuple(rule for rule in settings.rules if rule.name in ONE_STEP)
    thresholds = {
        rule.name: {**settings.thresholds.get(rule.name, {}), **ONE_STEP[rule.name]}
        for rule in rules
    }

    def failed(rule: Rule, error: Exception) -> None:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        one.notes.append(f"{rule.name} could not judge ({reason})")

    judge = Judge(replace(settings, rules=rules, thresholds=thresholds), failed)
    dead = _really_dead(one)
    values = {**one.values, Signal.DEAD_UNITS: dead}
    if dead:  # so that a rule knows that units have been dead from the start
        before = {
            Signal.DEAD_UNITS: dead,
            Signal.WINDOW_STEPS: dict.fromkeys(dead, 0.0),
            Signal.WINDOW_SAMPLES: dict.fromkeys(dead, 0.0),
        }
        judge.observe(Step(0, one.facts, {str(key): value for key, value in before.items()}))
    judge.observe(Step(0, one.facts, values))
    return tuple(_together(judge.diagnoses))


def _really_dead(one: _Measured) -> dict[str, float]:
    """Return the shares of dead units of the rectifiers to which a signal still comes.

    Where none does, a unit is 0 for all examples or for none, by chance: it is not the unit that is dead.
    """
    of = {key: one.values.get(key, {}) for key in (Signal.BATCH_VARIANCE, Signal.ZERO)}
    before = {layer.name: given.name for given, layer in pairwise(one.facts.layers)}

    def is_lost(name: str, share: float) -> bool:
        spread = of[Signal.BATCH_VARIANCE].get(before.get(name, ""), 1.0)
        switched = of[Signal.ZERO].get(name, 1.0) - share
        return spread < ALIKE and switched < SWITCHING * (1 - share)

    dead = one.values.get(Signal.DEAD_UNITS, {})
    return {name: share for name, share in dead.items() if not is_lost(name, share)}


def _together(diagnoses: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Yield the first diagnosis of a rule for each line, which tells how many layers it speaks of."""
    groups: dict[tuple[str, str, int], list[Diagnosis]] = {}
    for one in diagnoses:
        place = (one.path, one.span.line) if one.span.line else (one.message, 0)
        groups.setdefault((one.rule, *place), []).append(one)
    for first, *others in groups.values():
        message = _PATIENCE.sub("", first.message)
        if others:
            names = [one.moment.layer for one in others if one.moment is not None]
            message += f"; so it is with {_few(names)} of the same line"
        yield replace(first, message=message)


def _report(name: str, measured: Sequence[_Measured], settings: Settings) -> ProbeReport:
    """Put together what was measured with each seed; the first one is judged."""
    first = measured[0]
    values = first.values

    def run(signal: Signal) -> float | None:
        return values.get(signal, {}).get("")

    size = run(Signal.BATCH_SIZE)
    diagnoses = _judged(first, settings)
    return ProbeReport(
        name,
        tuple(_rows(measured)),
        diagnoses,
        run(Signal.LOSS),
        first.expected,
        _known(first.output[0]),
        _known(first.output[1]),
        None if size is None else int(size),
        tuple(_unreached(values)),
        tuple(first.independent),
        len(measured),
        notes=(*_spoilt(values), *first.notes),
        facts=first.facts,
        signals=values,
    )


def _spoilt(values: Values) -> Iterator[str]:
    """Say which weights are NaN or infinite before anything has run, if there are any."""
    sizes = values.get(Signal.WEIGHT_NORM, {})
    names = [name for name, size in sizes.items() if not math.isfinite(size)]
    if names:
        yield f"{_few(names)} {'is' if len(names) == 1 else 'are'} NaN or infinite before anything has run"


def _few(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    told = ", ".join(f"`{one}`" for one in names[:_FEW])
    return told + (f" and {len(names) - _FEW:,} more" if len(names) > _FEW else "")


def _unreached(values: Values) -> Iterator[str]:
    """Yield the parameters without a gradient, but for a bias whose shift merely cancels out."""
    missing = values.get(Signal.GRADIENT_MISSING, {})
    largest = values.get(Signal.GRADIENT_MAX, {})
    for name, is_missing in missing.items():
        owner, _, last = name.rpartition(".")
        weight = f"{owner}.weight".lstrip(".")
        cancels = last == "bias" and not missing.get(weight, 1) and largest.get(weight, 0) != 0
        if is_missing or (largest.get(name) == 0 and not cancels):
            yield name


def _known(value: float) -> float | None:
    """Return a number, None where there is none."""
    return None if math.isnan(value) else value


def _rows(measured: Sequence[_Measured]) -> Iterator[LayerReport]:
    """Yield what each layer does."""
    first = measured[0]
    running = [_running(one) for one in measured]
    weighted = [one.name for one in first.facts.layers if one.weight and not one.is_norm]
    gradients = first.values.get(Signal.OUTPUT_GRADIENT_RMS, {})
    behind = dict(pairwise(weighted))
    last = next((seen for name in reversed(weighted) if (seen := gradients.get(name))), None)
    of = {
        signal: first.values.get(signal, {})
        for signal in (
            Signal.RMS,
            Signal.INPUT_RMS,
            Signal.VARIANCE,
            Signal.DEAD_UNITS,
            Signal.SATURATED,
            Signal.NON_FINITE,
        )
    }
    for layer in first.facts.layers:
        name = layer.name
        if name not in of[Signal.RMS]:
            continue
        is_weighted = name in weighted
        ratio = _over(of[Signal.RMS].get(name), of[Signal.INPUT_RMS].get(name))
        ratio = ratio if is_weighted else None
        every = [one[name] for one in running if name in one]
        gradient = gradients.get(name)
        yield LayerReport(
            layer,
            of[Signal.VARIANCE].get(name),
            None if ratio is None else ratio**2,
            None if ratio is None else _predicted(layer, first.values),
            running[0].get(name),
            (min(every), max(every)) if len(every) > 1 else None,
            gradient,
            _over(gradient, gradients.get(behind.get(name, ""))) if is_weighted else None,
            _over(gradient, last),
            ratio,
            ideal_gain(layer.followed_by) if is_weighted and not layer.is_recurrent else None,
            of[Signal.DEAD_UNITS].get(name),
            of[Signal.SATURATED].get(name),
            int(of[Signal.NON_FINITE].get(name, 0)),
        )


def _predicted(layer: Layer, values: Values) -> float | None:
    """Return the mean square of an output over that of the input as theory has it (Glorot, He)."""
    sizes = values.get(Signal.WEIGHT_RMS, {})
    owner, _, name = layer.weight.rpartition(".")
    weight, given = sizes.get(layer.weight), values.get(Signal.INPUT_RMS, {}).get(layer.name)
    if layer.kind not in _LINEAR or name != "weight" or weight is None or not given:
        return None
    bias = sizes.get(f"{owner}.bias".lstrip("."), 0.0)
    return layer.fan_in * weight**2 + (bias / given) ** 2


def _running(one: _Measured) -> dict[str, float]:
    """Return the mean square of each output over that of what the first layer with weights is given."""
    made, given = one.values.get(Signal.RMS, {}), one.values.get(Signal.INPUT_RMS, {})
    start = next((given[layer.name] for layer in one.facts.layers if given.get(layer.name)), None)
    if start is None:  # an embedding
        start = next((made[each.name] for each in one.facts.layers if made.get(each.name)), 1.0)
    return {name: (value / start) ** 2 for name, value in made.items()}


def _over(value: float | None, other: float | None) -> float | None:
    """Return a quotient, None where one of the two is not known or the other is 0."""
    return None if value is None or not other else value / other


def _scale(report: ProbeReport) -> Scale:
    """Return a model at a glance."""
    weighted = [one for one in report.weighted if not one.layer.is_recurrent]
    hidden = [one for one in weighted if not one.layer.is_output]
    dead = [one.dead for one in report.layers if one.dead is not None]
    flat = [
        one.saturated
        for one in report.layers
        if one.saturated is not None and not one.layer.is_output
    ]
    return Scale(
        (hidden or weighted)[-1].running if weighted else None,
        weighted[0].backward_running if weighted else None,
        max(dead, default=None),
        max(flat, default=None),
        report.loss,
        tuple(dict.fromkeys(one.rule for one in report.diagnoses)),
    )


def _with_effect(
    report: ProbeReport,
    model: nn.Module,
    what: tuple[Any, Any, Places],
    settings: Settings,
) -> ProbeReport:
    """Measure what the right initialisation of each layer changes; the weights are given back.

    Not on a deep copy: the `forward` of one may be bound to the model that it was made from.
    """
    with chance_restored(), memory_restored(model):
        seeded(0)
        schemes = reinitialise(model, report.facts.layers)
        if not schemes:
            return report
        seeded(0)
        trim()
        after = _report(report.name, [_measure(model, *what, is_frugal=True)], settings)
    effect = Effect(tuple(schemes), _scale(report), _scale(after))
    return replace(report, effect=effect)


__all__ = ["ProbeReport", "probe"]
