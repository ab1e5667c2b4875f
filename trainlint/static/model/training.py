"""What a training is made of: losses, optimizers, schedulers, loaders."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.core.loop import LoopEvent
from trainlint.static.model.checkpoints import may_grow
from trainlint.static.model.expression import AtCall, Call, Expr
from trainlint.static.model.purpose import Purpose, labels, purpose_of_data
from trainlint.static.model.tree import ScopeKind
from trainlint.static.torch_api import (
    LAYER_PARAMETERS,
    LOADER_PARAMETERS,
    LOSS_FUNCTIONS,
    LOSS_MODULES,
    OPTIMIZER_PARAMETERS,
    SCHEDULER_PARAMETERS,
)

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Span
    from trainlint.core.fix import Edit
    from trainlint.static.model.file import FileModel
    from trainlint.static.model.layers import Layer, ModuleClass

_LOSS_WORDS = re.compile(r"crit|loss|objective|cost|\bce\b|bce|nll|mse|xent", re.IGNORECASE)
_PARAMETER_METHODS = {"parameters", "named_parameters"}
_KEEP_BASE_RATE = frozenset(
    {
        "StepLR",
        "MultiStepLR",
        "ExponentialLR",
        "CosineAnnealingLR",
        "CosineAnnealingWarmRestarts",
        "ReduceLROnPlateau",
        "PolynomialLR",
    }
)
"""Schedulers whose first rate is the one that the optimizer was given."""
_TRAINS = re.compile(r"^fit$|(^|_)train(ing)?(_|$)|[tT]rainer$")
"""Names of functions and classes that train on a loader that they are given."""
_SETS_RATE = re.compile(
    r"(?i:sched|warm_?up|anneal|noam|(adjust|set|update|change|decay)_?(lr|learning_?rate))|LR$"
)
"""Names of functions and classes that set the rate of the optimizer they are given: schedulers of
transformers, timm and the file's own, ``adjust_learning_rate(optimizer, epoch)``."""


@immutable
class _Made(AtCall):
    """Something that a call constructs."""

    kind: str
    """The last part of the class's name: ``Adam``."""
    call: Call

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the constructor's parameters by position."""
        return ()

    def argument(self, name: str) -> Expr | None:
        """Return what is passed for a parameter, by position or keyword; None if nothing."""
        position = self.parameters.index(name) if name in self.parameters else None
        return self.call.argument(position, name)

    def number(self, name: str) -> float | int | None:
        """Return a parameter's value if it is a known number, else None."""
        argument = self.argument(name)
        if argument is None:
            return None
        value = argument.number()
        if value is None:
            self.call.model.note_unresolved(argument, f"the value of {name}")
        return value


@immutable
class Given:
    """A number that an optimizer is given: ``at`` where it is told, ``value`` what the file says."""

    at: Expr
    value: float | int
    call: Call
    in_group: bool = False
    """Whether it is given to one parameter group only."""
    params: Expr | None = None
    """The parameters it is for: those of the group, else those of the optimizer."""

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.at.path

    @property
    def span(self) -> Span:
        """The argument; the construction, where the argument stands elsewhere (``**settings``)."""
        inside = self.at in self.call.parts()
        return self.at.span if inside else self.call.span

    @property
    def quoted(self) -> str:
        """The number as told, in backticks, with its value where that is written elsewhere."""
        try:
            float(self.at.text)
        except ValueError:
            return f"{self.at.quoted} ({self.value:g})"
        return self.at.quoted

    @property
    def trains_modules(self) -> bool:
        """Whether it is for the ``parameters()`` of modules, as far as the file says."""
        return self.params is not None and bool(_owners_of_parameters(self.params))

    @property
    def sources(self) -> tuple[tuple[Expr, str], ...]:
        """Where the number is written, if that is another place: a constant, a default."""
        origins = self.at.origins()
        if len(origins) != 1 or origins[0].span == self.span:
            return ()
        return ((origins[0], "the value comes from here"),)


