"""The events of training loops, in the order in which they run."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from trainlint.core.immutable import immutable
from trainlint.core.loop import LoopEvent
from trainlint.static.model.expression import AtCall, Call, Expr, Function, Loop
from trainlint.static.model.tree import BindingKind, Block, BlockKind, Scope, ScopeKind
from trainlint.static.torch_api import OPTIMIZER_PARAMETERS, SCHEDULER_PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model.file import FileModel
    from trainlint.static.model.training import Scheduler

_MOST_DEPTH = 8
_MOST_EVENTS = 4000


class Driver(StrEnum):
    """Who runs the step: the loop itself, or a framework that does part of it unseen."""

    PLAIN = "plain"
    LIGHTNING = "lightning"
    ACCELERATE = "accelerate"
    FABRIC = "fabric"
    DEEPSPEED = "deepspeed"
    DISTRIBUTED_AUTOGRAD = "distributed autograd"
    APEX = "apex"


@immutable
class Event(AtCall):
    """One event of a training loop.

    ``subject`` is what it is done to: the optimizer of a step or of clearing, the model of a mode,
    the loss of a backward. ``blocks`` are the blocks around it from the routine inwards, those of the
    helper functions it stands in included.
    """

    kind: LoopEvent
    call: Call
    subject: Expr | None
    blocks: tuple[Block, ...]
    driver: Driver = Driver.PLAIN
    scaled: bool = False
    """Of a backward or step: whether a GradScaler has its hand in it."""
    via: tuple[Call, ...] = ()
    """The calls of helper functions that lead to it, from the routine inwards."""

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The loops around it, from the outermost, those in callers included."""
        return tuple(
            Loop(block.scope.index.model, block)
            for block in self.blocks
            if block.kind is BlockKind.LOOP
        )

    @property
    def loop(self) -> Loop | None:
        """The innermost loop around it."""
        loops = self.loops
        return loops[-1] if loops else None

    def inside(self, loop: Loop) -> bool:
        """Say whether it runs in a loop."""
        return loop.block in self.blocks

    def conditional_in(self, loop: Loop | None) -> bool:
        """Say whether an ``if`` decides about it, within a loop (or within the whole routine)."""
        inside = loop is None
        for block in self.blocks:
            if loop is not None and block is loop.block:
                inside = True
            elif inside and block.kind is BlockKind.BRANCH:
                return True
        return False

    def excludes(self, other: Event) -> bool:
        """Say whether the two stand in different arms of one statement: never both run."""
        arms = {id(one.header): one.arm for one in other.blocks if one.kind is BlockKind.BRANCH}
        return any(
            one.kind is BlockKind.BRANCH and arms.get(id(one.header), one.arm) != one.arm
            for one in self.blocks
        )

    @property
    def models(self) -> tuple[FileModel, ...]:
        """The models of the files through which the way to it leads, from the routine's on."""
        return tuple({id(call.model): call.model for call in (*self.via, self.call)}.values())

    @property
    def scaler(self) -> Expr | None:
        """The GradScaler that has its hand in it."""
        if not self.scaled:
            return None
        if self.kind is not LoopEvent.BACKWARD:
            return self.call.receiver
        for origin in () if self.subject is None else self.subject.origins():
            if isinstance(origin, Call) and origin.method == "scale":
                return origin.receiver
        return None

    @property
    def scaler_is_off(self) -> bool:
        """Whether its GradScaler is made with ``enabled=False``."""
        for origin in () if self.scaler is None else self.scaler.objects():
            enabled = origin.keywords.get("enabled") if isinstance(origin, Call) else None
            if enabled is not None and enabled.truth() is False:
                return True
        return False

    @property
    def only_measures(self) -> bool:
        """Whether the threshold of a clipping is infinite: the call returns the norm and clips nothing."""
        threshold = self.call.argument(1, "max_norm")
        return threshold is not None and (
            threshold.literal() == math.inf or threshold.mentions("inf")
        )

    @property
    def schedulers(self) -> tuple[Scheduler, ...]:
        """The schedulers of torch that the subject may be; empty where one of them is not known."""
        objects = () if self.subject is None else self.subject.objects()
        models = {id(one.model): one.model for one in objects}.values()
        known = {one.call: one for model in models for one in model.schedulers()}
        if not all(one in known for one in objects):
            return ()
        return tuple(known[one] for one in objects if isinstance(one, Call))

    @property
    def maker(self) -> Call | None:
        """The call whose result its subject is, seen from the outermost helper that it is passed to."""
        subject = self.subject
        for call in reversed(self.via):
            binding = subject.binding if subject is not None and subject.is_parameter else None
            target = call.target
            if binding is None or target is None or binding.site.scope is not target:
                break
            subject = target.index.model.follower.argument_for(call, binding)
        binding = None if subject is None else subject.binding
        if subject is None or binding is None or binding.value is None:
            return None
        made = subject.model.expr(binding.value, binding.site)
        return made if isinstance(made, Call) else None

    @property
    def without_gradient(self) -> bool:
        """Whether it, or a call that leads to it, stands under ``no_grad``."""
        return any(call.without_gradient for call in (self.call, *self.via))

    def conditions_in(self, loop: Loop) -> tuple[Expr, ...]:
        """Return the tests of the ``if`` statements that decide about it within a loop."""
        after = self.blocks[self.blocks.index(loop.block) + 1 :] if self.inside(loop) else ()
        return tuple(
            self.call.model.expr(block.header.test, self.call.model.site_of_block(block))
            for block in after
            if block.kind is BlockKind.BRANCH and isinstance(block.header, ast.If)
        )

    def times(self, made: Call) -> int | None:
        """Return how often it runs for one run of a call that makes its subject, if the file says it."""
        total = 1
        for loop in self.loops:
            if loop.runs(made):
                continue
            if loop.count is None:
                return None
            total *= loop.count
        return total

    def always_before(self, other: Event) -> bool:
        """Say whether it has run whenever another runs: no loop or branch around it alone."""
        return all(block in other.blocks for block in self.blocks if block.kind in _MAY_NOT_RUN)

    def ends(self, loop: Loop) -> bool:
        """Say whether the loop is left after it: a branch around it ends in ``break`` or ``return``."""
        after = self.blocks[self.blocks.index(loop.block) + 1 :] if self.inside(loop) else ()
        return any(leaves_loop(block) for block in after)

    def same_subject(self, other: Event) -> bool:
        """Say whether both are surely done to one optimizer, or to a model and its optimizer."""
        if self.subject is None or other.subject is None:
            return False
        identities = self.call.model.identities
        if identities.same(self.subject, other.subject):
            return True
        return any(
            identities.same(model, subject)
            for one, subject in ((self.subject, other.subject), (other.subject, self.subject))
            for model in _models_of(one)
        )

    def may_concern(self, other: Event) -> bool:
        """Say whether both may be done to one optimizer, or to a model and its optimizer.

        True of what is not known; two optimizers by two names are known to differ, and a model
        differs from the optimizers of the file that do not hold it, if one of them does.
        """
        if self.subject is None or other.subject is None:
            return True
        if self._through(other.subject) or other._through(self.subject):
            return True
        model = self.call.model
        if model.identities.may_be_same(self.subject, other.subject):
            roles = [model.events.role(one) for one in (self.subject, other.subject)]
            overlap = model.identities.of(self.subject) & model.identities.of(other.subject)
            return (
                bool(overlap)
                or roles != ["optimizer", "optimizer"]
                or not _both_named(self.subject, other.subject)
            )
        if all(model.events.role(one) == "optimizer" for one in (self.subject, other.subject)):
            return False
        pairs = ((self.subject, other.subject), (other.subject, self.subject))
        for one, subject in pairs:
            if any(model.identities.may_be_same(held, subject) for held in _models_of(one)):
                return True
        return not any(
            model.identities.same(held, subject)
            for optimizer in model.optimizers()
            for held in optimizer.models
            for subject in (self.subject, other.subject)
        )

    def _through(self, subject: Expr) -> bool:
        """Say whether a method of an object leads to it: a wrapper of the file around an optimizer."""
        identities = self.call.model.identities
        receivers = [call.receiver for call in self.via]
        return any(one is not None and identities.same(one, subject) for one in receivers)

    def made_in(self, loop: Loop) -> bool:
        """Say whether its subject is made anew in each round of a loop around it."""
        return self.subject is not None and _made_in(self.subject, self.via, loop)


