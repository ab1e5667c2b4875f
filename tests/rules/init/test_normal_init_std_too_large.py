"""Edge cases of normal-init-std-too-large."""

import pytest

from trainlint.core.fix import apply_fixes

RULE = "normal-init-std-too-large"


@pytest.mark.parametrize(
    "init",
    [
        "nn.init.normal_(self.fc.weight)",
        "nn.init.normal_(self.fc.weight, std=1.0)",
        "nn.init.normal_(self.fc.weight, 0, 0.5)",
        "nn.init.normal_(self.fc.weight.data, mean=0, std=1)",
        "self.fc.weight.data.normal_()",
        "self.fc.weight.data.normal_(0.0, 1.0)",
    ],
)
def test_a_wide_linear_layer_is_found(lines, init):
    assert lines(
        RULE,
        f"""
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(256, 64)
                {init}
            def forward(self, x):
                return self.fc(x)
    """,
    ) == [7]


def test_a_convolution_counts_its_kernel(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        conv = nn.Conv2d(16, 32, kernel_size=3)
        nn.init.normal_(conv.weight, std=1.0)
    """,
    ) == [4]


def test_a_loop_with_isinstance_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Linear(784, 128)
                self.b = nn.Linear(128, 10)
                for m in self.modules():
                    if isinstance(m, nn.Linear):
                        nn.init.normal_(m.weight, mean=0, std=1)
            def forward(self, x):
                return self.b(self.a(x).relu())
    """,
    ) == [10]


def test_a_function_given_to_apply_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        def weights(m):
            if isinstance(m, nn.Linear):
                m.weight.data.normal_()
        net = nn.Sequential(nn.Linear(100, 100), nn.Sigmoid(), nn.Linear(100, 1))
        net.apply(weights)
    """,
    ) == [5]


@pytest.mark.parametrize(
    "init",
    [
        "nn.init.normal_(fc.weight, std=0.02)",
        "nn.init.normal_(fc.weight, 0, 256 ** -0.5)",
        "nn.init.normal_(fc.weight, 1.0, 0.02)",
        "nn.init.normal_(fc.bias)",
        "nn.init.normal_(fc.weight, std=scale)",
        "nn.init.trunc_normal_(fc.weight, std=0.02)",
        "fc.weight.data.normal_(0, 0.01)",
    ],
)
def test_small_or_unknown_deviations_are_fine(lines, init):
    assert (
        lines(
            RULE,
            f"""
        from torch import nn
        def build(scale):
            fc = nn.Linear(256, 64)
            {init}
            return fc
    """,
        )
        == []
    )


def test_an_embedding_has_std_one(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        emb = nn.Embedding(10000, 256)
        nn.init.normal_(emb.weight, std=1.0)
        emb.weight.data.normal_()
    """,
        )
        == []
    )


def test_a_narrow_layer_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        fc = nn.Linear(2, 256)
        nn.init.normal_(fc.weight, std=1.0)
    """,
        )
        == []
    )


def test_an_unknown_width_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(n):
            fc = nn.Linear(n, 256)
            nn.init.normal_(fc.weight, std=1.0)
            return fc
    """,
        )
        == []
    )


def test_noise_buffers_are_no_weights(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Noisy(nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("weight_epsilon", torch.empty(512, 512))
                self.weight_epsilon.normal_()
                self.latent = nn.Parameter(torch.empty(1, 512))
                nn.init.normal_(self.latent, std=1.0)
    """,
        )
        == []
    )


def test_the_scale_of_a_norm_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def weights_init(m):
            name = m.__class__.__name__
            if name.find('Conv') != -1:
                nn.init.normal_(m.weight.data, 0.0, 0.02)
            elif name.find('BatchNorm') != -1:
                nn.init.normal_(m.weight.data, 1.0, 0.02)
        net = nn.Sequential(nn.Conv2d(64, 64, 3), nn.BatchNorm2d(64), nn.ReLU())
        net.apply(weights_init)
    """,
        )
        == []
    )