@immutable
class Optimizer(_Made):
    """An optimizer of ``torch.optim``, or one of another package with its class's name."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the constructor's parameters by position."""
        return OPTIMIZER_PARAMETERS.get(self.kind, ("params", "lr"))

    @property
    def is_torch(self) -> bool:
        """Whether it is of ``torch.optim``."""
        return (self.call.callee or "").startswith("torch.optim.") or self.call.callee is None

    @property
    def params(self) -> Expr | None:
        """What it optimises: parameters, groups, a list of tensors."""
        return self.argument("params")

    @property
    def groups(self) -> tuple[dict[str, Expr], ...]:
        """The parameter groups that are written as dicts; empty where there are none or unknown."""
        params = self.params
        if params is None:
            return ()
        origins = params.origins()
        items = origins[0].items if len(origins) == 1 else None
        entries = [item.origins()[0].entries for item in items or ()]
        return tuple(entry for entry in entries if entry)

    def given(self, name: str) -> list[Given]:
        """Return the known numbers given for a parameter, of the call and of its groups."""
        places = [(self.argument(name), False, self.params)]
        places += [(group.get(name), True, group.get("params")) for group in self.groups]
        found = []
        for place, in_group, params in places:
            value = None if place is None else place.number()
            if place is not None and value is not None:
                found.append(Given(place, value, self.call, in_group, params))
            elif place is not None:
                self.call.model.note_unresolved(place, f"the value of {name}")
        return found

    def given_pair(self, name: str) -> list[Given | None]:
        """Return the two numbers of a pair (``betas``), None for one that is not known."""
        place = self.argument(name)
        if place is None:
            return []
        origins = place.origins()
        items = origins[0].items if len(origins) == 1 else None
        if items is None or len(items) != 2:  # noqa: PLR2004 - a pair
            return []
        numbers = [item.number() for item in items]
        return [
            None if number is None else Given(place, number, self.call, params=self.params)
            for number in numbers
        ]

    def may_be(self, expr: Expr) -> bool:
        """Say whether an expression may stand for this optimizer."""
        return self.call in expr.objects()

    @property
    def schedulers(self) -> tuple[Scheduler, ...]:
        """The schedulers of the file that drive its rate, or may."""
        model = self.call.model
        return tuple(one for one in model.schedulers() if one.may_drive(self))

    @property
    def rate_is_idle(self) -> bool:
        """Whether the rate it is given may not be the one it uses.

        A scheduler sets it or multiplies it by factors of its own, the loop writes it into the
        groups, or a wrapper that takes the optimizer does.
        """
        model = self.call.model
        given = self.argument("lr")
        if not all(one.reaches(given) for one in self.schedulers):
            return True
        if any(
            target.owner is not None and not target.is_attribute
            for target, _ in model.assignments("lr")
        ) or any(_updates_group(call) for call in model.method_calls("update")):
            return True
        known = {one.call for one in model.schedulers()}
        if any(
            self.may_be(argument)
            for call in model.calls_named(_SETS_RATE)
            if call not in known
            for argument in (*call.args, *call.keywords.values())
        ):
            return True
        return any(True for _ in model.calls_taking(self.call))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of what it optimises, as far as they are known: at least these."""
        model = self.call.model
        found: list[Layer] = []
        for owner in self.models:
            module = model.module_of(owner)
            if module is not None:
                found += module.layers
            else:
                found += [step.layer for step in model.layers.steps(owner) if step.layer]
        return tuple(found)

    @property
    def sure_layers(self) -> tuple[Layer, ...]:
        """The layers of what it optimises that are built under no condition."""
        model = self.call.model
        found: list[Layer] = []
        for owner in self.models:
            module = model.module_of(owner)
            if module is not None:
                found += model.layers.built_by(module.scope, surely=True)
            else:
                steps = [step for step in model.layers.steps(owner) if not step.optional]
                found += [step.layer for step in steps if step.layer and not step.one_of_several]
        return tuple(found)

    @property
    def depth(self) -> int:
        """The most layers with weights that the data meets one after the other in one of its models.

        At least: a way is counted as far as it can be followed, and two heads of a network, or two
        networks in one class, are not added up.
        """
        model, depths = self.call.model, [0]
        for owner in self.models:
            module = model.module_of(owner)
            ways = [] if module is None else [stack.steps for stack in module.stacks]
            for way in ways if module is not None else [tuple(model.layers.steps(owner))]:
                layers = [step.layer for step in way if step.layer is not None]
                depths.append(sum(layer.is_linear or layer.is_recurrent for layer in layers))
        return max(depths)

    @property
    def is_of_one_layer(self) -> bool:
        """Whether each model that it optimises holds one layer only, as far as the file shows them."""
        modules = self.modules
        counts = [len(module.attributes) for module in modules]
        return bool(counts) and len(modules) == len(self.models) and all(one == 1 for one in counts)

    @property
    def models(self) -> tuple[Expr, ...]:
        """The objects whose ``parameters()`` it optimises, as written: ``net`` of ``net.parameters()``."""
        params = self.params
        parts = [] if params is None else [params, *(group.get("params") for group in self.groups)]
        found: dict[str, Expr] = {}
        for part in parts:
            for owner in () if part is None else _owners_of_parameters(part):
                found.setdefault(owner.text, owner)
        return tuple(found.values())

    @property
    def modules(self) -> tuple[ModuleClass, ...]:
        """The module classes of the file that it optimises, where all of them are known."""
        found = [self.call.model.module_of(model) for model in self.models]
        return tuple(module for module in found if module is not None)


def _constructs(call: Call) -> bool:
    """Say whether a class is called, by what it is or by its name: a function may return None."""
    if call.target is not None:
        return call.target.kind is ScopeKind.CLASS
    return (call.method or "")[:1].isupper()


def _updates_group(call: Call) -> bool:
    """Say whether a call of ``update`` writes a rate into a parameter group."""
    group = call.receiver
    if group is None:
        return False
    held = group if group.iterated is None else group.iterated
    entries = (call.args[0].entries if call.args else None) or {}
    return held.mentions("param_groups") and "lr" in {**call.keywords, **entries}


def _owners_of_parameters(expr: Expr) -> tuple[Expr, ...]:
    """Return what ``parameters()`` is called on anywhere in the origins of an expression."""
    found: dict[str, Expr] = {}
    for origin in expr.origins():
        for call in origin.calls():
            if call.method in _PARAMETER_METHODS and call.receiver is not None:
                found.setdefault(call.receiver.text, call.receiver)
    return tuple(found.values())


@immutable
class Scheduler(_Made):
    """A scheduler of ``torch.optim.lr_scheduler``."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the constructor's parameters by position."""
        return SCHEDULER_PARAMETERS.get(self.kind, ("optimizer",))

    def may_drive(self, optimizer: Optimizer) -> bool:
        """Say whether it schedules an optimizer, or one that is not known."""
        driven = self.argument("optimizer")
        if driven is None:
            return True
        return optimizer.may_be(driven) or not any(
            isinstance(origin, Call) for origin in driven.objects()
        )

    def reaches(self, rate: Expr | None) -> bool:
        """Say whether the optimizer uses the rate that it was given at some time of the schedule.

        It starts with it, or a cycle rises to the very same number.
        """
        if self.kind in _KEEP_BASE_RATE:
            return True
        peak = self.argument("max_lr")
        value = None if peak is None or rate is None else rate.number()
        return value is not None and peak is not None and peak.number() == value

    def may_step(self, optimizer: Expr) -> bool:
        """Say whether what an expression stands for may be the optimizer that it schedules."""
        driven = self.argument("optimizer")
        return driven is None or self.call.model.identities.may_be_same(driven, optimizer)

    def drives(self, optimizer: Expr, maker: Call | None = None) -> bool:
        """Say whether it surely schedules what an expression stands for.

        ``maker`` is the call that gave it to whoever steps it: a function of another file that builds
        it may have got the optimizer there.
        """
        driven = self.argument("optimizer")
        if driven is None:
            return False
        identities = self.call.model.identities
        binding = driven.binding if maker is not None and driven.is_parameter else None
        if binding is not None and maker is not None and maker.target is binding.site.scope:
            passed = self.call.model.follower.argument_for(maker, binding)
            if passed is not None and identities.same(passed, optimizer):
                return True
        return identities.same(driven, optimizer)


