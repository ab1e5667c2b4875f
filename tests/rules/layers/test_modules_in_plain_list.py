"""Where modules-in-plain-list speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trainlint.core.fix import apply_fixes

Lines = Callable[..., list[int]]
RULE = "modules-in-plain-list"


def test_a_comprehension_of_layers_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = [nn.Linear(8, 8) for _ in range(4)]
            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
    """,
    ) == [6]


def test_a_literal_list_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.nn import Module, Linear, Conv2d
        class Net(Module):
            def __init__(self):
                super(Net, self).__init__()
                self.blocks = [Conv2d(3, 8, 3), Conv2d(8, 8, 3)]
            def forward(self, x):
                for i in range(2):
                    x = self.blocks[i](x)
                return x
    """,
    ) == [6]


def test_a_list_that_is_appended_to_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.layers = []
                for _ in range(n):
                    self.layers.append(nn.Linear(8, 8))
            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
    """,
    ) == [6]


def test_a_local_list_that_is_kept_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self, n):
                super().__init__()
                layers = []
                for _ in range(n):
                    layers.append(nn.Linear(8, 8))
                self.layers = layers
            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
    """,
    ) == [9]


def test_a_dict_of_layers_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.heads = {"a": nn.Linear(8, 2), "b": nn.Linear(8, 3)}
            def forward(self, x, task):
                return self.heads[task](x)
    """,
    ) == [6]


def test_a_dict_that_is_filled_by_key_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self, tasks):
                super().__init__()
                self.heads = {}
                for t in tasks:
                    self.heads[t] = nn.Linear(8, 2)
            def forward(self, x, task):
                return self.heads[task](x)
    """,
    ) == [6]


def test_modules_of_the_same_file_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Block(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.fc = nn.Linear(d, d)
            def forward(self, x):
                return self.fc(x)
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.blocks = [Block(8) for _ in range(3)]
            def forward(self, x):
                for block in self.blocks:
                    x = block(x)
                return x
    """,
    ) == [12]


def test_sequentials_in_a_tuple_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.pair = (nn.Sequential(nn.Linear(8, 8), nn.ReLU()), nn.Linear(8, 2))
            def forward(self, x):
                return self.pair[1](self.pair[0](x))
    """,
    ) == [6]


def test_lists_that_are_joined_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        class Net(torch.nn.Module):
            def __init__(self, dims):
                super().__init__()
                self.layers = []
                for d in range(len(dims) - 1):
                    self.layers += [torch.nn.Linear(dims[d], dims[d + 1])]
            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
    """,
    ) == [6]


def test_a_lightning_module_is_a_module(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import pytorch_lightning as pl
        from torch import nn
        class Net(pl.LightningModule):
            def __init__(self):
                super().__init__()
                self.experts = [nn.Linear(8, 8) for _ in range(4)]
            def forward(self, x):
                return sum(e(x) for e in self.experts)
    """,
    ) == [7]


def test_a_use_in_a_helper_method_counts(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.convs = [nn.Conv1d(8, 8, k) for k in (3, 5, 7)]
            def features(self, x):
                return [conv(x) for conv in self.convs]
            def forward(self, x):
                return sum(self.features(x))
    """,
    ) == [6]


def test_a_module_list_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(4)])
                self.heads = nn.ModuleDict({"a": nn.Linear(8, 2)})
            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return self.heads["a"](x)
    """,
        )
        == []
    )


def test_a_list_that_is_wrapped_afterwards_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = []
                for _ in range(4):
                    self.layers.append(nn.Linear(8, 8))
                self.layers = nn.ModuleList(self.layers)
            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
    """,
        )
        == []
    )


def test_a_list_that_is_also_kept_in_a_sequential_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.blocks = [nn.Linear(8, 8) for _ in range(4)]
                self.body = nn.Sequential(*self.blocks)
            def forward(self, x):
                outs = []
                for block in self.blocks:
                    x = block(x)
                    outs.append(x)
                return outs
    """,
        )
        == []
    )


def test_a_local_list_that_is_kept_twice_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                layers = [nn.Linear(8, 8) for _ in range(4)]
                self.layers = layers
                self.registered = nn.ModuleList(layers)
            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
    """,
        )
        == []
    )


def test_add_module_registers(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class GAT(nn.Module):
            def __init__(self, nheads):
                super().__init__()
                self.attentions = [nn.Linear(8, 8) for _ in range(nheads)]
                for i, attention in enumerate(self.attentions):
                    self.add_module('attention_{}'.format(i), attention)
            def forward(self, x):
                return sum(att(x) for att in self.attentions)
    """,
        )
        == []
    )


def test_setattr_registers(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = []
                for i in range(4):
                    layer = nn.Linear(8, 8)
                    setattr(self, f"layer{i}", layer)
                    self.layers.append(layer)
            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
    """,
        )
        == []
    )


def test_references_to_registered_layers_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv1 = nn.Conv2d(3, 8, 3)
                self.conv2 = nn.Conv2d(8, 8, 3)
                self.convs = [self.conv1, self.conv2]
            def forward(self, x):
                for conv in self.convs:
                    x = conv(x)
                return x
    """,
        )
        == []
    )


def test_locals_that_are_registered_too_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                stem = nn.Conv2d(3, 8, 3)
                self.stem = stem
                self.stages = [stem]
            def forward(self, x):
                return self.stages[0](x)
    """,
        )
        == []
    )