def _builds(called: Expr) -> bool:
    """Say whether the name of what is called speaks of a class or of a function that builds one."""
    return _BUILDER_WORDS.search(called.name or "") is not None


def _is_forward(scope: Scope) -> bool:
    """Say whether a function is the ``forward`` of a class."""
    name, home = getattr(scope.node, "name", ""), scope.parent
    return name in {"forward", "__call__"} and home is not None and home.kind is ScopeKind.CLASS


_SCHEDULERS = frozenset({*SCHEDULER_PARAMETERS, "SWALR"})
_MAY_NOT_RUN = frozenset({BlockKind.BRANCH, BlockKind.LOOP})


def leaves_loop(block: Block) -> bool:
    """Say whether a branch ends by leaving the loop or the function."""
    if block.kind is not BlockKind.BRANCH or not isinstance(block.header, ast.If):
        return False
    body = block.header.body if block.arm == 0 else block.header.orelse
    return bool(body) and isinstance(body[-1], ast.Return | ast.Raise | ast.Break)


def _both_named(one: Expr, other: Expr) -> bool:
    """Say whether both are plain names or attributes of ``self``, and not the same one."""
    return (
        one.name is not None
        and other.name is not None
        and one.name != other.name
        and one.site.scope.function is other.site.scope.function
    )