@immutable
class Loader(_Made):
    """A ``DataLoader``."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the constructor's parameters by position."""
        return LOADER_PARAMETERS

    @property
    def purpose(self) -> Purpose | None:
        """What the file says that it feeds: by its name, its data set, its function; None if nothing.

        A name that speaks of validation or testing outweighs everything else.
        """
        dataset = self.argument("dataset")
        function = self.call.function
        names = [*labels(self.call), "" if function is None else function.name]
        found = {Purpose.of(name) for name in names}
        if dataset is not None:
            found.add(Purpose.of(dataset.name))
            calls = (one for one in dataset.origins() if isinstance(one, Call))
            found.update(purpose_of_data(one) for one in calls)
        found.discard(None)
        if Purpose.EVALUATION in found:
            return Purpose.EVALUATION if len(found) == 1 else Purpose.BOTH
        return Purpose.TRAINING if Purpose.TRAINING in found else None

    @property
    def is_for_training(self) -> bool:
        """Whether the file says that it feeds a training: by its purpose, or by ``shuffle=True``."""
        if self.purpose in {Purpose.EVALUATION, Purpose.BOTH}:
            return False
        return self.flag("shuffle") is True or self.purpose is Purpose.TRAINING

    @property
    def is_open(self) -> bool:
        """Whether it may be passed more than the file says: a ``**`` of a dict that may grow."""
        return self.call.is_open or any(may_grow(one) for one in self.call.unpacked)

    def flag(self, name: str) -> bool | None:
        """Return the truth of an argument: False where it is not passed, None where it is not known."""
        given = self.argument(name)
        if given is None:
            return None if self.is_open else False
        return given.truth()

    def is_given(self, name: str) -> bool | None:
        """Say whether an argument is passed that is surely not None; None where that is not known."""
        given = self.argument(name)
        if given is None:
            return None if self.is_open else False
        if all(isinstance(one, Call) and _constructs(one) for one in given.origins()):
            return True
        return False if given.literal() is None else None

    @property
    def feeds_training(self) -> bool:
        """Whether a loop with a ``backward()`` iterates over it, or what trains by its name is given it."""
        model = self.call.model
        for routine in model.routines():
            for event in routine.of(LoopEvent.BACKWARD):
                if any(self.call in loop.loaders for loop in event.loops):
                    return True
        return any(
            self.call in argument.objects()
            for call in model.calls_named(_TRAINS)
            for argument in (*call.args, *call.keywords.values())
        )

    @property
    def held_as(self) -> str | None:
        """The variable or attribute that it is assigned to, if it is one."""
        holder = self.call.model.holder(self.call)
        return None if holder is None else holder[0]


