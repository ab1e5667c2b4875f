"""Watches every optimizer of a program from its first step on; the program need not know."""

from __future__ import annotations

import gc
import importlib.abc
import importlib.util
import itertools
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.diagnosis import Severity
from trainlint.core.errors import UserError, nearest
from trainlint.runtime.announcing import reason_of
from trainlint.runtime.program import is_first_rank

if TYPE_CHECKING:
    import types
    from collections.abc import Collection, Mapping, Sequence
    from importlib.machinery import ModuleSpec

    from torch import nn
    from torch.optim import Optimizer

    from trainlint.core.config import Settings
    from trainlint.runtime.monitor import Monitor
    from trainlint.runtime.untraced import Untraced

_OPTIMIZERS: Final = "torch.optim.optimizer"
_COMPILER: Final = "torch._dynamo"
_SPAWNING: Final = {
    f"multiprocessing.popen_{how}" for how in ("spawn_posix", "spawn_win32", "forkserver")
}
"""The modules of which one is there once a process has been spawned."""


@dataclass
class Watching:
    """Attaches a monitor to the optimizers of a program as they take their first step."""

    settings: Settings
    told: Mapping[str, object] | None = None
    """What the user has selected, ignored and set, for the recording."""
    budget: float = 0.01
    every: int | None = None
    recording: str | bool | None = None
    halt_on: Sequence[str] = ()
    max_steps: int | None = None
    live: bool | None = None
    tensorboard: str | None = None
    """A folder in which TensorBoard is told, too."""
    monitor: Monitor | None = None
    _process: int = field(default_factory=os.getpid)
    _known: set[int] = field(default_factory=set)
    _hooks: list[Untraced] = field(default_factory=list)
    _handles: list[Any] = field(default_factory=list)

    def check(self) -> None:
        """Refuse what makes no sense before the program runs.

        Raises:
            UserError: ``halt_on`` names neither a severity nor a rule; or there is no torch, or no
                TensorBoard that is asked for.

        """
        if importlib.util.find_spec("torch") is None:
            msg = "`trainlint run` needs torch: pip install 'trainlint[torch]'"
            raise UserError(msg)
        if self.tensorboard is not None and importlib.util.find_spec("tensorboard") is None:
            msg = "--tensorboard needs TensorBoard: pip install 'trainlint[tensorboard]'"
            raise UserError(msg)
        for name in self.halt_on:
            known = (*Severity, *self.settings.known)
            if name not in known and name.upper() not in known:
                msg = f"--halt-on: expects a severity or a rule, not `{name}`{nearest(name, known)}"
                raise UserError(msg)

    def begin(self) -> None:
        """Listen to all optimizers: now, or once torch has been imported."""
        for name, call in ((_OPTIMIZERS, self._listen), (_COMPILER, self._be_opaque)):
            module = sys.modules.get(name)
            if module is not None:
                call(module)
            else:
                sys.meta_path.insert(0, _WhenImported(name, call))

    def end(self, status: int | None = 0) -> None:
        """Listen no more, and close the monitor.

        Where there is none, that is said of a program that has ended well: ``status`` is 0.
        """
        sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, _WhenImported)]
        while self._handles:
            self._handles.pop().remove()
        if os.getpid() != self._process:
            return
        if self.monitor is not None:
            self.monitor.close()
        elif status == 0 and self._speaks and not self._known:
            unseen = "in this program, so nothing was watched"
            if _SPAWNING & sys.modules.keys():
                unseen = "in this process, and those that it spawns are not watched; `torchrun` starts such"
            sys.stderr.write(f"trainlint: no optimizer of torch took a step {unseen}\n")

    @property
    def _speaks(self) -> bool:
        """Say whether anything is said: not where that is unwanted, and on the first rank alone."""
        return self.live is not False and is_first_rank()

    def _listen(self, module: Any) -> None:
        """Have all optimizers tell of their steps."""
        from trainlint.runtime.untraced import Untraced  # noqa: PLC0415 - torch is there by now

        before, after = Untraced(self._before_step), Untraced(self._after_step)
        self._hooks = [before, after]
        self._handles = [
            module.register_optimizer_step_pre_hook(before),
            module.register_optimizer_step_post_hook(after),
        ]

    def _be_opaque(self, module: Any) -> None:
        """Have a compiler that is there by now call the hooks as they are."""
        del module
        for one in self._hooks:
            one.make_opaque()

    def _before_step(self, optimizer: Optimizer, *_: Any) -> None:
        """Attach to an optimizer that steps for the first time."""
        if os.getpid() != self._process:  # a copy that trains by itself, as Hogwild's do
            self._process, self.monitor, self._known = os.getpid(), None, set()
        if id(optimizer) in self._known:
            return
        self._known.add(id(optimizer))
        try:
            self._attach(optimizer)
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001 - it must never end the run it watches
            reason = reason_of(error)
            sys.stderr.write(f"trainlint does not watch {type(optimizer).__name__} ({reason})\n")

    def _attach(self, optimizer: Optimizer) -> None:
        """Find the models that an optimizer trains, and watch them."""
        from trainlint.runtime.hooks import call_site  # noqa: PLC0415 - torch is there by now
        from trainlint.runtime.monitor import monitor_of  # noqa: PLC0415
        from trainlint.runtime.schedule import Schedule  # noqa: PLC0415
        from trainlint.runtime.watching import attach, unwrapped  # noqa: PLC0415

        watched = monitor_of(optimizer)
        if watched is not None:  # the program watches itself
            self.monitor = self.monitor or watched
            return
        models = [unwrapped(one) for one in models_of(optimizer)]
        if self.monitor is not None:
            new = [one for one in models if not self.monitor.watches(one)]
            self.monitor.add(_named(new, self.monitor.names), optimizer)
            return
        later = [unwrapped(one) for other in _others(optimizer) for one in models_of(other)]
        parts = {id(part) for model in models for part in model.modules()}
        is_alone = len(models) == 1 and all(id(one) in parts for one in later)
        named = {"": models[0]} if is_alone else _named(models, ())
        self.monitor = attach(
            named,
            [optimizer],
            self.settings,
            origin=call_site(of_user=True),
            told=self.told,
            schedule=Schedule(self.budget, self.every),
            recording=self.recording,
            halt_on=self.halt_on,
            live=self.live,
            loggers=self._loggers(),
        )

    def _loggers(self) -> list[Any]:
        """Return what is told besides; a folder is written by one rank."""
        if self.tensorboard is None or not is_first_rank():
            return []
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - takes a second

        return [SummaryWriter(self.tensorboard)]

    def _after_step(self, optimizer: Optimizer, *_: Any) -> None:
        """End the program after so many steps."""
        del optimizer
        # The monitor's own hook has run before this one, so the step is counted.
        if (
            self.max_steps is not None
            and self.monitor is not None
            and self.monitor.step >= self.max_steps
        ):
            raise SystemExit(0)


