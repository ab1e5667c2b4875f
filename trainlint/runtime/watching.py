"""`watch`: attaches a monitor to a training, once what it is given has been checked."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import nn

from trainlint.core.diagnosis import Severity
from trainlint.runtime.announcing import Announcer
from trainlint.runtime.hooks import call_site
from trainlint.runtime.loggers import Loggers, check, made
from trainlint.runtime.loggers.choice import Choice
from trainlint.runtime.monitor import Monitor
from trainlint.runtime.program import told_rank
from trainlint.runtime.schedule import Schedule
from trainlint.runtime.settings import settings_of
from trainlint.runtime.signals import Origin, Run

if TYPE_CHECKING:
    from trainlint.core.config import Settings
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.recorder import Recorder

Models: TypeAlias = nn.Module | Sequence[nn.Module] | Mapping[str, nn.Module]
Optimizers: TypeAlias = torch.optim.Optimizer | Sequence[torch.optim.Optimizer]
Recorded: TypeAlias = str | os.PathLike[str] | bool | None


def watch(  # noqa: PLR0913 - all but two are optional
    model: Models,
    optimizer: Optimizers,
    *,
    loss: nn.Module | None = None,
    budget: float = 0.01,
    every: int | None = None,
    recording: Recorded = None,
    append: bool = False,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    extend_select: Sequence[str] = (),
    thresholds: Mapping[str, Mapping[str, object]] | None = None,
    on_diagnosis: Callable[[Diagnosis], object] | None = None,
    halt_on: str | Sequence[str] = (),
    live: bool | None = None,
    loggers: object = (),
    logged: Sequence[str] | None = None,
) -> Monitor:
    """Watch a training; all that is needed is the model and the optimizer.

    Args:
        model: A module, or several: a sequence or, with names for them, a mapping.
        optimizer: The optimizer that trains it, or several.
        loss: The criterion, if it is a module: what it returns is the loss. Without it the loss is
            what `backward` is called on.
        budget: The share of the time that the monitor may use.
        every: Measure every so manieth step instead.
        recording: The file in which the run is kept; by default one named after the time in
            `runs/trainlint`. False for none.
        append: Continue the recording that is there already with another session, instead of replacing it.
        select: The rules that are on, instead of the configured ones: names, codes, families, ALL.
        ignore: Rules that are off.
        extend_select: Rules that are on besides.
        thresholds: By the name of a rule, its thresholds: ``{"dead-relu": {"share": 0.3}}``.
        on_diagnosis: Called with each diagnosis as it is made.
        halt_on: A severity or rules whose diagnosis raises `TrainingHalted` after its step; `"error"`
            is for smoke runs in CI.
        live: Whether diagnoses and the summary are printed; by default where it disturbs nobody: not
            under pytest and only on rank 0.
        loggers: What is told of signals and diagnoses besides: a `SummaryWriter` of TensorBoard, a run
            of Weights & Biases or the module `wandb`, the module `mlflow`, a run of it or a pair of its
            client and a run id, a logger of Lightning, a `trainlint.Logger` of your own; one or
            several. They are told on rank 0 alone.
        logged: Patterns of the numbers that they are told, as `monitor.signals` calls them:
            ``["total_norm", "gradient_rms/encoder.*"]``. By default the signals of the run, and of
            gradients, updates and activations those of some layers and the extremes of all.

    Returns:
        The monitor; close it, use it in a `with`, or leave it to the end of the process.

    Raises:
        TypeError: What is given is no module, no optimizer or no logger.
        ValueError: A number makes no sense.
        UserError: A rule is not known, or a configuration cannot be read.

    """
    models = _models(model)
    optimizers = _optimizers(optimizer)
    if every is not None and (not isinstance(every, int) or every < 1):
        msg = f"every: expects a number of steps of 1 or more, not {every!r}"
        raise ValueError(msg)
    if not 0 < budget <= 1:
        msg = f"budget: expects a share of the time over 0 and up to 1, not {budget!r}"
        raise ValueError(msg)
    if loss is not None and not issubclass(type(loss), nn.Module):
        msg = (
            "loss: expects a module such as nn.CrossEntropyLoss(); for a function leave it out, "
            "the monitor hears what `backward` is called on"
        )
        raise TypeError(msg)
    told_besides = check(loggers)
    settings = settings_of(
        select=select, ignore=ignore, extend_select=extend_select, thresholds=thresholds
    )
    return attach(
        models,
        optimizers,
        settings,
        origin=call_site(of_user=True),
        told={
            "select": select,
            "ignore": ignore,
            "extend_select": extend_select,
            "thresholds": thresholds,
        },
        schedule=Schedule(budget, every),
        recording=recording,
        append=append,
        on_diagnosis=on_diagnosis,
        halt_on=[halt_on] if isinstance(halt_on, str) else halt_on,
        live=live,
        loss=loss,
        loggers=told_besides,
        logged=[logged] if isinstance(logged, str) else logged,
    )


def attach(  # noqa: PLR0913 - shared by all that attach a monitor
    models: Mapping[str, nn.Module],
    optimizers: Sequence[torch.optim.Optimizer],
    settings: Settings,
    *,
    origin: Origin,
    schedule: Schedule,
    told: Mapping[str, object] | None = None,
    recording: Recorded = None,
    append: bool = False,
    on_diagnosis: Callable[[Diagnosis], object] | None = None,
    halt_on: Sequence[str] = (),
    live: bool | None = None,
    loss: nn.Module | None = None,
    loggers: Sequence[object] = (),
    logged: Sequence[str] | None = None,
) -> Monitor:
    """Attach a monitor to models and optimizers that are known to be some; ``origin`` is where.

    ``told`` is what the user has selected, ignored and set; a replay of the recording heeds it.

    Raises:
        ValueError: ``halt_on`` names neither a severity nor a rule.

    """
    halting = _halting(halt_on, settings)
    rank = _rank()
    announcer = Announcer(live=live if live is not None else rank == 0 and not _is_under_pytest())
    telling = None
    if rank == 0 and loggers:
        telling = Loggers(made(loggers), Choice(logged), announcer.say)
    run = Run(origin)
    recorder = None
    if rank == 0:
        recorder = _recorder(recording, models, optimizers, run, announcer, told, append=append)
    return Monitor(
        models,
        optimizers,
        settings,
        run=run,
        schedule=schedule,
        recorder=recorder,
        announcer=announcer,
        loggers=telling,
        on_diagnosis=on_diagnosis,
        halt_on=halting,
        loss=loss,
    )


def _models(model: Models) -> dict[str, nn.Module]:
    """Return the models by the prefixes of their names."""
    if isinstance(model, nn.Module):
        return {"": unwrapped(model)}
    if isinstance(model, Mapping) and model:
        named = {str(name): one for name, one in model.items()}
    elif isinstance(model, Sequence) and len(model):
        named = {}
        for one in model:
            kind, number = type(one).__name__, 1
            name = kind
            while name in named:
                number += 1
                name = f"{kind}_{number}"
            named[name] = one
        if len(named) == 1:
            named = {"": next(iter(named.values()))}
    else:
        msg = f"model: expects a torch.nn.Module or several, not {type(model).__name__}"
        raise TypeError(msg)
    for one in named.values():
        if not issubclass(type(one), nn.Module):
            msg = f"model: expects torch.nn.Module, not {type(one).__name__}"
            raise TypeError(msg)
    return {name: unwrapped(one) for name, one in named.items()}


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the module that the user wrote, out of what torch and frameworks wrap around it.

    Compiled, in parallel over devices or ranks, or set up by Lightning's Fabric.
    """
    while True:
        inner = model
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            inner = model.module
        for name in ("_orig_mod", "_original_module"):
            inner = getattr(inner, name, inner)
        if inner is model or not isinstance(inner, nn.Module):
            return model
        model = inner


