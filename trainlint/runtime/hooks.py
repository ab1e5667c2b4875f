"""Sees what runs inside a forward pass, while it is measured, and leaves nothing on any module.

The hooks are torch's global ones, which exist only during a measured step; functions are seen by a
`TorchFunctionMode` that is active only while a watched module runs.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.overrides import TorchFunctionMode

from trainlint.runtime.anatomy import function_activations, is_leaf
from trainlint.runtime.ears import is_hidden
from trainlint.runtime.signals import Origin
from trainlint.runtime.source.user_code import is_user_code, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch.utils.hooks import RemovableHandle

    from trainlint.runtime.signals import Activation

_ACTIVATIONS: Final = function_activations()
_ATTENTION: Final = torch.nn.functional.scaled_dot_product_attention
_MULTI_HEAD: Final = torch.nn.functional.multi_head_attention_forward
_SEEN: Final = frozenset({*_ACTIVATIONS, _ATTENTION, _MULTI_HEAD})
_OURS: Final = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_TORCH: Final = torch.__path__[0]


class Observer(Protocol):
    """What is told of a forward pass."""

    def entered(self, name: str, module: nn.Module, inputs: Any, *, is_outermost: bool) -> None:
        """See that a watched module is about to run; it is outermost where no other watched one runs it."""

    def left(
        self, name: str, module: nn.Module, inputs: Any, output: Any, *, is_outermost: bool
    ) -> None:
        """See that it has run."""

    def called(
        self, name: str, kind: str, activation: Activation | None, inputs: Any, output: Any
    ) -> None:
        """See that a function of interest was called in the forward of the module of that name."""


class Hooks:
    """Hooks on everything that is watched, from `install` to `remove`."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._modules: Mapping[int, tuple[str, nn.Module]] = {}
        self._handles: list[RemovableHandle] = []
        self._stack: list[tuple[nn.Module, str]] = []
        self._seen: set[int] = set()
        """The modules that have run forward since the hooks were put on."""
        self._mode: _Functions | None = None
        self._thread = 0
        self._silence = _Silence()

    def install(self, modules: Mapping[int, tuple[str, nn.Module]]) -> None:
        """Put the hooks on."""
        self._modules = modules
        if self._handles:
            return
        self._thread = threading.get_ident()
        self._silence.begin()
        self._handles = [
            register_module_forward_pre_hook(self._before),
            register_module_forward_hook(self._after, always_call=True),
        ]

    def remove(self) -> None:
        """Take every one off again."""
        while self._handles:
            self._handles.pop().remove()
        self._stack.clear()
        self._seen.clear()
        self._leave()

    def end(self) -> None:
        """Take them off for good."""
        self.remove()
        self._silence.end()

    def _known(self, module: nn.Module) -> str | None:
        """Return the name of a module that is watched; None for others and where nothing is trained."""
        found = self._modules.get(id(module))
        if (
            found is None
            or found[1] is not module
            or not torch.is_grad_enabled()
            or threading.get_ident() != self._thread
            or torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
            or is_hidden()
        ):
            return None
        if (
            _is_in_backward()
        ):  # a checkpoint runs again what has run, or what was run without gradients
            return None if id(module) in self._seen else found[0]
        self._seen.add(id(module))
        return found[0]

    def _before(self, module: nn.Module, inputs: Any) -> None:
        """Note that a module begins to run."""
        name = self._known(module)
        if name is None:
            return
        is_first = not self._stack
        is_outermost = is_first and not _is_in_backward()
        self._stack.append((module, name))
        if is_first:
            self._mode = _Functions(self)
            self._mode.__enter__()  # type: ignore[no-untyped-call]
        with torch._C.DisableTorchFunction():  # noqa: SLF001 - what we ask is not the user's
            self._observer.entered(name, module, inputs, is_outermost=is_outermost)

    def _after(self, module: nn.Module, inputs: Any, output: Any) -> None:
        """Note that a module has run."""
        if not any(one is module for one, _ in self._stack):
            return
        while self._stack:  # an inner one that raised never came here
            last, name = self._stack.pop()
            if last is module:
                break
        is_outermost = not self._stack and not _is_in_backward()
        if not self._stack:
            self._leave()
        if output is None and sys.exc_info()[0] is not None:
            return
        with torch._C.DisableTorchFunction():  # noqa: SLF001
            self._observer.left(name, module, inputs, output, is_outermost=is_outermost)

    def _leave(self) -> None:
        """See functions no more."""
        mode, self._mode = self._mode, None
        if mode is not None:
            mode.__exit__(None, None, None)  # type: ignore[no-untyped-call]

    def saw(self, function: Any, args: Any, output: Any) -> None:
        """Tell of a function, if it is one of interest and not a module's own."""
        if not (self._stack and torch.is_grad_enabled()):
            return
        module, name = self._stack[-1]
        activation = _ACTIVATIONS.get(function)
        kind = function.__name__.rstrip("_")
        if function is _ATTENTION:
            kind = "attention"
        elif function is _MULTI_HEAD:
            kind = "multi_head_attention"
        elif is_leaf(module) and type(module).__module__.startswith("torch.nn.modules"):
            return
        with torch._C.DisableTorchFunction():  # noqa: SLF001
            self._observer.called(name, kind, activation, args, output)