def test_frozen_random_features_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class RandomFeatures(nn.Module):
            def __init__(self):
                super().__init__()
                self.proj = nn.Linear(256, 512, bias=False)
                nn.init.normal_(self.proj.weight, std=1.0)
                self.proj.weight.requires_grad = False
            def forward(self, x):
                return torch.cos(self.proj(x))
    """,
        )
        == []
    )


def test_weight_norm_sets_the_scale_anew(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from torch.nn.utils import weight_norm
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(256, 256)
                nn.init.normal_(self.fc.weight, std=1.0)
                self.fc = weight_norm(self.fc)
            def forward(self, x):
                return self.fc(x)
    """,
        )
        == []
    )


def test_a_wrapper_that_rescales_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from progan import equal_lr
        class EqualLinear(nn.Module):
            def __init__(self):
                super().__init__()
                linear = nn.Linear(512, 512)
                linear.weight.data.normal_()
                linear.bias.data.zero_()
                self.linear = equal_lr(linear)
            def forward(self, x):
                return self.linear(x)
    """,
        )
        == []
    )


def test_a_batch_norm_behind_it_sets_the_scale_anew(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(256, 256), nn.BatchNorm1d(256), nn.ReLU())
        nn.init.normal_(net[0].weight, std=1.0)
    """,
        )
        == []
    )


NET = """
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(256, 128)
        self.last = nn.Linear(128, 2)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                INIT
    def forward(self, x):
        return self.last(self.first(x).relu())
"""


@pytest.mark.parametrize(
    ("init", "mended"),
    [
        ("nn.init.normal_(m.weight)", "nn.init.normal_(m.weight, std=m.in_features**-0.5)"),
        ("nn.init.normal_(m.weight, 0, 1.)", "nn.init.normal_(m.weight, 0, m.in_features**-0.5)"),
        ("m.weight.data.normal_()", "m.weight.data.normal_(std=m.in_features**-0.5)"),
    ],
)
def test_several_linear_layers_are_scaled_each_by_its_own_inputs(diagnoses, init, mended):
    source = NET.replace("INIT", init)
    [one] = diagnoses(RULE, source)
    assert apply_fixes(source, [one.fix]) == (NET.replace("INIT", mended), [])


SIGMOIDS = """
from torch import nn
hidden = nn.Linear(256, 128)
net = nn.Sequential(hidden, nn.Sigmoid(), nn.Linear(128, 2))
nn.init.normal_(hidden.weight, std=1.0)
"""


def test_in_front_of_hidden_sigmoids_the_weights_stay_four_times_as_large(diagnoses):
    [one] = diagnoses(RULE, SIGMOIDS)
    mended = SIGMOIDS.replace("std=1.0", "std=4 * 256**-0.5")
    assert apply_fixes(SIGMOIDS, [one.fix]) == (mended, [])
    assert not list(diagnoses(RULE, mended))


@pytest.mark.parametrize(
    ("old", "new"),
    [("Sigmoid", "Tanh"), (", nn.Linear(128, 2))", ")"), ("nn.Linear(256,", "nn.Linear(64,")],
)
def test_in_front_of_anything_else_they_do_not(diagnoses, old, new):
    source = SIGMOIDS.replace(old, new)
    [one] = diagnoses(RULE, source)
    mended, _ = apply_fixes(source, [one.fix])
    assert "4 *" not in mended
    assert "**-0.5" in mended


def test_layers_of_other_kinds_have_no_fix_in_common(diagnoses):
    source = NET.replace("INIT", "nn.init.normal_(m.weight)").replace(
        "nn.Linear(256, 128)", "nn.Conv2d(256, 128, 3)"
    )
    source = source.replace("nn.Linear):", "(nn.Linear, nn.Conv2d)):")
    [one] = diagnoses(RULE, source)
    assert one.fix is None