def _optimizers(optimizer: Optimizers) -> tuple[torch.optim.Optimizer, ...]:
    """Return the optimizers, out of what frameworks wrap around them."""
    several = optimizer if isinstance(optimizer, Sequence) else [optimizer]
    found = []
    for one in several:
        inner: Any = one
        while not isinstance(inner, torch.optim.Optimizer) and hasattr(inner, "optimizer"):
            inner = inner.optimizer
        wrapped = getattr(inner, "optimizer", None)  # Accelerate's is an Optimizer that never steps
        if isinstance(wrapped, torch.optim.Optimizer):
            inner = wrapped
        if not isinstance(inner, torch.optim.Optimizer):
            msg = f"optimizer: expects a torch.optim.Optimizer or several, not {type(one).__name__}"
            raise TypeError(msg)
        found.append(inner)
    if not found:
        msg = "optimizer: expects at least one"
        raise TypeError(msg)
    return tuple(found)


def _halting(names: Sequence[str], settings: Settings) -> frozenset[str]:
    """Return the severities and the names of rules that end a training, errors with warnings."""
    found: set[str] = set()
    for name in names:
        if name in set(Severity):
            worst = tuple(Severity)
            found.update(one.value for one in worst[: worst.index(Severity(name)) + 1])
        elif name in settings.known or name.upper() in settings.known:
            found.add(settings.known.get(name) or settings.known[name.upper()])
        else:
            msg = f"halt_on: expects a severity or a rule, not {name!r}"
            raise ValueError(msg)
    return frozenset(found)


def _recorder(
    recording: Recorded,
    models: Mapping[str, nn.Module],
    optimizers: Sequence[torch.optim.Optimizer],
    run: Run,
    announcer: Announcer,
    told: Mapping[str, object] | None,
    *,
    append: bool,
) -> Recorder | None:
    """Begin a recording; one that cannot be written costs a line and no training."""
    if recording is False or (recording is None and os.environ.get("TRAINLINT_RECORDING") == "0"):
        return None
    if recording is None or recording is True:
        stamp = time.strftime("%Y-%m-%d-%H%M%S")
        stem = os.path.join("runs", "trainlint", f"{stamp}-{os.getpid()}")
        recording = f"{stem}.tlr"
        number = 1
        while os.path.exists(recording):  # the second of this process in one second
            number += 1
            recording = f"{stem}-{number}.tlr"
    parameters = {
        id(one): one.numel()
        for model in models.values()
        for one in model.parameters()
        if not isinstance(one, nn.parameter.UninitializedParameter)
    }
    facts: dict[str, str | int | float] = {
        "model": ", ".join(type(one).__name__ for one in models.values()),
        "parameters": sum(parameters.values()),
        "optimizer": ", ".join(type(one).__name__ for one in optimizers),
        "torch": torch.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "device": str(
            next((one.device for model in models.values() for one in model.parameters()), "cpu")
        ),
        "script": run.path,
        "began": time.time(),
    }
    try:
        from trainlint.runtime.recorder import Recorder  # noqa: PLC0415 - not all runs are kept

        return Recorder.create(os.fspath(recording), facts, settings=told, append=append)
    except Exception as error:  # noqa: BLE001 - a full disk ends no training
        announcer.say(f"trainlint keeps no recording ({' '.join(str(error).split())})")
        return None


def _rank() -> int:
    """Return the rank of the process in a distributed run; 0 where there is none."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank()
    return told_rank()


def _is_under_pytest() -> bool:
    """Say whether a test is running."""
    return "PYTEST_CURRENT_TEST" in os.environ