def _models_of(subject: Expr) -> tuple[Expr, ...]:
    """Return the models whose parameters an optimizer holds, where the file makes it."""
    origins = subject.objects()
    return tuple(
        model
        for optimizer in subject.model.optimizers()
        if optimizer.call in origins
        for model in optimizer.models
    )


def _made_in(expr: Expr, via: tuple[Call, ...], loop: Loop) -> bool:
    """Say whether what an expression stands for is made anew in each round of a loop."""
    model = expr.model
    if any(isinstance(one, Call) and loop.block in one.blocks for one in expr.objects()):
        return True
    root = expr
    while root.owner is not None:
        root = root.owner
    if model.class_of_self(root.site, root.node) is not None:
        for number in reversed(range(len(via))):
            receiver = via[number].receiver
            if receiver is not None and not model.class_of_self(receiver.site, receiver.node):
                return _made_in(receiver, via[:number], loop)
        return False
    found = model.names.lookup(root.text, root.site.scope) if root.is_name else None
    if found is None:
        return False
    scope, bindings = found
    for binding in bindings:
        if loop.block in binding.site.block.ancestors():
            return True
        if binding.kind is BindingKind.PARAMETER:
            if via and any(
                _made_in(argument, via[:-1], loop)
                for argument in (*via[-1].args, *via[-1].keywords.values())
                if argument.name is not None and model.events.role(argument) == "optimizer"
            ):
                return True
        elif scope.kind is ScopeKind.FUNCTION and loop.block.scope.function is not scope.function:
            # Made anew where the loop calls the function that makes it, itself or through others.
            around = [block for call in via for block in call.blocks]
            return loop.block in around and any(call.target is scope for call in via)
    return False


class Routine:
    """A function that nothing in the file calls, or the module's own code, with its events.

    Events of the helper functions and methods of the file that it calls are part of it, at the place
    of the call; so a helper is judged where it is used.
    """

    def __init__(self, model: FileModel, scope: Scope, events: tuple[Event, ...]) -> None:
        self.model = model
        self.scope = scope
        self.events = events

    @property
    def function(self) -> Function | None:
        """The function; None of the module's own code."""
        return self.model.function_of(self.scope)

    def of(self, *kinds: LoopEvent) -> tuple[Event, ...]:
        """Return the events of some kinds, in order."""
        return tuple(event for event in self.events if event.kind in kinds)

    def position(self, event: Event) -> int:
        """Return the number of an event in the order of the routine."""
        return self.events.index(event)

    @property
    def drivers(self) -> frozenset[Driver]:
        """Who runs the steps in it."""
        return frozenset(event.driver for event in self.events) or frozenset({Driver.PLAIN})

    @property
    def is_plain(self) -> bool:
        """Whether the code itself runs every step, no framework."""
        return self.drivers == {Driver.PLAIN}


