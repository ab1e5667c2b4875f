"""Edge cases of stacked-linear-no-activation."""

import pytest

RULE = "stacked-linear-no-activation"


def test_neighbours_in_a_sequential_are_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 64), nn.Linear(64, 3))
    """,
    ) == [3]


def test_a_dropout_between_changes_nothing(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.Dropout(0.2), nn.Linear(256, 10))
    """,
    ) == [3]


def test_a_list_that_is_unpacked_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        layers = [nn.Linear(9, 32), nn.ReLU(), nn.Linear(32, 32), nn.Linear(32, 1)]
        net = nn.Sequential(*layers)
    """,
    ) == [3]


def test_variables_in_a_sequential_are_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        fc1 = nn.Linear(4, 16)
        fc2 = nn.Linear(16, 3)
        net = nn.Sequential(nn.Flatten(), fc1, fc2)
    """,
    ) == [4]


def test_a_forward_that_chains_them_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self, hidden):
                super().__init__()
                self.fc1 = nn.Linear(9, hidden)
                self.fc2 = nn.Linear(hidden, 3)
            def forward(self, x):
                x = self.fc1(x)
                x = self.fc2(x)
                return x
    """,
    ) == [7]


def test_nested_calls_in_forward_are_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self, hidden):
                super().__init__()
                self.fc1 = nn.Linear(9, hidden)
                self.fc2 = nn.Linear(hidden, 3)
            def forward(self, x):
                return self.fc2(self.fc1(x))
    """,
    ) == [7]


def test_activations_as_functions_are_seen(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(9, 32)
                self.fc2 = nn.Linear(32, 3)
            def forward(self, x):
                return self.fc2(F.gelu(self.fc1(x)))
    """,
        )
        == []
    )


def test_a_narrow_middle_is_a_factorisation(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(512, 8), nn.Linear(8, 512))
    """,
        )
        == []
    )


def test_a_first_factor_without_a_bias_may_be_one(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def factorised(d, r, out):
            return nn.Sequential(nn.Linear(d, r, bias=False), nn.Linear(r, out))
    """,
        )
        == []
    )


def test_a_name_that_speaks_of_it_is_believed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class DeepLinearNet(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.net = nn.Sequential(nn.Linear(d, d), nn.Linear(d, d))
        lora_up = nn.Sequential(nn.Linear(8, 64), nn.Linear(64, 8))
    """,
        )
        == []
    )


def test_a_code_between_encoder_and_decoder_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class AutoEncoder(nn.Module):
            def __init__(self, d, code):
                super().__init__()
                self.encoder = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, code))
                self.decoder = nn.Sequential(nn.Linear(code, 64), nn.ReLU(), nn.Linear(64, d))
            def forward(self, x):
                return self.decoder(self.encoder(x))
    """,
        )
        == []
    )


def test_an_embedding_that_is_used_elsewhere_too_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.embed = nn.Linear(9, d)
                self.head = nn.Linear(d, 3)
            def forward(self, x):
                z = self.embed(x)
                self.last = z.norm()
                return self.head(z)
    """,
        )
        == []
    )


def test_an_axis_that_is_turned_between_is_another_one(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Mixer(nn.Module):
            def __init__(self, tokens, d):
                super().__init__()
                self.over_tokens = nn.Linear(tokens, tokens)
                self.over_channels = nn.Linear(d, d)
            def forward(self, x):
                x = self.over_tokens(x).transpose(1, 2)
                return self.over_channels(x)
    """,
        )
        == []
    )


def test_a_normalisation_between_is_left_alone(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 64), nn.LayerNorm(64), nn.Linear(64, 3))
    """,
        )
        == []
    )


def test_convolutions_are_left_alone(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 16, 1))
    """,
        )
        == []
    )


def test_what_an_if_may_put_between_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(act):
            layers = [nn.Linear(9, 64)]
            if act:
                layers.append(nn.ReLU())
            layers.append(nn.Linear(64, 3))
            return nn.Sequential(*layers)
    """,
        )
        == []
    )


def test_an_activation_that_callers_pass_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(act):
            return nn.Sequential(nn.Linear(9, 64), act(), nn.Linear(64, 3))
    """,
        )
        == []
    )


def test_a_test_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1))
    """,
            path="test_trainer.py",
        )
        == []
    )


def test_a_folder_of_tests_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(4, 16), nn.Linear(16, 3))
    """,
            path="tests/common/models.py",
        )
        == []
    )


def test_a_model_that_stands_in_for_another_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Encoder(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.layer = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, 3 * d), nn.Linear(3 * d, d))
    """,
            path="benchmark/dummy_model.py",
        )
        == []
    )


def test_a_block_that_is_used_between_its_own_layers_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class MLP(nn.Module):
            def __init__(self, d):
                super().__init__()
                fc1 = nn.Linear(d, d)
                fc2 = nn.Linear(d, d)
                self.net = nn.Sequential(fc1, nn.ReLU(), fc2)
            def forward(self, x):
                return self.net(x)
        def build(d):
            mlp = MLP(d)
            fc3 = nn.Linear(d, d)
            return nn.Sequential(mlp, fc3, nn.ReLU(), mlp, mlp)
    """,
        )
        == []
    )


@pytest.mark.parametrize("width", ["bottleneck_size", "latent_dim", "embedding_size"])
def test_a_middle_that_is_called_narrow_is_wanted(width, lines):
    source = """
        from torch import nn
        def patches(dim, size, hidden):
            return nn.Sequential(nn.Linear(dim, size), nn.Linear(size, hidden))
    """
    assert lines("stacked-linear-no-activation", source.replace("size", width)) == []
    for other in ("size", "encoder_size", "embed * 4"):
        wide = source.replace("dim, size,", "dim, embed, size,").replace(
            "dim, size)", f"dim, {other})"
        )
        assert lines("stacked-linear-no-activation", wide.replace("(size,", f"({other},")) == [4]
