"""The model of a file, and how a rule asks it.

A check gets a :class:`FileModel` and asks in the language of training. It imports no ``ast`` and walks
nothing; where it seems to need a node, the model lacks a question: add it here, with its test.

The words
---------

:class:`Expr` is an expression of the user's code, :class:`Call` a call. Both know where they stand
(``expr.span``, ``expr.loops``, ``expr.function``, ``expr.contexts``) and how they read (``expr.quoted``
for messages). Four questions go further:

``expr.qualified`` / ``call.callee``
    the qualified name through imports and aliases: ``torch.nn.functional.relu`` for ``F.relu`` and for
    ``nnf.relu``. None if it is nothing imported. Names with several spellings have one
    (``torch_api.canonical``).
``expr.origins()``
    the expressions that may have made a value: through variables (reaching definitions), attributes of
    ``self``, parameters (to the arguments of every call in the file), dict entries, functions that
    return it. Where the trace is lost, the name itself is in the answer: if every origin is something
    known, everything is known. ``expr.objects()`` also looks behind ``.to(device)``, ``DDP(...)``.
``expr.number()``, ``expr.string()``, ``expr.truth()``, ``expr.literal()``
    the value as a person would follow it: constants, arithmetic, defaults, ``args.lr`` of argparse and
    click, dataclass fields, ``config["lr"]``. None (``UNKNOWN`` of ``literal``) if it cannot be
    followed, or if two ways disagree.
    ``expr.is_settled`` says whether the file alone decides about it: a parameter with a default is
    not settled, as callers may pass another value.
``expr.ingredients()``
    everything that a value is made of and that gradients flow back to: a loss's logits, its layers.
``call.target``
    the function or class of this file that is called; the ``forward`` of one of its modules.

Questions of the file
---------------------

``file.calls_to("torch.nn.Softmax")``, ``file.method_calls("backward")``
    calls by qualified name, or by last name. ``file.calls_under("torchvision.transforms")`` takes a
    whole package, ``file.calls_passing("transform")`` a keyword.
``file.labels(expr)``, ``Purpose.of(name)``, ``file.purpose_of_data(call)``
    the names under which a value is kept, and whether they speak of training or of evaluation.
``file.modules``, ``file.module_of(expr)``
    the ``nn.Module`` classes (:class:`ModuleClass`): ``forward``, ``layers``, ``attributes``, ``stacks``.
``file.all_layers()``, ``file.layer_of(expr)``
    the layers built (:class:`Layer`): ``kind`` is the class of ``torch.nn``, ``number("out_features")``
    reads a parameter by its name, wherever it stands.
``file.stacks()``, ``file.sequentials()``
    layers in the order in which data meets them (:class:`Stack` of :class:`Step`): every ``Sequential``
    in each of its forms and every way through a ``forward``. A functional call is a step like a layer.
    ``?`` is a step that is not known; ``add``, ``cat`` are joins.
``file.activated()``
    each layer with weights and the activation that it feeds.
``file.producers(expr)``
    what last made a value, through modules and functions of the file: one step for each way. This is how
    a loss asks what it is given: ``{step.kind for step in file.producers(loss.input)} == {"Softmax"}``.
``file.way_to(expr)``
    all steps that lead to a value.
``file.cuts(expr)``
    where a value was cut from the network that made it (``.item()``, ``.detach()``, ``argmax``); empty
    where a part of it may still hang on the weights.
``file.is_tensor(expr)``, ``file.is_weight(expr)``
    whether a value is surely a tensor, or a parameter of a model. ``PURE_METHODS`` are the methods of a
    tensor that leave it as it is.
``file.init_calls()``
    the initialisations (:class:`InitCall`): scheme, arguments, and the layers each reaches.
    ``init.lets_through("Linear")`` asks the tests of the type around it.
``file.restarts()``, ``file.empty_parameters()``
    initialisations that throw loaded weights away (:class:`Restart`); parameters that nothing ever
    fills (:class:`EmptyParameter`).
``file.mentions_of("torch.nn.init.normal")``, ``file.is_mentioned(function)``
    every place where something imported is named; whether anything names a function of the file.
``file.plain_collections(module)``
    the lists and dicts that a module keeps, of which ``nn.Module`` knows nothing.
``file.is_fed_back(call, loop)``, ``file.fed_back(layer)``
    whether a loop over the steps of a sequence feeds the result of a call back to it; where one does
    so with the output of a layer.
``file.trains(expr)``, ``file.trains_here_alone(expr)``
    whether an expression constructs something with weights; whether nothing else holds that.
``file.passed_from_elsewhere(expr)``, ``file.imports_speak_of("clip")``
    what other files of the project pass for a parameter; whether a word stands in the files that this
    one imports from.
``file.losses()``, ``file.optimizers()``, ``file.schedulers()``, ``file.loaders()``
    what the training is made of; ``argument`` and ``number`` read parameters by name.
    ``file.epoch_schedules()`` are the schedulers that Lightning steps once per epoch.
    ``optimizer.given("lr")`` are the known numbers, of the call and of its groups, each with the
    parameters it is for.
``loader.purpose``, ``loader.flag("shuffle")``, ``loader.feeds_training``
    what a loader is for, what it is told, and whether a loop with a ``backward()`` goes over it.
``file.pipelines()``
    every ``Compose`` of torchvision, step by step (``Transform``); ``kind`` is None of a step not known.
``file.data_set_class(expr)``, ``file.is_indexed(expr)``, ``file.decodes(expr)``
    the class of a data set, whether a loader can shuffle it, whether reading an example opens a file.
``file.seedings()``, ``file.may_seed()``
    the calls that seed the global generators; ``seeding.training_loops`` repeat it in each round.
``file.checkpoints()``, ``file.resumed("epoch")``
    the dicts that are saved, all of whose keys are known, and where a run goes on from one.
``file.routines()``
    the training loops (:class:`Routine`): the functions that nothing in the file calls, each with its
    :class:`Event` s in order, those of its helper functions at the place of the call. An event knows its
    loops, its branch, its subject and its driver (plain, Lightning, Accelerate, Fabric, DeepSpeed).
``file.rounds_of(call)``
    the loops that surely run a call in each round (:class:`Round`), through functions too;
    ``round.may_make(expr)`` says whether something beside the call may be another one in each.
``file.reads_of(made)``, ``file.entries_beside(made)``
    who reads the variable that a value is assigned to, and the dicts that it is put into.
``file.rank_of(expr)``, ``file.integer_maker(expr)``, ``file.carries_gradient(expr)``
    how many dimensions a value surely has; what made it whole numbers; the layer with weights to
    which gradients flow back from it.
``file.reshapes()``, ``file.stray_tensors(module)``, ``file.unused_layers(module)``
    views that name the sizes of their tensor in another order (:class:`Reshape`); constant tensors
    that a module keeps as plain attributes (:class:`StrayTensor`); layers that nothing reads
    (:class:`UnusedLayer`).
``file.handed_on(expr)``, ``file.hides_steps(event)``
    the calls of functions outside of the file that get an object; whether one of which nothing is known
    gets what an event is done to.
``file.late_moves()``, ``file.turned_into_half(model, before=call)``
    models that are moved after their optimizer was built, or that got half precision before.
``file.goal_of(metric)``
    whether a metric is better when it is higher or lower (:class:`Goal`), by its name.
``file.note_unresolved(expr, reason)``
    keeps what could not be answered, for ``--show-unresolved``.

Across files
------------

The files of a run are one project (:mod:`trainlint.static.project`), and every question above goes
through imports by itself: a constant of ``config.py`` is a number, a class of ``models.py`` a module, a
helper of ``engine.py`` part of a routine; ``call.target`` may be a function of another file. A rule
never asks which file answered. Where it speaks of a place in another file, the engine marks the place
in the file that is linted and shows the other one below; a fix never edits another file. What is
enumerated (``file.losses()``, ``file.method_calls(...)``) is of the one file.

Configuration files
-------------------

A configuration of a training (:mod:`trainlint.static.configs`) is modelled as the program that it stands
for: ``file.optimizers()``, ``file.schedulers()``, ``file.loaders()``, ``file.all_layers()`` and the calls
that clip answer as for code, at their places in the file. There are no loops, functions or modules, and
most calls are open (``call.is_open``). Only rules with ``judges_configs`` are asked.

Unknown is a value of its own. A rule that cannot be sure stays silent.
"""

