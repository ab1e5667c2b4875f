"""Edge cases of xavier-init-before-relu."""

import pytest

RULE = "xavier-init-before-relu"


def test_an_explicit_layer_before_a_functional_relu_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(784, 256)
                self.fc2 = nn.Linear(256, 10)
                nn.init.xavier_uniform_(self.fc1.weight)
                nn.init.xavier_uniform_(self.fc2.weight)
            def forward(self, x):
                x = F.relu(self.fc1(x))
                return self.fc2(x)
    """,
    ) == [9]


def test_a_function_given_to_apply_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        def init_weights(m):
            if type(m) == nn.Linear:
                torch.nn.init.xavier_uniform_(m.weight)
                m.bias.data.fill_(0.01)
        net = nn.Sequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 1))
        net.apply(init_weights)
    """,
    ) == [6]


def test_a_method_given_to_self_apply_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class VGG(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv1 = nn.Conv2d(3, 64, 3)
                self.conv2 = nn.Conv2d(64, 64, 3)
                self.relu = nn.ReLU(inplace=True)
                self.apply(self._init_weights)
            def _init_weights(self, module):
                if isinstance(module, (nn.Conv2d, nn.Linear)):
                    nn.init.xavier_normal_(module.weight.data)
            def forward(self, x):
                x = self.relu(self.conv1(x))
                x = self.relu(self.conv2(x))
                return x
    """,
    ) == [12]


def test_the_hand_written_range_is_known_as_glorot(lines):
    assert lines(
        RULE,
        """
        import math
        from torch import nn
        class Net(nn.Module):
            def __init__(self, fan_in, fan_out):
                super().__init__()
                self.fc = nn.Linear(fan_in, fan_out)
                self.out = nn.Linear(fan_out, 1)
                bound = math.sqrt(6.0 / (fan_in + fan_out))
                self.fc.weight.data.uniform_(-bound, bound)
            def forward(self, x):
                return self.out(self.fc(x).relu())
    """,
    ) == [10]


def test_a_leaky_relu_in_a_sequential_attribute_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Disc(nn.Module):
            def __init__(self):
                super().__init__()
                self.model = nn.Sequential(
                    nn.Linear(784, 512),
                    nn.LeakyReLU(0.2, inplace=True),
                    nn.Linear(512, 512),
                    nn.LeakyReLU(0.2, inplace=True),
                    nn.Linear(512, 1),
                )
                for layer in self.model:
                    if isinstance(layer, nn.Linear):
                        nn.init.xavier_normal_(layer.weight)
            def forward(self, img):
                return self.model(img)
    """,
    ) == [15]


def test_gain_one_written_out_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        def weights_init_(m):
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight, gain=1)
                nn.init.constant_(m.bias, 0)
        class Q(nn.Module):
            def __init__(self, n):
                super(Q, self).__init__()
                self.linear1 = nn.Linear(n, 256)
                self.linear2 = nn.Linear(256, 256)
                self.linear3 = nn.Linear(256, 1)
                self.apply(weights_init_)
            def forward(self, x):
                x = nn.functional.relu(self.linear1(x))
                x = nn.functional.relu(self.linear2(x))
                return self.linear3(x)
    """,
    ) == [5]


def test_the_gain_of_another_layer_of_the_stack_is_found(lines):
    # An aligner of a speech model: the middle convolution got the gain of the last one.
    assert lines(
        RULE,
        """
        from torch import nn
        class Aligner(nn.Module):
            def __init__(self):
                super().__init__()
                self.query = nn.Sequential(
                    nn.Conv1d(80, 160, 3), nn.ReLU(), nn.Conv1d(160, 80, 1), nn.ReLU(), nn.Conv1d(80, 80, 1)
                )
                self.init_layers()
            def init_layers(self):
                nn.init.xavier_uniform_(self.query[0].weight, gain=nn.init.calculate_gain("relu"))
                nn.init.xavier_uniform_(self.query[2].weight, gain=nn.init.calculate_gain("linear"))
                nn.init.xavier_uniform_(self.query[4].weight, gain=nn.init.calculate_gain("linear"))
            def forward(self, x):
                return self.query(x)
    """,
    ) == [12]


@pytest.mark.parametrize(
    "activation",
    ["nn.GELU()", "nn.SiLU()", "nn.Mish()", "nn.Hardswish()", "nn.Tanh()", "nn.Sigmoid()"],
)
def test_other_activations_are_accepted_practice(lines, activation):
    assert (
        lines(
            RULE,
            f"""
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 64), {activation}, nn.Linear(64, 1))
        nn.init.xavier_uniform_(net[0].weight)
    """,
        )
        == []
    )


@pytest.mark.parametrize("gain", ["nn.init.calculate_gain('relu')", "2 ** 0.5", "1.414", "GAIN"])
def test_the_gain_of_relu_is_fine(lines, gain):
    assert (
        lines(
            RULE,
            f"""
        import math
        from torch import nn
        GAIN = math.sqrt(2)
        net = nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 1))
        nn.init.xavier_uniform_(net[0].weight, gain={gain})
    """,
        )
        == []
    )


def test_an_unknown_gain_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(gain):
            net = nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 1))
            nn.init.xavier_uniform_(net[0].weight, gain)
            return net
    """,
        )
        == []
    )