@immutable
class Loss(AtCall):
    """One place where a loss is computed.

    ``kind`` is the class of ``torch.nn`` (``CrossEntropyLoss`` for ``F.cross_entropy`` too), ``made``
    the construction of the loss module, None of a function.
    """

    kind: str
    call: Call
    made: Call | None

    @property
    def input(self) -> Expr | None:
        """What the model says."""
        return self.call.argument(0, "input")

    @property
    def target(self) -> Expr | None:
        """What it should say."""
        return self.call.argument(1, "target")

    @property
    def with_logits(self) -> Edit | None:
        """The edit that makes a binary cross-entropy of probabilities the one of logits."""
        if self.made is None:
            return self.call.called.renamed("binary_cross_entropy_with_logits")
        return self.made.called.renamed("BCEWithLogitsLoss")

    def option(self, name: str) -> Expr | None:
        """Return an option of the loss, given to the module's constructor or to the function."""
        if self.made is None:
            return self.call.keywords.get(name)
        parameters = LAYER_PARAMETERS.get(self.kind, ())
        position = parameters.index(name) if name in parameters else None
        return self.made.argument(position, name)


def _function_of(origins: tuple[Expr, ...]) -> str | None:
    """Return the class of the loss that a function of torch computes, wherever the function is held."""
    names = {(origin.qualified or "").removeprefix("torch.nn.functional.") for origin in origins}
    kinds = {LOSS_FUNCTIONS.get(name) for name in names}
    return kinds.pop() if len(kinds) == 1 else None