from trainlint.static.model.accumulation import Accumulation
from trainlint.static.model.elsewhere import Symbol
from trainlint.static.model.events import Driver, Event, Routine
from trainlint.static.model.expression import UNKNOWN, Call, Expr, Function, Loop, Unknown
from trainlint.static.model.file import FileModel, Unresolved
from trainlint.static.model.initialisation import InitCall
from trainlint.static.model.keeping import Kept
from trainlint.static.model.layers import Activated, Layer, ModuleClass, Repetition, Stack, Step
from trainlint.static.model.metrics import Goal
from trainlint.static.model.placement import LateMove
from trainlint.static.model.purpose import Purpose
from trainlint.static.model.registration import PlainCollection
from trainlint.static.model.restarting import Restart
from trainlint.static.model.rounds import Round
from trainlint.static.model.stray_tensors import StrayTensor
from trainlint.static.model.tensor_facts import Reshape
from trainlint.static.model.tensors import PURE_METHODS
from trainlint.static.model.training import Loader, Loss, Optimizer, Scheduler
from trainlint.static.model.unfilled import EmptyParameter
from trainlint.static.model.unused import UnusedLayer

__all__ = [
    "PURE_METHODS",
    "UNKNOWN",
    "Accumulation",
    "Activated",
    "Call",
    "Driver",
    "EmptyParameter",
    "Event",
    "Expr",
    "FileModel",
    "Function",
    "Goal",
    "InitCall",
    "Kept",
    "LateMove",
    "Layer",
    "Loader",
    "Loop",
    "Loss",
    "ModuleClass",
    "Optimizer",
    "PlainCollection",
    "Purpose",
    "Repetition",
    "Reshape",
    "Restart",
    "Round",
    "Routine",
    "Scheduler",
    "Stack",
    "Step",
    "StrayTensor",
    "Symbol",
    "Unknown",
    "Unresolved",
    "UnusedLayer",
]