_OPTIMIZER_WORDS = re.compile(
    r"optim|^opt(_|$)|_opt$|^opt[A-Z0-9]|solver|^trainer_?[gd]?$", re.IGNORECASE
)
_NO_OPTIMIZER_WORDS = re.compile(r"sched|env|prof|scaler|timer|bar|progress|warmup", re.IGNORECASE)
_SCHEDULER_WORDS = re.compile(r"sched|warmup|annealer|lr_decay|lrs$", re.IGNORECASE)
_SCALER_WORDS = re.compile(r"scaler", re.IGNORECASE)
_MODEL_WORDS = re.compile(
    r"model|net|encoder|decoder|generator|discriminator|critic|actor|backbone|classifier|policy|^[GD]$|agent",
    re.IGNORECASE,
)
_BUILDER_WORDS = re.compile(
    r"(^|_)(cls|class|type|builder|factory|constructor|fn|ctor)$"
    r"|^(get|build|create|make|load|init|setup)_|[a-z](Class|Cls|Type|Builder|Factory)$"
)
"""Names under which classes and builders of models are held."""
_ENGINE_WORDS = re.compile(r"engine", re.IGNORECASE)
_CLIPS = {
    "torch.nn.utils.clip_grad_norm_",
    "torch.nn.utils.clip_grad_value_",
    "torch.nn.utils.clip_grad_norm",
    "torch.nn.utils.clip_grad_value",
    "torch.nn.utils.clip_grads_with_norm_",
}
_CLIP_METHODS = {"clip_grad_norm_", "clip_grad_value_", "clip_gradients", "clip_grad_norm"}
_NAMES = (
    "zero_grad",
    "backward",
    "manual_backward",
    "step",
    "update",
    "unscale_",
    "unscale_gradients",
    "train",
    "eval",
    "toggle_optimizer",
    "minimize",
    "step_optimizer",
    *_CLIP_METHODS,
    "clip_grad_value",
    "clip_grads_with_norm_",
)


_SIGNS_OF_LOOPS = ("backward", "step", "eval", "manual_backward", "no_grad", "inference_mode")
"""What a file calls or decorates with if it trains or evaluates anything."""


class _Stop(NamedTuple):
    """A call of a function that is an event itself, or enters a function that holds some."""

    call: Call
    blocks: tuple[Block, ...]
    kind: tuple[LoopEvent, Expr | None, Driver, bool] | None = None
    closures: tuple[Scope, ...] = ()
    helper: Scope | None = None


@dataclass
class _Asking:
    """Which functions are being asked for events, in whichever file, and how often one was again."""

    scopes: set[int] = field(default_factory=set)
    cuts: int = 0


_asking = _Asking()