def test_a_list_that_forward_never_uses_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.modules_for_printing = [nn.Linear(8, 8)]
                self.fc = nn.Linear(8, 8)
            def forward(self, x):
                return self.fc(x)
    """,
        )
        == []
    )


def test_a_class_that_is_no_module_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Ensemble:
            def __init__(self):
                self.models = [nn.Linear(8, 2) for _ in range(5)]
            def forward(self, x):
                return sum(m(x) for m in self.models)
    """,
        )
        == []
    )


def test_lists_of_other_things_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self, dims):
                super().__init__()
                self.dims = [d for d in dims]
                self.saved = []
                self.functions = [F.relu, torch.tanh]
                self.feature_info = [dict(num_chs=8, module="stem")]
                self.fc = nn.Linear(8, 8)
            def forward(self, x):
                self.saved.append(x)
                for f in self.functions:
                    x = f(x)
                return self.fc(x) * len(self.dims)
    """,
        )
        == []
    )


def test_a_list_of_layers_without_weights_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.activations = [nn.ReLU(), nn.Tanh()]
                self.fc = nn.Linear(8, 8)
            def forward(self, x):
                return self.activations[0](self.fc(x))
    """,
        )
        == []
    )


def test_layer_classes_and_settings_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.kinds = [nn.Linear, nn.ReLU]
                self.fc = nn.Linear(8, 8)
            def forward(self, x):
                return self.fc(x) if isinstance(x, tuple(self.kinds)) else x
    """,
        )
        == []
    )


def test_a_frozen_teacher_that_is_hidden_on_purpose_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        class Student(nn.Module):
            def __init__(self, teacher):
                super().__init__()
                self.teacher = [teacher]
                self.fc = nn.Linear(8, 8)
            def forward(self, x):
                with torch.no_grad():
                    t = self.teacher[0](x)
                return self.fc(x), t
    """,
        )
        == []
    )


def test_parameters_that_are_handed_to_the_optimizer_by_hand_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = [nn.Linear(8, 8) for _ in range(3)]
            def parameters(self, recurse=True):
                for layer in self.layers:
                    yield from layer.parameters()
            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
    """,
        )
        == []
    )


def test_the_list_is_mended_where_it_stands(diagnoses: Callable[..., list]) -> None:
    [one] = diagnoses(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.heads = {"a": nn.Linear(8, 2)}
            def forward(self, x):
                return self.heads["a"](x)
    """,
    )
    assert one.fix is not None
    assert one.fix.safety == "unsafe"
    assert "nn.ModuleDict(" in "".join(edit.replacement for edit in one.fix.edits)


def test_weights_that_are_taken_out_by_hand_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = [nn.Linear(8, 8) for _ in range(3)]
            def forward(self, x):
                return sum(layer(x) for layer in self.layers)
        net = Net()
        weights = [weight for layer in net.layers for weight in layer.parameters()]
        optimizer = torch.optim.SGD(weights, lr=0.1)
    """,
        )
        == []
    )


def test_a_list_handed_to_a_function_that_may_register_it_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = [nn.Linear(8, 8) for _ in range(3)]
                register_all(self, self.layers)
            def forward(self, x):
                return sum(layer(x) for layer in self.layers)
    """,
        )
        == []
    )


def test_keys_that_are_no_strings_are_not_mended(diagnoses: Callable[..., list]) -> None:
    [one] = diagnoses(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.heads = {0: nn.Linear(8, 2), 1: nn.Linear(8, 3)}
            def forward(self, x, task):
                return self.heads[task](x)
    """,
    )
    assert one.fix is None


COMPREHENSION = """
from torch import nn
class Mixture(nn.Module):
    def __init__(self, names: ANNOTATION, width):
        super().__init__()
        self.parts = {KEY: nn.Linear(width, 2) for name in NAMES}
    def forward(self, x):
        return sum(part(x) for part in self.parts.values())
"""


@pytest.mark.parametrize(
    ("annotation", "key", "names", "is_fixed"),
    [
        ("list[str]", "name", "names", True),
        ("typing.Sequence[str]", "name", "names", True),
        ("tuple[str, ...]", "name", "names", True),
        ("int", "f'part {name}'", "range(names)", True),
        ("int", "name", '("a", "b")', True),
        ("list[int]", "name", "names", False),
        ("object", "name", "names", False),
        ("int", "name", "(1, 2)", False),
        ("list[str]", "len(name)", "names", False),
    ],
)
def test_a_dict_comprehension_is_kept_in_a_container_if_its_keys_are_texts(
    diagnoses, annotation, key, names, is_fixed
):
    source = COMPREHENSION.replace("ANNOTATION", annotation)
    source = source.replace("KEY", key).replace("NAMES", names)
    (one,) = diagnoses(RULE, source)
    if not is_fixed:
        assert one.fix is None
        return
    mended, _ = apply_fixes(source, [one.fix])
    assert f"nn.ModuleDict({{{key}: nn.Linear(width, 2) for name in {names}}})" in mended


def test_brackets_around_one_module_hide_it_on_purpose(lines):
    source = """
        from torch import nn
        class Backbone(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 8)
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                backbone = Backbone()
                self.backbone = [backbone]
                self.head = nn.Linear(8, 2)
            def forward(self, x):
                return self.head(self.backbone[0](x))
    """
    assert lines("modules-in-plain-list", source) == []
    more = source.replace(
        "                self.head",
        "                self.backbone.append(nn.Linear(8, 8))\n                self.head",
        1,
    )
    assert lines("modules-in-plain-list", more) == [11]
    assert lines("modules-in-plain-list", source.replace("[backbone]", "[Backbone()]")) == [11]
    layer = source.replace("backbone = Backbone()", "backbone = nn.Linear(8, 8)")
    assert lines("modules-in-plain-list", layer) == [11]