class Training:
    """Finds the losses, optimizers, schedulers and loaders of one file."""

    def __init__(self, model: FileModel) -> None:
        self.model = model

    @cached_property
    def losses(self) -> tuple[Loss, ...]:
        """Every place where a loss of torch is computed, in the order of the file."""
        if not self.model.has_layers:
            return ()
        found = [
            Loss(kind, call, None)
            for name, kind in LOSS_FUNCTIONS.items()
            for call in self.model.calls_to(f"torch.nn.functional.{name}")
        ]
        found += self._by_modules()
        return tuple(sorted(found, key=lambda loss: loss.call.order))

    def _by_modules(self) -> list[Loss]:
        """Find the calls of loss modules, wherever those are held."""
        made = {
            call for call in self.model.constructed if self.model.layers.kind(call) in LOSS_MODULES
        }
        names = {"()"} if made else set()
        names |= {name for name in self.model.index.calls if _LOSS_WORDS.search(name)}
        for call in made:
            holder = self.model.holder(call)
            if holder is not None:
                names.add(holder[0].rpartition(".")[2])
        found = []
        for call in self.model.method_calls(*names):
            if call in made or call.callee is not None or not call.args:
                continue
            origins = call.called.objects()
            known = [one for one in origins if isinstance(one, Call)]
            kinds = {self.model.layers.kind(one) for one in known}
            kind = next(iter(kinds)) if len(kinds) == 1 else None
            if kind in LOSS_MODULES and len(known) == len(origins):
                found.append(Loss(kind, call, known[0]))
            elif (kind := _function_of(origins)) is not None:
                found.append(Loss(kind, call, None))
            elif call.target is None and any(one.is_name or one.is_attribute for one in origins):
                self.model.note_unresolved(call.called, "which loss this is")
        return found

    @cached_property
    def optimizers(self) -> tuple[Optimizer, ...]:
        """Every optimizer that the file constructs, in order."""
        found: dict[Call, Optimizer] = {}
        for kind in OPTIMIZER_PARAMETERS:
            for call in self.model.calls_to(
                f"torch.optim.{kind}", f"transformers.{kind}", f"bitsandbytes.optim.{kind}"
            ):
                found[call] = Optimizer(kind, call)
        for call in self._held_classes("torch.optim."):
            kinds = {
                (origin.qualified or "").rpartition(".")[2] for origin in call.called.origins()
            }
            if call not in found and len(kinds) == 1 and kinds <= set(OPTIMIZER_PARAMETERS):
                found[call] = Optimizer(kinds.pop(), call)
        return tuple(sorted(found.values(), key=lambda one: one.call.order))

    def _held_classes(self, prefix: str) -> list[Call]:
        """Return the calls of variables that hold a class: ``optimizer_class(params, lr=...)``."""
        if not self.model.has_layers:
            return []
        found: list[Call] = []
        for name in self.model.index.calls:
            if not re.search(r"opt.*(cls|class|type|fn|ctor)|optim$", name, re.IGNORECASE):
                continue
            found += [
                call
                for call in self.model.method_calls(name)
                if call.callee is None
                and all(
                    (origin.qualified or "").startswith(prefix) for origin in call.called.origins()
                )
            ]
        return found

    @cached_property
    def schedulers(self) -> tuple[Scheduler, ...]:
        """Every scheduler that the file constructs, in order."""
        found = [
            Scheduler(kind, call)
            for kind in SCHEDULER_PARAMETERS
            for call in self.model.calls_to(f"torch.optim.lr_scheduler.{kind}")
        ]
        return tuple(sorted(found, key=lambda one: one.call.order))

    @cached_property
    def loaders(self) -> tuple[Loader, ...]:
        """Every ``DataLoader`` that the file constructs, in order."""
        calls = self.model.calls_to("torch.utils.data.DataLoader")
        return tuple(Loader("DataLoader", call) for call in calls)
