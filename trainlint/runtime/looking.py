"""What is looked at in a forward pass, whoever watches it: inputs, outputs, and the layers on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import nn

from trainlint.runtime.collectors.attention import attention_of, multi_head_of
from trainlint.runtime.collectors.inputs import Inputs
from trainlint.runtime.collectors.losses import look_at_prediction
from trainlint.runtime.gathering import Gathering
from trainlint.runtime.hooks import call_site
from trainlint.runtime.tensors import first_tensor

if TYPE_CHECKING:
    from trainlint.runtime.anatomy import Anatomy
    from trainlint.runtime.collectors.activations import Activations
    from trainlint.runtime.signals import Activation, Origin


@dataclass
class Looking:
    """Looks at a forward pass as it happens, and keeps what is seen in ``gathering``."""

    anatomy: Anatomy
    activations: Activations
    inputs: Inputs = field(default_factory=Inputs)
    gathering: Gathering = field(default_factory=Gathering)
    """That of the step; whoever watches several steps replaces it."""
    _sites: dict[str, list[tuple[Origin, str]]] = field(default_factory=dict)
    """By function and the module whose forward calls it: from which lines, and behind which layers."""
    _last: str = ""
    """The module that ran last in this forward pass."""

    def at_input(self, inputs: Any) -> None:
        """Look at what a model is given."""
        self._last = ""
        self.anatomy.starts()
        self.inputs.given(inputs, self.gathering)

    def at_output(self, output: Any) -> None:
        """Look at whether a model's output differs between the examples of the batch."""
        tensor = first_tensor(output)
        if tensor is not None and tensor.dim() == 2:  # noqa: PLR2004 - examples by features
            look_at_prediction(tensor, self.gathering)

    def at_module(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        """Look at a leaf that has run, unless it is a criterion."""
        if isinstance(module, nn.modules.loss._Loss):  # noqa: SLF001
            return
        layer = self.anatomy.saw_module(name, module)
        self._last = name
        if self.activations.wants(name):
            self.activations.module(layer, module, inputs, output, self.gathering)

    def at_function(
        self, name: str, kind: str, activation: Activation | None, inputs: Any, output: Any
    ) -> None:
        """Look at a call of an activation or an attention.

        ``name`` is the module whose forward calls it; ``inputs`` are the arguments and keywords.
        """
        origin = call_site()
        place = (origin, self._last)  # in a loop over layers one line has many places
        base = kind if not name and kind not in self.anatomy.names else f"{name}:{kind}"
        calls = self._sites.setdefault(base, [])
        if place not in calls:
            calls.append(place)
        number = calls.index(place) + 1
        full = base if number == 1 else f"{base}_{number}"
        layer = self.anatomy.saw_function(full, kind, activation, origin)
        if self.activations.wants(full):
            args, kwargs = inputs
            if kind == "attention":
                self.activations.attention(layer, attention_of(*args, **kwargs), self.gathering)
            elif kind == "multi_head_attention":
                self.activations.attention(layer, multi_head_of(*args, **kwargs), self.gathering)
            else:
                given = first_tensor((args, kwargs))
                self.activations.function(layer, given, output, self.gathering)
