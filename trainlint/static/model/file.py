"""The model of a file: everything that a check may ask."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trainlint.core.fix import Edit
from trainlint.core.immutable import immutable
from trainlint.static.model.accumulation import Accumulation, accumulations
from trainlint.static.model.checkpoints import Checkpoint, checkpoints, resumed
from trainlint.static.model.data_sets import (
    DataSetClass,
    data_set_class,
    decodes,
    is_indexed,
)
from trainlint.static.model.elsewhere import Elsewhere, is_test
from trainlint.static.model.events import Event, Events, Routine
from trainlint.static.model.expression import Call, Expr, Function, Loop
from trainlint.static.model.follow import Follower
from trainlint.static.model.freezing import Frozen, frozen_models
from trainlint.static.model.gradient import Gradient
from trainlint.static.model.identity import Identities
from trainlint.static.model.importing import import_of, imported_name, moved_package
from trainlint.static.model.initialisation import InitCall, Initialisation
from trainlint.static.model.keeping import Kept, kept
from trainlint.static.model.layers import (
    Activated,
    Layer,
    Layers,
    ModuleClass,
    Outlet,
    Repetition,
    Stack,
    Step,
    looks_like_module,
)
from trainlint.static.model.lightning import epoch_schedules
from trainlint.static.model.metrics import Goal, goal_of
from trainlint.static.model.modes import ModeDependence, mode_dependence
from trainlint.static.model.names import Names
from trainlint.static.model.placement import (
    LateMove,
    is_built_on_cpu,
    late_moves,
    moves_to_device,
    turned_into_half,
)
from trainlint.static.model.processes import runs_in_every_process, speaks_of_rank
from trainlint.static.model.purpose import Purpose, labels, purpose_of_data
from trainlint.static.model.randomness import Seeding, may_seed, seedings
from trainlint.static.model.reading import entries_beside, reads_of
from trainlint.static.model.recurrence import fed_back, feeds_back, is_recurrence
from trainlint.static.model.registration import PlainCollection, plain_collections
from trainlint.static.model.restarting import Restart, restarts
from trainlint.static.model.rounds import Round, rounds_of
from trainlint.static.model.stray_tensors import StrayTensor, stray_tensors
from trainlint.static.model.tensor_facts import (
    Reshape,
    carries_gradient,
    integer_maker,
    rank_of,
    reshapes,
)
from trainlint.static.model.tensors import Tensors
from trainlint.static.model.training import Loader, Loss, Optimizer, Scheduler, Training
from trainlint.static.model.transforms import Pipeline, pipelines
from trainlint.static.model.tree import BindingKind, Block, Scope, ScopeKind, Site, TreeIndex
from trainlint.static.model.unfilled import EmptyParameter, empty_parameters
from trainlint.static.model.unused import UnusedLayer, unused_layers
from trainlint.static.model.values import Evaluator
from trainlint.static.model.variables import ParameterGenerator, ReplacedLayer, Variables
from trainlint.static.torch_api import ACTIVATIONS, FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainlint.core.diagnosis import Span
    from trainlint.core.loop import LoopEvent
    from trainlint.static.model.elsewhere import Files
    from trainlint.static.source import SourceFile

_SETS_WEIGHTS = frozenset(
    {"apply", "load_state_dict", "from_pretrained", "reset_parameters", "load_weights", "copy_"}
)
_PASSES_ON = frozenset({"enumerate", "tqdm", "zip", "iter", "track", "islice", "cycle", "chain"})
"""Functions that iterate over what they are given."""
_LOADER_WORDS = ("loader", "dataloader", "batches", "dl", "data_iter", "train_iter", "iterator")


@immutable
class Unresolved:
    """A question that a rule asked and the file does not answer."""

    path: str
    span: Span
    expression: str
    reason: str


class FileModel:
    """What is known about a file after parsing it once; see the package for how to ask."""

    def __init__(self, source: SourceFile, files: Files | None = None) -> None:
        self.source = source
        self.index = TreeIndex(source.tree)
        self.index.model = self
        self.elsewhere = Elsewhere(self, files)
        self.names = Names(self.index, self.elsewhere)
        self.follower = Follower(self)
        self.evaluator = Evaluator(self)
        self.layers = Layers(self)
        self.initialisation = Initialisation(self)
        self.training = Training(self)
        self.events = Events(self)
        self.gradient = Gradient(self)
        self.identities = Identities(self)
        self.variables = Variables(self)
        self.tensors = Tensors(self)
        self._expressions: dict[int, Expr] = {}
        self._unresolved: dict[Expr, str] = {}
        self._lineages: dict[int, tuple[Scope, ...]] = {}
        self._block_sites: dict[int, Site] = {}

    # -- what rules ask -----------------------------------------------------------------------

    @property
    def is_test(self) -> bool:
        """Whether pytest takes the file for tests: what trains in it is not meant to learn."""
        return is_test(self.source.path)

    @property
    def serves_tests(self) -> bool:
        """Whether the file is a test, or lies in a folder of tests: models made for no training."""
        folders = self.source.path.replace("\\", "/").split("/")[:-1]
        return self.is_test or not {"test", "tests", "testing"}.isdisjoint(folders)

    @cached_property
    def is_script(self) -> bool:
        """Whether the file trains when it is run: it makes an optimizer at its top level, or in `main`.

        What a script defines is there for the script.
        """
        return any(
            one.call.function is None or one.call.function.name in {"main", "train", "run"}
            for one in self.optimizers()
        )

    def imports(self, *packages: str) -> bool:
        """Say whether the file imports any of these top-level packages."""
        return any(package in self.index.imports for package in packages)

    def calls_to(self, *names: str) -> Iterator[Call]:
        """Yield the calls of functions or classes by qualified name, in the order of the file."""
        found: dict[Call, None] = {}
        wanted = frozenset(names)
        for last in {name.rpartition(".")[2] for name in names}:
            for written in self.spellings(last):
                for node, site in self.index.calls.get(written, ()):
                    call = self.call(node, site)
                    if call.callee in wanted:
                        found[call] = None
        yield from sorted(found, key=lambda call: call.order)

    def method_calls(self, *methods: str) -> Iterator[Call]:
        """Yield the calls of something by its last name (``x.step()``, ``step()``), in order."""
        found = [
            self.call(node, site)
            for method in methods
            for node, site in self.index.calls.get(method, ())
        ]
        yield from sorted(found, key=lambda call: call.order)

    def calls_named(self, pattern: re.Pattern[str]) -> Iterator[Call]:
        """Yield the calls of something whose last name matches a pattern anywhere, in order."""
        yield from self.method_calls(*(name for name in self.index.calls if pattern.search(name)))

    def calls_under(self, package: str) -> Iterator[Call]:
        """Yield the calls of anything in a package: ``calls_under("torchvision.transforms")``."""
        for call in self._calls():
            if (call.callee or "").startswith(f"{package}."):
                yield call

    def calls_passing(self, keyword: str) -> Iterator[Call]:
        """Yield the calls of anything that pass an argument by this keyword."""
        yield from self._passing.get(keyword, ())

    @cached_property
    def _passing(self) -> dict[str, list[Call]]:
        """The calls by the keywords that they pass."""
        found: dict[str, list[Call]] = {}
        for call in self._calls():
            for word in call.node.keywords:
                if word.arg is not None:
                    found.setdefault(word.arg, []).append(call)
        return found

    def _calls(self) -> Iterator[Call]:
        """Yield every call of the file."""
        for entries in self.index.calls.values():
            for node, site in entries:
                yield self.call(node, site)

    def labels(self, expr: Expr) -> tuple[str, ...]:
        """Return the names under which a value is kept: key, variable, function; see :func:`labels`."""
        return labels(expr)

    def purpose_of_data(self, call: Call) -> Purpose | None:
        """Return what the data set that a call makes is for; see :func:`purpose_of_data`."""
        return purpose_of_data(call)

    def calls_taking(self, expr: Expr) -> Iterator[Call]:
        """Yield the calls that are directly given an expression: ``wrap(..., expr)``."""
        yield from self._taking.get(id(expr.node), ())

    @cached_property
    def _taking(self) -> dict[int, list[Call]]:
        """The calls by what they are directly given."""
        found: dict[int, list[Call]] = {}
        for call in self._calls():
            for given in (*call.node.args, *(word.value for word in call.node.keywords)):
                found.setdefault(id(given), []).append(call)
        return found

    def speaks_of(self, pattern: str) -> bool:
        """Say whether any name, attribute or keyword of the file matches a pattern in any case."""
        matches = re.compile(pattern, re.IGNORECASE).search
        index = self.index
        tables = (index.names, index.attributes, index.calls, index.stores, index.aliases)
        return any(matches(name) for table in tables for name in table) or any(
            matches(name)
            for scope in (index.root, *index.functions.values(), *index.classes.values())
            for name in scope.bindings
        )

    def imports_speak_of(self, pattern: str) -> bool:
        """Say whether any word of the project's files that it imports from matches a pattern."""
        return self.elsewhere.speaks_of(pattern)

    def expression_statements(self) -> Iterator[Expr]:
        """Yield the expressions other than calls whose value is thrown away."""
        for node, site in self.index.statements:
            yield self.expr(node.value, site)

    def attributes_read(self, name: str) -> Iterator[Expr]:
        """Yield every place where an attribute of this name is read."""
        for node, site in self.index.attributes.get(name, ()):
            yield self.expr(node, site)

    def names_read(self, name: str) -> Iterator[Expr]:
        """Yield every place where a plain name is read."""
        for node, site in self.index.names.get(name, ()):
            yield self.expr(node, site)

    def mentions_of(self, qualified: str) -> Iterator[Expr]:
        """Yield every place where something imported is named, called or not, in the order of the file."""
        last = qualified.rpartition(".")[2]
        places = [*self.attributes_read(last)]
        for name in self.spellings(last):
            places += self.names_read(name)
        found = [place for place in places if place.qualified == qualified]
        yield from sorted(found, key=lambda place: place.order)

    def is_mentioned(self, function: Function) -> bool:
        """Say whether anything names a function or method: a call, a reference, a string.

        A method may be named by the other files that import its class, too.
        """
        index, name = self.index, function.name
        if index.names.get(name) or index.attributes.get(name) or index.calls.get(name):
            return True
        if re.search(rf"['\"](\w+\.)*{re.escape(name)}['\"]", self.source.text):
            return True
        owner = function.class_scope
        return owner is not None and self.elsewhere.is_read(ModuleClass(self, owner).name, name)

    def assignments(self, attribute: str) -> Iterator[tuple[Expr, Expr | None]]:
        """Yield each assignment to an attribute or string key of any object: target and value."""
        for target, binding in self.index.stores.get(attribute, ()):
            value = None
            if binding.value is not None and not binding.path:
                value = self.expr(binding.value, binding.site)
            yield self.expr(target, binding.site), value

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Every function and method of the file, lambdas left out."""
        return tuple(
            Function(self, scope)
            for scope in self.index.functions.values()
            if not isinstance(scope.node, ast.Lambda)
        )

    @cached_property
    def modules(self) -> tuple[ModuleClass, ...]:
        """Every subclass of ``nn.Module`` (or Lightning's) that the file defines."""
        found = []
        for scope in self.index.classes.values():
            has_forward = self.method_scope(scope, "forward") is not None
            if looks_like_module(self.foreign_bases(scope), has_forward=has_forward):
                found.append(ModuleClass(self, scope))
        return tuple(found)

    def passed_from_elsewhere(self, expr: Expr) -> tuple[Expr, ...]:
        """Return what other files of the project pass for the parameter that a name is.

        Known only where this file has a training loop, computes a loss or moves a new parameter.
        """
        binding = expr.binding if expr.is_parameter else None
        calls = None if binding is None else self.elsewhere.callers(binding.site.scope)
        given = [self.follower.argument_for(call, binding) for call in calls or () if binding]
        return tuple(one for one in given if one is not None)

    def function_of_name(self, expr: Expr) -> Function | None:
        """Return the function of the project that a name stands for, if it is one."""
        scope = self.follower.definition(expr)
        return None if scope is None else self.function_of(scope)

    def module_of(self, expr: Expr) -> ModuleClass | None:
        """Return the module class of the file that a value is an instance of, if it is one."""
        found: set[ModuleClass] = set()
        for origin in expr.objects():
            target = origin.target if isinstance(origin, Call) else None
            if target is None and origin.name == "self":
                target = self.class_of_self(origin.site, origin.node)
            if target is None or target.kind is not ScopeKind.CLASS:
                return None
            found.add(ModuleClass(target.index.model, target))
        return found.pop() if len(found) == 1 else None

    def module_around(self, expr: Expr) -> ModuleClass | None:
        """Return the module class in whose methods an expression stands."""
        module = self.class_around(expr)
        return module if module in expr.model.modules else None

    def layer_of(self, expr: Expr) -> Layer | None:
        """Return the layer of ``torch.nn`` that a value is, if it is known to be one."""
        return self.layers.layer(expr)

    def all_layers(self) -> Iterator[Layer]:
        """Yield every layer that the file builds, in order; containers and losses left out."""
        return self.layers.all()

    def sequentials(self) -> Iterator[Stack]:
        """Yield every outermost ``nn.Sequential``."""
        return self.layers.sequentials()

    def stacks(self) -> Iterator[Stack]:
        """Yield every order in which layers are applied: ``Sequential``, ``forward``, others."""
        yield from self._stacks

    @cached_property
    def _stacks(self) -> tuple[Stack, ...]:
        stacks = tuple(self.layers.stacks()) if self.has_layers else ()
        for stack in stacks:
            for step in stack.steps:
                if step.is_unknown:
                    self.note_unresolved(step.at, "what this does to the data")
        return stacks

    def activated(self) -> Iterator[Activated]:
        """Yield each layer with weights and the activation function it feeds."""
        yield from self._activated

    @cached_property
    def _activated(self) -> tuple[Activated, ...]:
        return tuple(self.layers.activated()) if self.has_layers else ()

    def outlets(self, layer: Layer) -> tuple[Outlet, ...]:
        """Return where the output of a layer goes; see :meth:`Layers.outlets`."""
        return self.layers.outlets(layer)

    def passed_to(self, layer: Layer) -> tuple[Call, ...]:
        """Return the calls that take a layer as an argument."""
        return self.layers.passed_to(layer)

    def is_frozen(self, layer: Layer) -> bool:
        """Say whether the file switches the gradient of a layer, or of what holds it, off."""
        holder = self.holder(layer.call)
        if holder is None:
            return False
        targets = [
            target
            for target, value in self.assignments("requires_grad")
            if value is None or value.truth() is not True
        ]
        calls = [call.called for call in self.method_calls("requires_grad_")]
        return any(one.text.startswith(f"{holder[0]}.") for one in (*targets, *calls))

    def sets_weights_of(self, layer: Layer) -> bool:
        """Say whether the function that builds a layer fills its weights itself, or loads them."""
        name = layer.call.assigned_to
        if name is None:
            return False
        weights = [target for target, _ in (*self.assignments("weight"), *self.assignments("data"))]
        touched = [*weights, *self.attributes_read("weight")]
        touched += [call.called for call in self.method_calls("load_state_dict")]
        function = layer.call.function
        return any(one.text.startswith(f"{name}.") and one.function == function for one in touched)

    def suits_tanh(self, activations: Sequence[Step]) -> bool:
        """Say whether tanh is a choice here: the weights are drawn for it, or smoothness is needed."""
        if any(step.kind != "Tanh" for step in activations):
            return False
        if any(self.calls_to("torch.autograd.grad", "torch.func.grad", "torch.func.jacrev")):
            return True
        places = {step.at for step in activations}
        layers = {pair.layer for pair in self.activated() if pair.activation.at in places}
        return any(
            init.scheme.startswith(("xavier", "orthogonal"))
            and init.parameter != "bias"
            and (not init.layers or layers.intersection(init.layers))
            for init in self.init_calls()
        )

    def trains(self, expr: Expr) -> bool:
        """Say whether an expression constructs something with weights: a layer, a module of the file."""
        if not isinstance(expr, Call):
            return False
        for origin in expr.objects():
            target = origin.target if isinstance(origin, Call) else None
            if target is not None and target.kind is ScopeKind.CLASS:
                if ModuleClass(target.index.model, target).has_parameters:
                    continue
                layers = self.layers.built_by(target)
            else:
                steps = self.layers.steps(origin)
                layers = [step.layer for step in steps if step.layer is not None]
            if not any(layer.has_weights for layer in layers):
                return False
        return True

    def trains_here_alone(self, item: Expr) -> bool:
        """Say whether an item is a layer with weights that is made in its place, or for it alone."""
        if not item.is_name:
            return self.trains(item)
        origins = item.origins()
        made = self.kept(origins[0]) if len(origins) == 1 and self.trains(origins[0]) else None
        return made is not None and set(made.uses) == {item}

    @cached_property
    def touches_weights(self) -> bool:
        """Whether anything in the file may set weights: an initialisation, ``apply``, a loaded state."""
        if any(init.parameter != "bias" for init in self.init_calls()):
            return True
        if self.index.attributes.get("weight") or self.index.stores.get("weight"):
            return True
        return any(
            name in _SETS_WEIGHTS or ("init" in name.lower() and not name.startswith("__"))
            for name in self.index.calls
            if not name.startswith("init_process")
        )

    def repetitions(self) -> Iterator[Repetition]:
        """Yield the lists that are multiplied by a number: ``[nn.Linear(8, 8)] * 4``."""
        if self.has_layers:
            yield from self.layers.repetitions()

    def producers(self, expr: Expr) -> tuple[Step, ...]:
        """Return what last made a value; see :meth:`Layers.producers`."""
        steps = self.layers.producers(expr)
        for step in steps:
            if step.is_unknown:
                self.note_unresolved(step.at, "what makes this value")
        return steps

    def way_to(self, expr: Expr) -> tuple[Step, ...]:
        """Return the steps that lead to a value; see :meth:`Layers.way_to`."""
        return self.layers.way_to(expr)

    def reshapes(self) -> Iterator[Reshape]:
        """Yield every ``view`` that names all sizes of its tensor in another order."""
        yield from reshapes(self) if self.has_layers else ()

    def integer_maker(self, expr: Expr) -> Call | None:
        """Return the call that makes the whole numbers that a value surely holds; None if not sure."""
        return integer_maker(expr)

    def carries_gradient(self, expr: Expr) -> Expr | None:
        """Return the call of a layer with weights from whose output a value is computed; None if none."""
        return carries_gradient(expr)

    def rank_of(self, expr: Expr) -> int | None:
        """Return how many dimensions a value surely has, if the file says it; see :func:`rank_of`."""
        return rank_of(expr)

    def stray_tensors(self, module: ModuleClass) -> Iterator[StrayTensor]:
        """Yield the constant tensors that a module keeps as plain attributes and computes with."""
        yield from stray_tensors(module)

    def unused_layers(self, module: ModuleClass) -> Iterator[UnusedLayer]:
        """Yield the layers with weights that a module makes and nothing reads."""
        yield from unused_layers(module)

    def cuts(self, expr: Expr) -> tuple[Expr, ...]:
        """Return where a value was cut from its network; see :meth:`Gradient.cuts`."""
        return self.gradient.cuts(expr)

    def is_tensor(self, expr: Expr) -> bool:
        """Say whether a value is surely a tensor; see :meth:`Tensors.is_tensor`."""
        return self.tensors.is_tensor(expr)

    def is_weight(self, expr: Expr) -> bool:
        """Say whether this is surely a parameter of a model; see :meth:`Tensors.is_weight`."""
        return self.tensors.is_weight(expr)

    def init_calls(self) -> tuple[InitCall, ...]:
        """Return every initialisation of a weight or bias, and the layers it reaches."""
        return self.initialisation.calls

    def restarts(self) -> Iterator[Restart]:
        """Yield every initialisation of a module after its weights were loaded; see :func:`restarts`."""
        if self.has_layers:
            yield from restarts(self)

    def empty_parameters(self) -> Iterator[EmptyParameter]:
        """Yield the parameters that nothing ever fills; see :func:`empty_parameters`."""
        if self.has_layers:
            yield from empty_parameters(self)

    def losses(self) -> tuple[Loss, ...]:
        """Return every place where a loss of torch is computed."""
        return self.training.losses

    def optimizers(self) -> tuple[Optimizer, ...]:
        """Return every optimizer that the file constructs."""
        return self.training.optimizers

    def schedulers(self) -> tuple[Scheduler, ...]:
        """Return every learning-rate scheduler that the file constructs."""
        return self.training.schedulers

    def epoch_schedules(self) -> Iterator[tuple[Expr, Scheduler]]:
        """Yield the schedulers that Lightning steps once per epoch; see :func:`epoch_schedules`."""
        yield from epoch_schedules(self)

    def loaders(self) -> tuple[Loader, ...]:
        """Return every ``DataLoader`` that the file constructs."""
        return self.training.loaders

    def pipelines(self) -> Iterator[Pipeline]:
        """Yield every outermost ``Compose`` of torchvision, step by step."""
        yield from pipelines(self)

    def seedings(self) -> Iterator[Seeding]:
        """Yield every call of a known function that seeds the global generators."""
        yield from seedings(self)

    def may_seed(self) -> Iterator[Call]:
        """Yield the calls that seed by their name alone: of other files, of a generator."""
        yield from may_seed(self)

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Yield every dict that ``torch.save`` writes and whose entries are all known."""
        yield from checkpoints(self)

    def resumed(self, key: str) -> Iterator[Expr]:
        """Yield where the entry of a loaded checkpoint at a key is put into a variable."""
        yield from resumed(self, key)

    def data_set_class(self, expr: Expr) -> DataSetClass | None:
        """Return the class of the project that a data set is an instance of, if it is one."""
        return data_set_class(self, expr)

    def is_indexed(self, expr: Expr) -> bool:
        """Say whether a data set is surely read by index, so that a loader can shuffle it."""
        return is_indexed(self, expr)

    def decodes(self, expr: Expr) -> bool:
        """Say whether reading an example of a data set surely takes work: it opens a file."""
        return decodes(self, expr)

    def parameter_generators(self) -> tuple[ParameterGenerator, ...]:
        """Return every generator of parameters that is kept in a variable, with its uses."""
        return self.variables.parameter_generators

    def replaced_layers(self) -> tuple[ReplacedLayer, ...]:
        """Return every layer put into a model after an optimizer took the model's parameters."""
        return self.variables.replaced_layers

    def routines(self) -> tuple[Routine, ...]:
        """Return the functions that nothing in the file calls, with the loop events in them."""
        return self.events.routines

    def accumulations(self) -> Iterator[Accumulation]:
        """Yield every place where a value is added to a total or appended to a list."""
        return accumulations(self)

    @cached_property
    def writes_gradients(self) -> bool:
        """Whether the file writes or clears ``.grad`` by hand: ``p.grad = None``, ``p.grad.zero_()``."""
        in_place = ("zero_", "fill_", "copy_", "add_", "sub_", "mul_", "div_", "detach_")
        return bool(self.index.stores.get("grad")) or any(
            call.receiver is not None and call.receiver.mentions("grad")
            for call in self.method_calls(*in_place)
        )

    def kept(self, made: Expr) -> Kept | None:
        """Return the variable or attribute in which a value is kept, with its uses."""
        return kept(self, made)

    def goal_of(self, metric: Expr) -> Goal | None:
        """Return which way a metric improves, by its name; see :func:`goal_of`."""
        return goal_of(metric)

    def turned_into_half(self, model: Expr, *, before: Call) -> Expr | None:
        """Return where a model surely got weights in half precision; see :func:`turned_into_half`."""
        return turned_into_half(self, model, before)

    def frozen_models(self) -> Iterator[Frozen]:
        """Yield where all weights of a model are frozen; see :func:`frozen_models`."""
        yield from frozen_models(self)

    def moves_to_device(self) -> Iterator[Call]:
        """Yield the calls that move what they are called on to an accelerator."""
        yield from moves_to_device(self)

    def is_built_on_cpu(self, expr: Expr) -> bool:
        """Say whether the file builds a model, and what builds it puts it on no accelerator."""
        return is_built_on_cpu(self, expr)

    def late_moves(self) -> Iterator[LateMove]:
        """Yield the moves of a model to a device after an optimizer took its parameters."""
        yield from late_moves(self)

    def reads_of(self, made: Expr) -> tuple[Expr, ...] | None:
        """Return where the variable that a value is assigned to is read; see :func:`reads_of`."""
        return reads_of(self, made)

    def entries_beside(self, made: Call) -> Iterator[dict[str, Expr]]:
        """Yield the entries of the dicts that a value is put into, from the inside out."""
        yield from entries_beside(self, made)

    def rounds_of(self, call: Call) -> Iterator[Round]:
        """Yield the loops that surely run a call in each round, those of callers included."""
        yield from rounds_of(call)

    def mode_dependence(self, expr: Expr) -> ModeDependence:
        """Say what of a model behaves differently in training and in evaluation mode."""
        return mode_dependence(self, expr)

    def handed_on(self, expr: Expr) -> Iterator[Call]:
        """Yield the calls of functions of other files that are given an object."""
        return self.identities.handed_on(expr)

    def hides_steps(self, event: Event) -> bool:
        """Say whether what an event is done to is handed to somebody of whom nothing is known.

        Asked of the files through which the way to the event leads, of those that make its subject,
        and of those whose functions get it: the events of a function of the project are known.
        """
        subject = event.subject
        if subject is None:
            return True
        queue = [self, *event.models, *(one.model for one in subject.objects())]
        asked: set[int] = set()
        while queue:
            model = queue.pop()
            if id(model) in asked:
                continue
            asked.add(id(model))
            for call in model.handed_on(subject):
                if call.target is None:
                    return True
                queue.append(call.target.index.model)
        return False

    def event_of(self, call: Call) -> LoopEvent | None:
        """Say which event of a training loop a call is; None if it is none."""
        found = self.events.classify(call)
        return None if found is None else found[0]

    def role_of(self, expr: Expr) -> str | None:
        """Say what an object is in a training loop; see :meth:`Events.role_of`."""
        return self.events.role_of(expr)

    def imported_name(self, expr: Expr) -> str | None:
        """Return the name of something as the import spells it, which may be an old one."""
        return imported_name(self, expr)

    def import_of(self, expr: Expr) -> Expr | None:
        """Return the import that a dotted name leads to, as a statement."""
        return import_of(self, expr)

    def moved_package(
        self, called: Expr, old: str, new: str, known: frozenset[Call]
    ) -> tuple[Edit, ...] | None:
        """Return the edits by which a call takes its function elsewhere; see :func:`moved_package`."""
        return moved_package(self, called, old, new, known)

    def runs_in_every_process(self, call: Call) -> bool:
        """Say whether a call surely runs in every process; see :func:`runs_in_every_process`."""
        return runs_in_every_process(self, call)

    def speaks_of_rank(self, expr: Expr) -> bool:
        """Say whether an expression, or what made it, has to do with the number of the process."""
        return speaks_of_rank(expr)

    def spelling(self, qualified: str) -> str | None:
        """Return the shortest way in which the file may write a qualified name; None if it cannot."""
        found = [
            name + qualified[len(binding.imported) :]
            for name, bindings in self.index.root.bindings.items()
            for binding in bindings
            if binding.kind is BindingKind.IMPORT and binding.imported is not None
            if f"{qualified}.".startswith(f"{binding.imported}.")
        ]
        return min(found, key=len, default=None)

    def divides_by(self, name: str) -> bool:
        """Say whether the text of the file divides anything by something of this name."""
        return bool(
            re.search(rf"(?<!/)/(?!/)=?[\s(]*(?:[\w.]+\.)?{re.escape(name)}\b", self.source.text)
        )

    def renamed_import(self, name: Expr, last: str) -> tuple[Edit, ...]:
        """Return the edits that import something else under which a plain name is called, and call it.

        Empty where the name is bound in another way too, or read other than by calling it.
        """
        found = self.names.lookup(name.name or "", name.site.scope) if name.is_name else None
        if found is None or len(found[1]) != 1 or found[1][0].kind is not BindingKind.IMPORT:
            return ()
        alias: Any = found[1][0].node
        edit = self.expr(alias, name.site).replaced_by(
            last if alias.asname is None else f"{last} as {alias.asname}"
        )
        if alias.asname is not None:
            return (edit,)
        reads = [one for one in self.names_read(alias.name) if one.qualified == name.qualified]
        called = {call.called for call in self.method_calls(alias.name)}
        if not called.issuperset(reads):
            return ()
        return (edit, *(one.replaced_by(last) for one in reads))

    def plain_collections(self, module: ModuleClass) -> Iterator[PlainCollection]:
        """Yield the plain lists and dicts that a module keeps as attributes, with their items."""
        yield from plain_collections(module)

    def is_fed_back(self, call: Call, loop: Loop) -> bool:
        """Say whether a loop over the steps of a sequence feeds the result of a call back to it."""
        return is_recurrence(self, loop) and feeds_back(self, loop, call)

    def fed_back(self, layer: Layer) -> Call | None:
        """Return where a loop over the steps of a sequence feeds what a layer puts out back to it."""
        return fed_back(layer)

    @property
    def unresolved(self) -> list[Unresolved]:
        """What rules asked and the file does not say, in order."""
        found = [
            Unresolved(expr.path, expr.span, expr.text, reason)
            for expr, reason in self._unresolved.items()
        ]
        return sorted(found, key=lambda one: one.span)

    def note_unresolved(self, expr: Expr, reason: str) -> None:
        """Keep that a rule asked something that is not known."""
        self._unresolved.setdefault(expr, reason)

    def close(self) -> None:
        """Take the model apart when nothing is asked any more, so that it is freed at once."""
        self.index.close()
        self.__dict__.clear()

    # -- wrapping nodes -----------------------------------------------------------------------

    def expr(self, node: ast.AST, site: Site) -> Expr:
        """Return the expression of a node, the same one each time."""
        found = self._expressions.get(id(node))
        if found is None:
            if site.scope.index is not self.index:
                return site.scope.index.model.expr(node, site)
            kind = Call if isinstance(node, ast.Call) else Expr
            found = self._expressions[id(node)] = kind(self, node, site)
        return found

    def edit(self, start: int, end: int, replacement: str) -> Edit:
        """Return an edit of this file."""
        return Edit(start, end, replacement, self.source.path)

    def call(self, node: ast.Call, site: Site) -> Call:
        """Return the call of a node."""
        return self.expr(node, site)  # type: ignore[return-value]

    def function_of(self, scope: Scope) -> Function | None:
        """Return the function of a scope; None of a module or class."""
        return Function(scope.index.model, scope) if scope.kind is ScopeKind.FUNCTION else None

    def site_of_block(self, block: Block) -> Site:
        """Return where the header of a block stands."""
        site = self._block_sites.get(id(block))
        if site is None:
            outer = block.parent or block
            site = Site(block.header, outer, block.scope, block.index)
            self._block_sites[id(block)] = site
        return site

    # -- classes ------------------------------------------------------------------------------

    def is_class_scope(self, scope: Scope) -> bool:
        """Say whether a scope is that of a class."""
        return scope.kind is ScopeKind.CLASS

    def lineage(self, scope: Scope) -> tuple[Scope, ...]:
        """Return a class and its bases in this file, in the order in which they are searched."""
        known = self._lineages.get(id(scope))
        if known is not None:
            return known
        if scope.index is not self.index:
            return scope.index.model.lineage(scope)
        self._lineages[id(scope)] = (scope,)
        found: dict[int, Scope] = {id(scope): scope}
        site = self.index.definition_sites[id(scope.node)]
        for base in getattr(scope.node, "bases", ()):
            expr = self.expr(base, site)
            definition = self.follower.definition(expr)
            if definition is not None and definition.kind is ScopeKind.CLASS:
                for one in self.lineage(definition):
                    found.setdefault(id(one), one)
        self._lineages[id(scope)] = tuple(found.values())
        return self._lineages[id(scope)]

    def foreign_bases(self, scope: Scope) -> tuple[str, ...]:
        """Return the qualified names of all bases that are neither of this file nor of the project."""
        found: dict[str, None] = {}
        for one in self.lineage(scope):
            site = one.index.definition_sites[id(one.node)]
            for base in getattr(one.node, "bases", ()):
                name = one.index.model.names.qualified(base, site)
                if name is not None:
                    found[name] = None
        return tuple(found)

    def own_method_scope(self, scope: Scope, name: str) -> Scope | None:
        """Return a method that a class itself defines."""
        for binding in reversed(scope.bindings.get(name, ())):
            if binding.kind is BindingKind.FUNCTION:
                return binding.definition
        return None

    def method_scope(self, scope: Scope, name: str) -> Scope | None:
        """Return a method of a class, looked up through its bases in this file."""
        for one in self.lineage(scope):
            found = self.own_method_scope(one, name)
            if found is not None:
                return found
        return None

    def class_of_self(self, site: Site, node: ast.AST | None) -> Scope | None:
        """Return the class whose instance a name is: the first parameter of a method around it."""
        if not isinstance(node, ast.Name):
            return None
        scope: Scope | None = site.scope.function
        while scope is not None and scope.parent is not None:
            if scope.kind is ScopeKind.FUNCTION and node.id in scope.bindings:
                first = next(iter(scope.bindings))
                if scope.parent.kind is not ScopeKind.CLASS or first != node.id:
                    return None
                return scope.parent if len(scope.bindings[first]) == 1 else None
            scope = scope.parent
        return None

    def class_around(self, expr: Expr) -> ModuleClass | None:
        """Return the class in whose body or methods an expression stands."""
        scope: Scope | None = expr.site.scope
        while scope is not None:
            if scope.kind is ScopeKind.CLASS:
                return ModuleClass(scope.index.model, scope)
            scope = scope.parent
        return None

    def constructions(self, scope: Scope) -> tuple[Call, ...]:
        """Return the calls that construct a class, in the file that defines it."""
        if scope.index is not self.index:
            return scope.index.model.constructions(scope)
        name = str(getattr(scope.node, "name", ""))
        found = [
            self.call(node, site)
            for written in self.spellings(name)
            for node, site in self.index.calls.get(written, ())
        ]
        return tuple(call for call in found if call.target is scope)

    # -- for the parts of the model -----------------------------------------------------------

    @cached_property
    def has_layers(self) -> bool:
        """Whether the file can say anything about layers: it imports torch."""
        return self.imports("torch", "lightning", "pytorch_lightning") or bool(
            self.index.star_imports
        )

    @cached_property
    def constructed(self) -> tuple[Call, ...]:
        """Every call that constructs something of ``torch.nn``, in order."""
        if not self.has_layers:
            return ()
        found: dict[Call, None] = {}
        for entries in self.index.calls.values():
            for node, site in entries:
                function = node.func
                name = getattr(function, "attr", None) or getattr(function, "id", None)
                if name is None:
                    continue
                call = self.call(node, site)
                if self.layers.kind(call) is not None:
                    found[call] = None
        return tuple(sorted(found, key=lambda call: call.order))

    def functional_activations(self) -> Iterator[Call]:
        """Yield the activation functions that are called as functions or methods, in order."""
        names = [name for name, kind in FUNCTIONS.items() if kind in ACTIVATIONS]
        for call in self.method_calls(*names):
            operation = self.layers.operation(call)
            if operation is not None and operation[0] in ACTIVATIONS:
                yield call

    def may_define(self, name: str) -> bool:
        """Say whether something that may be called by this name is defined here, or where we import."""
        return name in self._callable_names or self.elsewhere.may_hold(name)

    def may_hold(self, name: str) -> bool:
        """Say whether something here, or where we import, may give such an attribute its value."""
        return name in self._held_names or self.elsewhere.may_hold(name)

    @cached_property
    def _held_names(self) -> frozenset[str]:
        names = self._callable_names | self.index.keys | self._options.keys()
        if "hparams" in self.index.attributes:
            # Lightning keeps the parameters of `__init__` there.
            for scope in self.index.functions.values():
                names |= scope.bindings.keys()
        return names

    @cached_property
    def _callable_names(self) -> frozenset[str]:
        names = {str(getattr(scope.node, "name", "")) for scope in self.index.functions.values()}
        for scope in self.index.classes.values():
            names.add(str(getattr(scope.node, "name", "")))
            names.update(scope.attributes)
            names.update(scope.bindings)
        names.update(self.index.stores)
        return frozenset(names)

    def instance_names(self, scope: Scope) -> set[str]:
        """Return the names by which instances of a class of the file may be called."""
        if not self.constructions(scope) and not any(
            self.constructions(one)
            for one in self.index.classes.values()
            if one is not scope and scope in self.lineage(one)
        ):
            return set()
        return {name for name in self.index.calls if name in self._variable_names} | {"()"}

    @cached_property
    def _variable_names(self) -> frozenset[str]:
        wanted = {BindingKind.ASSIGN, BindingKind.PARAMETER, BindingKind.LOOP, BindingKind.WITH}
        scopes = [self.index.root, *self.index.functions.values(), *self.index.classes.values()]
        names = {
            name
            for scope in scopes
            for name, bindings in scope.bindings.items()
            if any(binding.kind in wanted for binding in bindings)
        }
        for scope in self.index.classes.values():
            names.update(scope.attributes)
        names.update(self.index.stores)
        return frozenset(names)

    def command_line_default(self, name: str) -> Expr | None:
        """Return the default of the one command-line option of a name that a parser here has."""
        options = self._options.get(name, ())
        if len(options) != 1:
            return None
        return options[0].keywords.get("default")

    @cached_property
    def _options(self) -> dict[str, list[Call]]:
        found: dict[str, list[Call]] = {}
        for call in self.method_calls("add_argument", "add_arg"):
            destination = call.keywords.get("dest")
            flags = [argument.node.value for argument in call.args if _is_string(argument.node)]
            long = [flag for flag in flags if flag.startswith("--")] or flags
            if destination is not None and _is_string(destination.node):
                name = str(destination.node.value)
            elif long:
                name = long[0].lstrip("-").replace("-", "_")
            else:
                continue
            found.setdefault(name, []).append(call)
        for call in self.method_calls(
            "DEFINE_float", "DEFINE_integer", "DEFINE_string", "DEFINE_bool", "DEFINE_boolean"
        ):
            if len(call.args) > 1 and _is_string(call.args[0].node):
                call.keywords.setdefault("default", call.args[1])
                found.setdefault(str(call.args[0].node.value), []).append(call)
        return found

    def loaders_behind(self, expr: Expr) -> tuple[Call, ...]:
        """Return the constructions of ``DataLoader`` that an iterable goes through, or may."""
        found: dict[Call, None] = {}
        seen: set[Expr] = set()
        queue = [expr]
        while queue:
            one = queue.pop(0)
            if one in seen:
                continue
            seen.add(one)
            if not isinstance(one, Call):
                queue += one.objects()
            elif one.callee == "torch.utils.data.DataLoader":
                found[one] = None
            elif one.method in _PASSES_ON:
                queue += one.args
            else:
                queue += one.objects()
        return tuple(found)

    def is_loader(self, expr: Expr) -> bool:
        """Say whether an iterable is a data loader: by what made it, else by its name."""
        while isinstance(expr, Call):
            if expr.callee == "torch.utils.data.DataLoader":
                return True
            if expr.method in {
                "enumerate",
                "tqdm",
                "zip",
                "iter",
                "track",
                "progress_bar",
                "log_every",
            }:
                if not expr.args:
                    return False
                expr = expr.args[0]
                continue
            break
        for origin in expr.objects():
            if isinstance(origin, Call):
                if origin.callee == "torch.utils.data.DataLoader":
                    return True
                if origin.method in {"enumerate", "tqdm"} and origin != expr and origin.args:
                    return self.is_loader(origin.args[0])
        name = (expr.name or (expr.method if isinstance(expr, Call) else None) or "").lower()
        return any(name == word or name.endswith(word) for word in _LOADER_WORDS)

    def holder(self, made: Expr) -> tuple[str, Scope] | None:
        """Return the variable or attribute that something is assigned to when made, and where."""
        statement = made.site.statement
        if not isinstance(statement, ast.Assign | ast.AnnAssign):
            return None
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        value = statement.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = zip(target.elts, value.elts, strict=False)
            target, value = next((pair for pair in pairs if pair[1] is made.node), (target, value))
        if value is not made.node or not isinstance(target, ast.Name | ast.Attribute):
            return None
        return ast.unparse(target), made.site.scope.function

    def is_replaced(self, made: Expr) -> bool:
        """Say whether something else is put later where something is assigned to when made."""
        holder = self.holder(made)
        if holder is None:
            return False
        name = holder[0].rpartition(".")[2]
        return any(target.text != holder[0] for target, _ in self.assignments(name))

    def spellings(self, last: str) -> set[str]:
        """Return the last names under which something imported may be written in this file."""
        found = {last}
        queue = [last]
        while queue:
            for alias in self.index.aliases.get(queue.pop(), ()):
                if alias not in found:
                    found.add(alias)
                    queue.append(alias)
        return found


def _is_string(node: ast.AST) -> bool:
    """Say whether a node is a string literal."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
