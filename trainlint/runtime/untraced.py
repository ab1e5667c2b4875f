"""Hooks of ours that a compiler calls as they are: it neither compiles them nor forgets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable


class Untraced:
    """A hook that may stand on an optimizer whose `step` is compiled.

    Where a step is traced before `make_opaque` it is called without the hook.
    """

    def __init__(self, call: Callable[..., object] | None = None) -> None:
        self._call = call
        self._opaque: Any = None

    def __call__(self, *args: Any) -> None:
        """Tell, unless what runs is only being compiled."""
        if not torch.compiler.is_compiling():
            self.tell(*args)
        elif self._opaque is not None:
            self._opaque(*args)

    def tell(self, *args: Any) -> None:
        """Do what the hook is for."""
        if self._call is not None:
            self._call(*args)

    def make_opaque(self) -> None:
        """Be called as it is from now on; `torch._dynamo` has been imported."""
        self._opaque = torch.compiler.disable(self.tell)