class Events:
    """Finds the training loops of one file."""

    def __init__(self, model: FileModel) -> None:
        self.model = model
        self._classified: dict[int, tuple[LoopEvent, Expr | None, Driver, bool] | None] = {}
        self._holding: dict[int, bool] = {}
        self._stops: dict[int, list[_Stop]] = {}

    @cached_property
    def routines(self) -> tuple[Routine, ...]:
        """Every function that nothing in the file calls, and the module's own code."""
        index = self.model.index
        if not self.model.has_layers or not (
            any(name in index.calls or name in index.attributes for name in _SIGNS_OF_LOOPS)
            or (not self.model.is_test and self.model.elsewhere.may_train)
        ):
            return ()
        found = []
        for scope in (self.model.index.root, *self.model.index.functions.values()):
            if scope.kind is ScopeKind.FUNCTION and self._is_used(scope):
                continue
            events = tuple(islice(self._events(scope, (), (), frozenset()), _MOST_EVENTS))
            if events:
                found.append(Routine(self.model, scope, events))
        return tuple(found)

    def _is_used(self, scope: Scope) -> bool:
        """Say whether something in the file calls a function, or hands it to something that does."""
        if isinstance(scope.node, ast.Lambda):
            return True
        if self.model.follower.call_sites(scope):
            return True
        return id(scope) in self._handed

    @cached_property
    def _handed(self) -> frozenset[int]:
        """The functions that are handed to an event: they run there."""
        return frozenset(
            id(scope)
            for call in self.model.method_calls("step", "backward")
            if self.classify(call) is not None
            for scope in self._closures(call)
        )

    def _events(
        self, scope: Scope, blocks: tuple[Block, ...], via: tuple[Call, ...], seen: frozenset[int]
    ) -> Iterator[Event]:
        """Yield the events of a function in order, going into the helpers it calls."""
        if id(scope) in seen or len(via) > _MOST_DEPTH:
            return
        seen |= {id(scope)}
        for stop in self._stops_of(scope):
            call, around = stop.call, (*blocks, *stop.blocks)
            for closure in stop.closures:
                yield from self._events(closure, around, (*via, call), seen)
            if stop.kind is not None:
                event, subject, driver, scaled = stop.kind
                yield Event(event, call, subject, around, driver, scaled, via)
            elif stop.helper is not None:
                yield from self._inside(stop.helper, call, around, via, seen)

    def _stops_of(self, scope: Scope) -> list[_Stop]:
        """Return the calls of a function that are events or lead to some, in order; each is asked once."""
        if scope.index is not self.model.index:
            return scope.index.model.events._stops_of(scope)  # noqa: SLF001 - its own class
        found = self._stops.get(id(scope))
        if found is None:
            found = self._stops[id(scope)] = []
            calls = [self.model.call(node, site) for node, site in scope.calls]
            for call in sorted(calls, key=lambda one: one.order):
                kind = self.classify(call)
                helper = self._helper(call) if kind is None else None
                if kind is not None:
                    found.append(_Stop(call, call.blocks, kind, tuple(self._closures(call))))
                elif helper is not None and self._holds_events(helper):
                    found.append(_Stop(call, call.blocks, helper=helper))
        return found

    def _helper(self, call: Call) -> Scope | None:
        """Return the function or class that a call enters, if events may stand in it."""
        symbol = call.called.symbol
        return call.target if symbol is None or symbol.may_train else None

    def _holds_events(self, scope: Scope) -> bool:
        """Say whether events stand in a function, or in one that it calls; each is asked once."""
        if scope.index is not self.model.index:
            return scope.index.model.events._holds_events(scope)  # noqa: SLF001 - its own class
        key, asking = id(scope), _asking
        known = self._holding.get(key)
        if known is not None or key in asking.scopes:
            asking.cuts += known is None
            return bool(known)
        cuts = asking.cuts
        asking.scopes.add(key)
        found = _is_forward(scope) or any(
            self.classify(call) is not None
            or ((target := self._helper(call)) is not None and self._holds_events(target))
            for call in self._calls_in(scope)
        )
        asking.scopes.discard(key)
        if found or cuts == asking.cuts or not asking.scopes:
            self._holding[key] = found
        return found

    def _calls_in(self, scope: Scope) -> Iterator[Call]:
        """Yield the calls of a function, or of what constructs a class."""
        body: Scope | None = scope
        if scope.kind is ScopeKind.CLASS:
            body = self.model.method_scope(scope, "__init__")
        for node, site in () if body is None else body.calls:
            yield self.model.call(node, site)

    def _inside(
        self,
        target: Scope,
        call: Call,
        around: tuple[Block, ...],
        via: tuple[Call, ...],
        seen: frozenset[int],
    ) -> Iterator[Event]:
        """Yield the events of a helper; a module's ``forward`` is one event of its own."""
        if _is_forward(target):
            yield Event(LoopEvent.FORWARD, call, call.called, around, via=via)
            return
        if target.kind is ScopeKind.CLASS:
            init = self.model.method_scope(target, "__init__")
            if init is not None:
                yield from self._events(init, around, (*via, call), seen)
            return
        yield from self._events(target, around, (*via, call), seen)

    def _closures(self, call: Call) -> Iterator[Scope]:
        """Yield the functions of the file that are handed to an event: ``step(closure)``."""
        for argument in (*call.args, *call.keywords.values()):
            for origin in argument.origins() if not isinstance(argument, Call) else ():
                scope = self.model.follower.definition(origin)
                if scope is not None and scope.kind is ScopeKind.FUNCTION:
                    yield scope

    def classify(self, call: Call) -> tuple[LoopEvent, Expr | None, Driver, bool] | None:
        """Say which event a call is; None if it is none."""
        key = id(call.node)
        if call.model is not self.model:
            return call.model.events.classify(call)
        if key not in self._classified:
            self._classified[key] = self._classify(call)
        return self._classified[key]

    def _classify(self, call: Call) -> tuple[LoopEvent, Expr | None, Driver, bool] | None:
        method = call.method
        if method is None or (method not in _NAMES and method not in self._clip_names):
            return self._classify_other(call)
        if call.target is not None:
            return None
        receiver = call.receiver
        if call.callee in _CLIPS:
            return (LoopEvent.CLIP, call.argument(0, "parameters"), Driver.PLAIN, False)
        if call.callee in {"torch.autograd.backward", "torch.distributed.autograd.backward"}:
            distributed = "distributed" in call.callee
            driver = Driver.DISTRIBUTED_AUTOGRAD if distributed else Driver.PLAIN
            return (LoopEvent.BACKWARD, call.argument(0), driver, False)
        if receiver is None or (call.callee is not None):
            return None
        return self._classify_method(call, receiver, method)

    @cached_property
    def _clip_names(self) -> frozenset[str]:
        """The last names under which the file may call a clipping, those of aliases included."""
        names = {name.rpartition(".")[2] for name in _CLIPS} | _CLIP_METHODS
        return frozenset(alias for name in names for alias in self.model.spellings(name))

    def _classify_method(
        self, call: Call, receiver: Expr, method: str
    ) -> tuple[LoopEvent, Expr | None, Driver, bool] | None:
        """Classify a method call by its name and what it is called on."""
        driver = self.driver(receiver)
        if method == "zero_grad":
            return (LoopEvent.ZERO_GRAD, receiver, driver, False)
        if method in {"backward", "manual_backward"}:
            if method == "manual_backward":
                return (LoopEvent.BACKWARD, call.argument(0, "loss"), Driver.LIGHTNING, False)
            if driver is not Driver.PLAIN:
                return (LoopEvent.BACKWARD, call.argument(0, "loss"), driver, False)
            return (LoopEvent.BACKWARD, receiver, *self._scaling(receiver))
        if method in _CLIP_METHODS:
            first = call.argument(0, "parameters")
            return (LoopEvent.CLIP, first if first is not None else receiver, driver, False)
        if method in {"unscale_", "unscale_gradients"}:
            return (LoopEvent.UNSCALE, call.argument(0, "optimizer"), driver, False)
        if method == "update":
            if self._is_scaler(receiver):
                return (LoopEvent.SCALER_UPDATE, receiver, driver, True)
            return None
        if method in {"train", "eval"}:
            return self._mode(call, receiver, method)
        if method == "step":
            return self._step(call, receiver, driver)
        return None

    def _classify_other(self, call: Call) -> tuple[LoopEvent, Expr | None, Driver, bool] | None:
        """Recognise the losses and forwards by what is called."""
        if call in self._losses:
            return (LoopEvent.LOSS, call.argument(0, "input"), Driver.PLAIN, False)
        called = call.called
        if called.symbol is not None and called.symbol.kind != "value":
            return None
        if not (call.args or call.keywords or call.unpacked) or _builds(called):
            return None
        if call.target is not None or call.callee is not None:
            return None
        if (called.is_name or called.is_attribute) and self._is_model(called):
            return (LoopEvent.FORWARD, called, Driver.PLAIN, False)
        return None

    @cached_property
    def _losses(self) -> frozenset[Call]:
        """The calls that compute a loss."""
        return frozenset(loss.call for loss in self.model.losses())

    def _is_model(self, called: Expr) -> bool:
        """Say whether what is called is a model, by what made it, else by its name."""
        name = called.name or ""
        owner = called.owner
        if owner is not None and owner.name != "self":
            return False
        origins = called.objects()
        kinds = [self.model.layers.kind(one) for one in origins if isinstance(one, Call)]
        if kinds and len(kinds) == len(origins) and all(kinds):
            return "Loss" not in str(kinds[0])
        return bool(_MODEL_WORDS.search(name)) and not name.endswith(("_loss", "_fn"))

    def _mode(
        self, call: Call, receiver: Expr, method: str
    ) -> tuple[LoopEvent, Expr | None, Driver, bool] | None:
        """Classify ``train()`` and ``eval()``; ``train(False)`` is the latter."""
        if len(call.args) > 1 or (call.keywords and "mode" not in call.keywords):
            return None
        mode = call.argument(0, "mode")
        if method == "train" and mode is not None:
            value = mode.truth()
            if value is False:
                method = "eval"
        kind = LoopEvent.TRAIN_MODE if method == "train" else LoopEvent.EVAL_MODE
        return (kind, receiver, Driver.PLAIN, False)

    def _step(
        self, call: Call, receiver: Expr, driver: Driver
    ) -> tuple[LoopEvent, Expr | None, Driver, bool] | None:
        """Classify ``step()``: of an optimizer, a scheduler, a scaler, an engine, or nothing of ours."""
        if self._is_scaler(receiver):
            return (LoopEvent.STEP, call.argument(0, "optimizer"), driver, True)
        if driver is Driver.DEEPSPEED:
            return (LoopEvent.STEP, receiver, driver, False)
        role = self.role(receiver)
        if role == "optimizer":
            return (LoopEvent.STEP, receiver, driver, False)
        if role == "scheduler":
            return (LoopEvent.SCHEDULER_STEP, receiver, driver, False)
        return None

    def role(self, receiver: Expr) -> str | None:
        """Say what an object is in a loop: ``optimizer``, ``scheduler``, or None."""
        roles = set()
        for origin in receiver.objects():
            if isinstance(origin, Call) and origin.callee is not None:
                name = origin.callee
                last = name.rpartition(".")[2]
                if name.startswith("torch.optim.lr_scheduler") or last in _SCHEDULERS:
                    roles.add("scheduler")
                elif last in OPTIMIZER_PARAMETERS or name == f"torch.optim.{last}":
                    roles.add("optimizer")
                elif name.startswith(("torch.optim.", "torch.profiler", "gym", "gymnasium")):
                    roles.add("other")
        if len(roles) == 1:
            role = roles.pop()
            return None if role == "other" else role
        words = receiver
        while words.name is None and words.owner is not None:
            words = words.owner
        name = words.name or ""
        if isinstance(receiver, Call):
            name = receiver.method or ""
        if _SCHEDULER_WORDS.search(name):
            return "scheduler"
        if _OPTIMIZER_WORDS.search(name) and not _NO_OPTIMIZER_WORDS.search(name):
            return "optimizer"
        return None

    def role_of(self, expr: Expr) -> str | None:
        """Say what an object is: ``optimizer``, ``scheduler``, ``scaler``, ``model``, or None."""
        home = self.model.class_of_self(expr.site, expr.node)
        if home is not None:
            is_module = any(module.scope is home for module in self.model.modules)
            return "model" if is_module else None
        role = self.role(expr)
        if role is not None:
            return role
        if expr.qualified is not None:
            return None
        if self._is_scaler(expr):
            return "scaler"
        if self.model.module_of(expr) is not None or self._is_model(expr):
            return "model"
        return None

    def _is_scaler(self, receiver: Expr) -> bool:
        """Say whether an object is a GradScaler."""
        for origin in receiver.objects():
            if isinstance(origin, Call) and origin.callee is not None:
                return origin.callee.rpartition(".")[2].endswith("GradScaler")
        return bool(_SCALER_WORDS.search(receiver.name or ""))

    def _scaling(self, loss: Expr) -> tuple[Driver, bool]:
        """Say whether the loss of a backward is scaled: ``scaler.scale(loss).backward()``."""
        for origin in loss.origins():
            if (
                isinstance(origin, Call)
                and origin.method == "scale"
                and origin.receiver is not None
            ) and self._is_scaler(origin.receiver):
                return (Driver.PLAIN, True)
        binding = loss.binding
        if binding is not None and isinstance(binding.value, ast.Call):
            maker = self.model.expr(binding.value, binding.site)
            if isinstance(maker, Call) and (maker.callee or "").startswith("apex."):
                return (Driver.APEX, True)
        return (Driver.PLAIN, False)

    def driver(self, receiver: Expr) -> Driver:
        """Say whether an object is one through which a framework drives the step."""
        name = (receiver.name or "").lower()
        for origin in receiver.objects():
            if isinstance(origin, Call) and origin.callee is not None:
                callee = origin.callee
                if callee.startswith("accelerate.") and callee.endswith("Accelerator"):
                    return Driver.ACCELERATE
                if callee.startswith("lightning.") and callee.endswith("Fabric"):
                    return Driver.FABRIC
                if callee.startswith("deepspeed."):
                    return Driver.DEEPSPEED
        if receiver.owner is None or receiver.owner.name == "self":
            if "accelerator" in name:
                return Driver.ACCELERATE
            if name == "fabric":
                return Driver.FABRIC
            if _ENGINE_WORDS.search(name) and self.model.imports("deepspeed"):
                return Driver.DEEPSPEED
        return Driver.PLAIN