def _is_in_backward() -> bool:
    """Say whether this thread is inside of `backward`, as the forward of a checkpoint is."""
    return torch._C._current_graph_task_id() != -1  # noqa: SLF001 - what checkpoints themselves ask


class _Silence:
    """Keeps torch from warning of global hooks at each call of a compiled module, until it ends.

    It warns that they run once more for the wrapper, which is not watched. Where nothing is compiled no
    filter is touched, and elsewhere once: each change has Python show again all that it has warned of.
    """

    def __init__(self) -> None:
        self._filter: Any = None

    def begin(self) -> None:
        """Let it warn no more, once there is a compiler."""
        if self._filter is None and "torch._dynamo.eval_frame" in sys.modules:
            before = set(map(id, warnings.filters))
            warnings.filterwarnings("ignore", message=r"Using `torch\.compile\(module\)` when")
            self._filter = next((one for one in warnings.filters if id(one) not in before), None)

    def end(self) -> None:
        """Let it warn again."""
        if self._filter is not None and self._filter in warnings.filters:
            cast("list[Any]", warnings.filters).remove(self._filter)
            warnings.filterwarnings("ignore", message="trainlint never warns")
            cast("list[Any]", warnings.filters).pop(0)
        self._filter = None


class _Functions(TorchFunctionMode):
    """Sees every function of torch that is called, and changes none."""

    def __init__(self, hooks: Hooks) -> None:
        super().__init__()
        self._hooks = hooks

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run the function, and tell of it."""
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        if func in _SEEN:
            made = output[0] if func is _MULTI_HEAD else output
            if isinstance(made, Tensor):
                self._hooks.saw(func, (args, kwargs), made)
        return output


def call_site(*, of_user: bool = False) -> Origin:
    """Return the line that is running: the innermost one outside of torch and us.

    With ``of_user`` it is not that of an installed framework either, if there is another.
    """
    frame = sys._getframe(1)  # noqa: SLF001
    found = Origin()
    while frame is not None:
        path = frame.f_code.co_filename
        if not path.startswith((_OURS, _TORCH)) and "importlib" not in path:
            here = Origin(shown(path), frame.f_lineno)
            if not of_user or is_user_code(path):
                return here
            found = found if found.line else here
        if frame.f_back is None:
            break
        frame = frame.f_back
    return found


@contextlib.contextmanager
def eagerly() -> Iterator[None]:
    """Have compiled models run as they are written, where anything is compiled at all."""
    if "torch._dynamo.eval_frame" not in sys.modules:
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield
