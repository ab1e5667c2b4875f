"""Edge cases of layer-created-in-forward."""

import pytest

from trainlint.core.diagnosis import Severity

RULE = "layer-created-in-forward"


def in_forward(statement):
    return f"""
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def forward(self, x):
                {statement}
                return x
    """


@pytest.mark.parametrize(
    "statement",
    [
        "x = nn.Linear(64, 10)(x)",
        "fc = nn.Linear(x.size(1), 10)",
        "x = nn.Dropout(0.5)(x)",
        "x = nn.Dropout(p=self.p)(F.relu(x))",
        "x = torch.nn.BatchNorm1d(x.size(1)).to(x.device)(x)",
        "self.fc = nn.Linear(64, 10)",
        "x = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())(x)",
        "x = nn.LayerNorm(x.shape[1:])(x)",
        "x, _ = nn.LSTM(8, 8)(x)",
        "x = nn.Embedding(10, 4).cuda()(x)",
        "x = nn.PReLU()(x)",
    ],
)
def test_a_layer_with_weights_or_a_mode_is_found(lines, statement):
    assert lines(RULE, in_forward(statement)) == [7]


@pytest.mark.parametrize(
    "statement",
    [
        "x = nn.Softmax(dim=1)(x)",
        "x = nn.ReLU(inplace=True)(x)",
        "x = nn.Upsample(scale_factor=2)(x)",
        "x = nn.MaxPool2d(2)(x)",
        "x = nn.AdaptiveAvgPool2d(1)(x)",
        "loss = nn.CrossEntropyLoss()(x, x)",
        "x = nn.InstanceNorm2d(3)(x)",
        "x = nn.LayerNorm(x.shape[1:], elementwise_affine=False)(x)",
        "x = nn.Identity()(x)",
        "x = F.dropout(x, 0.5, self.training)",
        "x = self.linear(x)",
        "x = nn.Dropout(0.0)(x)",
        "x = nn.Parameter(x)",
        "x = nn.functional.linear(x, self.w)",
        "assert isinstance(self.fc, nn.Linear)",
        "x = nn.Dropout(0.5).train(self.training)(x)",
        "x = nn.Dropout(0.5).eval()(x)",
    ],
)
def test_what_has_no_weights_and_no_mode_is_fine(lines, statement):
    assert lines(RULE, in_forward(statement)) == []


def test_a_helper_method_that_forward_calls_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def forward(self, x):
                return self._head(x)
            def _head(self, x):
                return nn.Linear(8, 2)(x)
    """,
    ) == [7]


def test_a_training_step_that_builds_a_layer_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import lightning as L
        class Net(L.LightningModule):
            def training_step(self, batch, batch_idx):
                x, y = batch
                return nn.CrossEntropyLoss()(nn.Linear(8, 2)(x), y)
    """,
    ) == [7]


def test_a_layer_built_once_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.proj = None
                self.built = False
            def forward(self, x):
                if self.proj is None:
                    self.proj = nn.Linear(x.size(1), 8)
                if not hasattr(self, "norm"):
                    self.norm = nn.LayerNorm(8)
                if not self.built:
                    self.build(x)
                return self.norm(self.proj(x))
            def build(self, x):
                self.fc = nn.Linear(x.size(1), 8)
                self.built = True
    """,
        )
        == []
    )


def test_a_builder_that_forward_does_not_call_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = self._make_layers()
            def _make_layers(self):
                return nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.1))
            def reset_classifier(self, n):
                self.fc = nn.Linear(8, n)
            def forward(self, x):
                return self.layers(x)
    """,
        )
        == []
    )


def test_a_fixed_filter_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Sobel(nn.Module):
            def forward(self, x):
                conv = nn.Conv2d(1, 1, 3, bias=False)
                conv.weight.data = self.kernel
                return conv(x)
    """,
        )
        == []
    )


def test_weights_from_a_hypernetwork_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Dynamic(nn.Module):
            def forward(self, x, w):
                layer = nn.Linear(8, 8, bias=False)
                layer.weight = nn.Parameter(w)
                other = nn.Linear(8, 8)
                other.load_state_dict(self.state)
                return other(layer(x))
    """,
        )
        == []
    )


def test_a_function_that_is_no_method_of_a_module_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def forward(x):
            return nn.Linear(8, 2)(x)
        class Builder:
            def forward(self, x):
                return nn.Linear(8, 2)
    """,
        )
        == []
    )


def test_a_module_built_and_returned_is_a_factory(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class ModelFactory(nn.Module):
            def fused(self):
                conv = nn.Conv2d(3, 3, 3)
                return conv
            def forward(self, x):
                return x
    """,
        )
        == []
    )


def test_a_lost_dropout_is_a_warning_and_lost_weights_an_error(diagnoses):
    dropout, linear = diagnoses(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def forward(self, x):
                x = nn.Dropout(0.5)(x)
                return nn.Linear(8, 2)(x)
    """,
    )
    assert dropout.severity is Severity.WARNING
    assert linear.severity is Severity.ERROR


@pytest.mark.parametrize(
    "kept",
    [
        "nn.Linear(x.size(1), 4).to(x.device)",
        "weight_norm(nn.Linear(x.size(1), 4))",
        "weight_norm(nn.Linear(x.size(1), 4)).cuda()",
        "nn.DataParallel(nn.Linear(x.size(1), 4).to(x.device))",
    ],
)
def test_a_layer_that_is_wrapped_or_moved_and_then_kept_is_built_once(lines, kept):
    lazy = f"""
        from torch import nn
        from torch.nn.utils.parametrizations import weight_norm
        class Adapter(nn.Module):
            def forward(self, x):
                if self.project is None:
                    self.project = {kept}
                return self.project(x)
    """
    assert lines(RULE, lazy) == []
    assert lines(RULE, lazy.replace("self.project is None", "True").replace("self.", "own_")) == [7]


def test_the_output_of_a_lost_layer_is_no_kept_layer(lines):
    assert lines(RULE, in_forward("if self.on: self.features = nn.Linear(8, 2)(x)")) == [7]
