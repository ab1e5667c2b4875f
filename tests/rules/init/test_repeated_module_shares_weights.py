"""Edge cases of repeated-module-shares-weights."""

import pytest

RULE = "repeated-module-shares-weights"


def test_a_multiplied_list_in_a_module_list_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = nn.ModuleList([nn.Linear(8, 8)] * 4)
    """,
    ) == [6]


def test_a_list_kept_in_a_variable_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        def build(depth):
            layers = [nn.Linear(64, 64), nn.ReLU()] * depth
            return nn.Sequential(*layers)
    """,
    ) == [4]


def test_a_star_unpacked_list_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        net = torch.nn.Sequential(*[torch.nn.Conv2d(8, 8, 3, padding=1)] * 5)
    """,
    ) == [3]


def test_the_number_in_front_is_found(lines):
    assert lines(
        RULE,
        """
        from torch.nn import LSTMCell, ModuleList
        cells = ModuleList(3 * [LSTMCell(16, 16)])
    """,
    ) == [3]


def test_an_extended_list_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        layers = [nn.Linear(3, 64)]
        layers += [nn.Linear(64, 64), nn.SiLU()] * 6
        net = nn.Sequential(*layers)
    """,
    ) == [4]


def test_a_tuple_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        blocks = nn.ModuleList((nn.TransformerEncoderLayer(64, 4),) * 6)
    """,
    ) == [3]


def test_a_block_class_of_the_file_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Block(nn.Module):
            def __init__(self, dim):
                super().__init__()
                self.fc = nn.Linear(dim, dim)
            def forward(self, x):
                return x + self.fc(x)
        class Net(nn.Module):
            def __init__(self, dim, depth):
                super().__init__()
                self.blocks = nn.Sequential(*([Block(dim)] * depth))
    """,
    ) == [12]


def test_a_nested_sequential_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(*[nn.Sequential(nn.Linear(9, 9), nn.Tanh())] * 3)
    """,
    ) == [3]


def test_a_shared_normalisation_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        norms = nn.ModuleList([nn.BatchNorm2d(32)] * 3)
    """,
    ) == [3]


@pytest.mark.parametrize(
    "layer",
    [
        "nn.ReLU()",
        "nn.Dropout(0.1)",
        "nn.Identity()",
        "nn.MaxPool2d(2)",
        "nn.Flatten()",
        "nn.Tanh(), nn.Dropout(0.5)",
    ],
)
def test_layers_without_weights_may_be_shared(lines, layer):
    assert (
        lines(
            RULE,
            f"""
        from torch import nn
        layers = nn.ModuleList([{layer}] * 4)
    """,
        )
        == []
    )


def test_a_list_of_classes_holds_no_layer(lines):
    assert (
        lines(
            RULE,
            """
        from functools import partial
        from torch import nn
        norm_layers = [nn.LayerNorm] * 2 + [partial(nn.LayerNorm, eps=1e-6)] * 2
    """,
        )
        == []
    )


def test_a_comprehension_builds_every_layer(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(4)])
    """,
        )
        == []
    )


def test_a_name_bound_before_is_shared_on_purpose(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Detector(nn.Module):
            def __init__(self):
                super().__init__()
                head = nn.Linear(256, 80)
                self.heads = nn.ModuleList([head] * 6)
    """,
        )
        == []
    )


def test_a_target_called_shared_is_shared_on_purpose(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Albert(nn.Module):
            def __init__(self):
                super().__init__()
                self.shared_layers = nn.ModuleList([nn.Linear(64, 64)] * 12)
                self.tied = nn.Sequential(*[nn.Linear(64, 64)] * 12)
    """,
        )
        == []
    )


def test_numbers_strings_and_shapes_are_no_layers(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        widths = [64] * 4
        kinds = ["Block"] * 4 + ["Linear"] * 2
        linear = nn.Linear(in_features=2 * 3 * 4, out_features=8)
    """,
        )
        == []
    )


def test_one_times_is_no_repetition(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        layers = nn.ModuleList([nn.Linear(8, 8)] * 1)
    """,
        )
        == []
    )


def test_a_matrix_product_of_outputs_is_no_repetition(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        linear = nn.Linear(8, 8)
        def f(x):
            return linear(x) * 4, [linear(x)] * 4, [torch.zeros(3)] * 2
    """,
        )
        == []
    )


def test_layers_copied_one_by_one_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import copy
        from torch import nn
        layers = nn.ModuleList([copy.deepcopy(layer) for layer in [nn.Linear(8, 8)] * 4])
        others = nn.ModuleList(copy.deepcopy(layer) for layer in [nn.Linear(8, 8)] * 4)
    """,
        )
        == []
    )


def test_a_linear_of_another_library_is_unknown(lines):
    assert (
        lines(
            RULE,
            """
        from shapes import Linear
        lines = [Linear(8, 8)] * 4
    """,
        )
        == []
    )


def test_a_shadowed_name_is_not_torch(lines):
    assert (
        lines(
            RULE,
            """
        from torch.nn import Linear
        def Linear(a, b):
            return (a, b)
        pairs = [Linear(8, 8)] * 4
    """,
        )
        == []
    )


def test_the_fix_builds_one_layer_each(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        from torch import nn
        layers = [nn.Linear(8, 8), nn.ReLU()] * 4
    """,
    )
    assert one.fix is not None
    (edit,) = one.fix.edits
    assert edit.replacement == (
        "[layer for _ in range(4) for layer in (nn.Linear(8, 8), nn.ReLU())]"
    )


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ("self.trunk = nn.Sequential(*[cell] * rounds)", [7]),
        ("self.trunk = nn.Sequential(nn.ReLU(), *(rounds * [cell]))", [7]),
        ("self.shared_trunk = nn.Sequential(*[cell] * rounds)", []),
        ("self.trunk = nn.Sequential(*[cell] * rounds); self.cell = cell", []),
        ("self.trunk = nn.ModuleList([cell] * rounds)", []),
        ("self.unrolled = nn.Sequential(*[cell] * rounds)", []),
    ],
)
def test_a_layer_that_is_made_for_a_sequential_alone_is_found(lines, uses, expected):
    source = f"""
        from torch import nn
        class Deep(nn.Module):
            def __init__(self, width, rounds):
                super().__init__()
                cell = nn.Linear(width, width)
                {uses}
    """
    assert lines(RULE, source) == expected