class _WhenImported(importlib.abc.MetaPathFinder):
    """Calls a function with a module as soon as it has been imported."""

    def __init__(self, name: str, call: Any) -> None:
        self._name = name
        self._call = call

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Have the module's own loader tell when it is done."""
        del path, target
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        loader = None if spec is None else spec.loader
        if loader is None:
            return None
        original = loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            original(module)
            self._call(module)

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def models_of(optimizer: Optimizer) -> list[nn.Module]:
    """Return the outermost modules that hold a parameter of an optimizer, the oldest first."""
    from torch import nn  # noqa: PLC0415 - the program has imported it

    wanted = {id(one) for group in optimizer.param_groups for one in group["params"]}
    modules = [one for one in gc.get_objects() if issubclass(type(one), nn.Module)]
    holders = [
        one for one in modules if any(id(parameter) in wanted for parameter in one.parameters())
    ]
    inner = {id(part) for one in holders for part in one.modules() if part is not one}
    return [one for one in holders if id(one) not in inner]


def _others(optimizer: Optimizer) -> list[Optimizer]:
    """Return the other optimizers of the program."""
    kind = sys.modules[_OPTIMIZERS].Optimizer
    return [one for one in gc.get_objects() if one is not optimizer and issubclass(type(one), kind)]


def _named(models: Sequence[nn.Module], taken: Collection[str]) -> dict[str, nn.Module]:
    """Return models by the names of their classes, with numbers where a name is taken."""
    named: dict[str, nn.Module] = {}
    for model in models:
        kind = type(model).__name__
        names = (kind if at == 1 else f"{kind}_{at}" for at in itertools.count(1))
        named[next(one for one in names if one not in named and one not in taken)] = model
    return named