def test_a_normalisation_between_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from torch import nn
        class Block(nn.Module):
            def __init__(self, c):
                super().__init__()
                self.conv = nn.Conv2d(c, c, 3, bias=False)
                self.bn = nn.BatchNorm2d(c)
                nn.init.xavier_normal_(self.conv.weight)
            def forward(self, x):
                return F.relu(self.bn(self.conv(x)))
    """,
        )
        == []
    )


def test_mixed_activations_under_one_loop_are_left_alone(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Siamese(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Sequential(nn.Linear(512, 256), nn.ReLU(inplace=True), nn.Linear(256, 1))
                self.sigmoid = nn.Sigmoid()
                self.fc.apply(self.init_weights)
            def init_weights(self, m):
                if isinstance(m, nn.Linear):
                    torch.nn.init.xavier_uniform_(m.weight)
                    m.bias.data.fill_(0.01)
            def forward(self, x):
                return self.sigmoid(self.fc(x))
    """,
        )
        == []
    )


def test_all_parameters_of_a_transformer_are_left_alone(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from torch import nn
        class Seq2Seq(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.attention = nn.MultiheadAttention(d, 8)
                self.linear1 = nn.Linear(d, 4 * d)
                self.linear2 = nn.Linear(4 * d, d)
                for p in self.parameters():
                    if p.dim() > 1:
                        nn.init.xavier_uniform_(p)
            def forward(self, x):
                x = x + self.attention(x, x, x)[0]
                return x + self.linear2(F.relu(self.linear1(x)))
    """,
        )
        == []
    )


def test_a_parameter_of_a_graph_layer_is_no_layer(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class GraphConv(nn.Module):
            def __init__(self, i, o):
                super().__init__()
                self.kernel = nn.Parameter(torch.Tensor(i, o))
                nn.init.xavier_normal_(self.kernel)
            def forward(self, x, adj):
                return torch.relu(torch.spmm(adj, torch.mm(x, self.kernel)))
    """,
        )
        == []
    )


def test_kaiming_is_what_it_should_be(lines):
    assert (
        lines(
            RULE,
            """
        import math
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.features = nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU())
                for m in self.modules():
                    if isinstance(m, nn.Conv2d):
                        n = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
                        m.weight.data.normal_(0, math.sqrt(2. / n))
            def forward(self, x):
                return self.features(x)
    """,
        )
        == []
    )


def test_a_residual_sum_between_is_not_the_same_layer(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Block(nn.Module):
            def __init__(self, c):
                super().__init__()
                self.fc = nn.Linear(c, c)
                nn.init.xavier_uniform_(self.fc.weight)
            def forward(self, x):
                return torch.relu(x + self.fc(x))
    """,
        )
        == []
    )


def test_an_activation_picked_by_the_caller_is_unknown(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class MLP(nn.Module):
            def __init__(self, act_layer):
                super().__init__()
                self.fc1 = nn.Linear(8, 8)
                self.act = act_layer()
                self.fc2 = nn.Linear(8, 8)
                nn.init.xavier_uniform_(self.fc1.weight)
            def forward(self, x):
                return self.fc2(self.act(self.fc1(x)))
    """,
        )
        == []
    )


def test_the_fix_keeps_the_kind_of_distribution_and_the_slope(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 64), nn.LeakyReLU(0.3), nn.Linear(64, 1))
        nn.init.xavier_normal_(net[0].weight)
    """,
    )
    assert one.fix is not None
    assert "kaiming_normal_" in "".join(edit.replacement for edit in one.fix.edits)
    assert "0.3" in "".join(edit.replacement for edit in one.fix.edits)


def test_the_default_activation_of_a_block_is_known(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class MLP(nn.Module):
            def __init__(self, act_layer=nn.ReLU):
                super().__init__()
                self.fc1 = nn.Linear(8, 8)
                self.act = act_layer()
                self.fc2 = nn.Linear(8, 8)
                nn.init.xavier_uniform_(self.fc1.weight)
            def forward(self, x):
                return self.fc2(self.act(self.fc1(x)))
    """,
    ) == [9]


BLOCK = """
    import torch.nn.functional as F
    from torch import nn
    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            {mixes}
            self.up = nn.Linear(width, 4 * width)
            self.down = nn.Linear(4 * width, width)
            nn.init.xavier_uniform_(self.up.weight)
            nn.init.xavier_uniform_(self.down.weight)
            self.norm = nn.LayerNorm(width)
        def forward(self, x):
            x = x + self.mix(self.norm(x))
            return x + self.down(F.relu(self.up(x)))
"""


def test_a_block_of_a_transformer_keeps_the_convention(lines):
    attends = "self.mix = SelfAttention(width)"
    assert lines(RULE, BLOCK.format(mixes=attends)) == []
    assert lines(RULE, BLOCK.format(mixes="self.mix = nn.Identity()")) == [10]


def test_a_test_does_not_train_for_long(diagnoses):
    block = BLOCK.format(mixes="self.mix = nn.Identity()")
    assert diagnoses(RULE, block, path="tests/test_blocks.py") == []
