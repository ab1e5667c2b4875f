"""Runs a script as `python` would, and watches every optimizer in it from its first step on."""

from __future__ import annotations

import contextlib
import gc
import importlib.abc
import importlib.util
import os
import runpy
import sys
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.diagnosis import Severity
from trainlint.core.errors import UserError, nearest
from trainlint.runtime.announcing import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec

    from torch import nn
    from torch.optim import Optimizer

    from trainlint.core.config import Settings
    from trainlint.runtime.monitor import Monitor

_OPTIMIZERS: Final = "torch.optim.optimizer"
_OWN: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass
class Watching:
    """Attaches a monitor to the optimizers of a program as they take their first step."""

    settings: Settings
    budget: float = 0.01
    every: int | None = None
    recording: str | bool | None = None
    halt_on: Sequence[str] = ()
    max_steps: int | None = None
    live: bool | None = None
    monitor: Monitor | None = None
    _known: set[int] = field(default_factory=set)
    _handles: list[Any] = field(default_factory=list)

    def check(self) -> None:
        """Refuse what makes no sense before the program runs.

        Raises:
            UserError: ``halt_on`` names neither a severity nor a rule; or there is no torch.

        """
        if importlib.util.find_spec("torch") is None:
            msg = "`trainlint run` needs torch: pip install 'trainlint[torch]'"
            raise UserError(msg)
        for name in self.halt_on:
            known = (*Severity, *self.settings.known)
            if name not in known and name.upper() not in known:
                msg = f"--halt-on: expects a severity or a rule, not `{name}`{nearest(name, known)}"
                raise UserError(msg)

    def begin(self) -> None:
        """Listen to all optimizers: now, or once torch has been imported."""
        module = sys.modules.get(_OPTIMIZERS)
        if module is not None:
            self._listen(module)
        else:
            sys.meta_path.insert(0, _WhenImported(_OPTIMIZERS, self._listen))

    def end(self) -> None:
        """Listen no more, and close the monitor."""
        sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, _WhenImported)]
        while self._handles:
            self._handles.pop().remove()
        if self.monitor is not None:
            self.monitor.close()

    def _listen(self, module: Any) -> None:
        """Have all optimizers tell of their steps."""
        self._handles = [
            module.register_optimizer_step_pre_hook(self._before_step),
            module.register_optimizer_step_post_hook(self._after_step),
        ]

    def _before_step(self, optimizer: Optimizer, *_: Any) -> None:
        """Attach to an optimizer that steps for the first time."""
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
        from trainlint.runtime.schedule import Schedule  # noqa: PLC0415
        from trainlint.runtime.watching import attach, unwrapped  # noqa: PLC0415

        models = [unwrapped(one) for one in models_of(optimizer)]
        if self.monitor is not None:
            new = [one for one in models if not self.monitor.watches(one)]
            self.monitor.add({type(one).__name__: one for one in new}, optimizer)
            return
        named = {"" if len(models) == 1 else _name(one, models): one for one in models}
        self.monitor = attach(
            named,
            [optimizer],
            self.settings,
            origin=call_site(),
            schedule=Schedule(self.budget, self.every),
            recording=self.recording,
            halt_on=self.halt_on,
            live=self.live,
        )

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


def _name(model: nn.Module, models: Sequence[nn.Module]) -> str:
    """Return a name for one of several models."""
    kind = type(model).__name__
    alike = [one for one in models if type(one).__name__ == kind]
    at = next(at for at, one in enumerate(alike, start=1) if one is model)
    return kind if at == 1 else f"{kind}_{at}"


def run_script(path: str, arguments: Sequence[str]) -> int:
    """Run a script as `python path arguments` would, and return its exit status.

    Raises:
        UserError: There is no such file, or it cannot be read.

    """
    try:
        with open(path, "rb") as stream:
            text = stream.read()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror or error}"
        raise UserError(msg) from error
    sys.argv = [path, *arguments]
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    main = types.ModuleType("__main__")
    absolute = os.path.abspath(path)
    main.__dict__.update(__file__=absolute, __builtins__=__builtins__, __spec__=None)
    with _as_main(main):
        return _status_of(lambda: exec(compile(text, absolute, "exec"), main.__dict__))  # noqa: S102


def is_module(name: str) -> bool:
    """Say whether a module of that name can be imported; the packages around it are."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def run_module(name: str, arguments: Sequence[str]) -> int:
    """Run a module as `python -m name arguments` would, and return its exit status.

    Raises:
        UserError: No module has that name.

    """
    sys.path[0] = os.getcwd()
    if not is_module(name):
        msg = f"no module is called `{name}`"
        raise UserError(msg)
    sys.argv = [name, *arguments]
    return _status_of(lambda: runpy.run_module(name, run_name="__main__", alter_sys=True))


@contextlib.contextmanager
def _as_main(main: types.ModuleType) -> Iterator[None]:
    """Make a module the main one; pickling looks for the program's own classes there."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = main
    try:
        yield
    finally:
        sys.modules["__main__"] = before


def _status_of(program: Any) -> int:
    """Run a program and return its exit status; its own errors are shown as Python shows them."""
    try:
        program()
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        sys.stderr.write(f"{error.code}\n")
        return 1
    except UserError:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - all of it is the user's
        monitor = sys.modules.get("trainlint.runtime.monitor")
        if monitor is not None and isinstance(error, monitor.TrainingHalted):
            sys.stderr.write(f"trainlint halted the training at {error}\n")
            return 1
        trace = error.__traceback__
        while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
            trace = trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 1
    return 0


def _is_ours(path: str) -> bool:
    """Say whether a frame at the top of a traceback is one of those that started the program."""
    return path.startswith((_OWN, "<frozen runpy>", "<frozen importlib"))
