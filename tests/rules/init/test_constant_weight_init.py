"""Edge cases of constant-weight-init."""

RULE = "constant-weight-init"


def test_all_layers_of_a_network_are_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        def init_weights(m):
            if isinstance(m, nn.Linear):
                nn.init.zeros_(m.weight)
                nn.init.zeros_(m.bias)
        net = nn.Sequential(nn.Linear(9, 9), nn.Tanh(), nn.Linear(9, 1))
        net.apply(init_weights)
    """,
    ) == [5]


def test_a_constant_other_than_zero_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self, value):
                super().__init__()
                self.fc1 = nn.Linear(9, 9)
                self.fc2 = nn.Linear(9, 1)
                for m in self.modules():
                    if isinstance(m, nn.Linear):
                        nn.init.constant_(m.weight, value)
                        nn.init.constant_(m.bias, 0)
            def forward(self, x):
                return self.fc2(self.fc1(x).relu())
    """,
    ) == [10]


def test_methods_of_the_tensor_are_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        a = nn.Linear(9, 9, bias=False)
        b = nn.Linear(9, 1)
        a.weight.data.fill_(0.1)
        b.weight.data.fill_(0.1)
        net = nn.Sequential(a, nn.Sigmoid(), b)
    """,
    ) == [5]


def test_zeros_in_front_of_a_relu_are_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(9, 9, bias=False)
                self.fc2 = nn.Linear(9, 1)
                nn.init.zeros_(self.fc1.weight)
            def forward(self, x):
                return self.fc2(self.fc1(x).relu())
    """,
    ) == [8]


def test_convolutions_are_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        def init_weights(m):
            if isinstance(m, nn.Conv2d):
                nn.init.ones_(m.weight)
                nn.init.zeros_(m.bias)
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3))
        net.apply(init_weights)
    """,
    ) == [5]


def test_a_last_layer_of_zeros_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(9, 9)
                self.fc2 = nn.Linear(9, 1)
                nn.init.zeros_(self.fc2.weight)
                nn.init.zeros_(self.fc2.bias)
            def forward(self, x):
                return self.fc2(self.fc1(x).relu())
    """,
        )
        == []
    )


def test_the_last_layer_of_a_residual_branch_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(9, 9)
                self.fc2 = nn.Linear(9, 9)
                nn.init.zeros_(self.fc2.weight)
                nn.init.zeros_(self.fc2.bias)
            def forward(self, x):
                return (x + self.fc2(self.fc1(x).relu())).relu()
    """,
        )
        == []
    )


def test_a_hidden_layer_in_front_of_random_weights_breaks_the_symmetry(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        fc1, fc2 = nn.Linear(9, 9), nn.Linear(9, 1)
        nn.init.constant_(fc1.weight, 0.1)
        nn.init.zeros_(fc1.bias)
        net = nn.Sequential(fc1, nn.Tanh(), fc2)
    """,
        )
        == []
    )


def test_random_biases_break_the_symmetry(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def init_weights(m):
            if isinstance(m, nn.Linear):
                nn.init.zeros_(m.weight)
        net = nn.Sequential(nn.Linear(9, 9), nn.Tanh(), nn.Linear(9, 1))
        net.apply(init_weights)
    """,
        )
        == []
    )


def test_scales_and_biases_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def init_weights(m):
            if isinstance(m, nn.BatchNorm1d):
                nn.init.ones_(m.weight)
            if isinstance(m, nn.Linear):
                nn.init.zeros_(m.bias)
        net = nn.Sequential(nn.Linear(9, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, 1))
        net.apply(init_weights)
    """,
        )
        == []
    )


def test_one_unit_has_no_symmetry_to_break(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def init_weights(m):
            if isinstance(m, nn.Linear):
                nn.init.ones_(m.weight)
                nn.init.zeros_(m.bias)
        net = nn.Sequential(nn.Linear(9, 1), nn.Tanh(), nn.Linear(1, 1))
        net.apply(init_weights)
    """,
        )
        == []
    )


def test_a_fixed_filter_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        blur = nn.Conv2d(3, 3, 3, bias=False)
        nn.init.constant_(blur.weight, 1 / 9)
        blur.weight.requires_grad = False
        mix = nn.Conv2d(3, 3, 1, bias=False)
        nn.init.ones_(mix.weight)
        net = nn.Sequential(blur, nn.ReLU(), mix)
    """,
        )
        == []
    )


def test_weights_that_are_set_elsewhere_too_are_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        fc1, fc2 = nn.Linear(9, 9, bias=False), nn.Linear(9, 1)
        nn.init.zeros_(fc1.weight)
        nn.init.zeros_(fc2.weight)
        with torch.no_grad():
            fc1.weight.fill_diagonal_(1.0)
        net = nn.Sequential(fc1, nn.Tanh(), fc2)
    """,
        )
        == []
    )


def test_an_option_that_decides_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self, zero):
                super().__init__()
                self.fc1 = nn.Linear(9, 9, bias=False)
                self.fc2 = nn.Linear(9, 1)
                if zero == "all":
                    nn.init.zeros_(self.fc1.weight)
                else:
                    nn.init.normal_(self.fc1.weight, std=0.02)
            def forward(self, x):
                return self.fc2(self.fc1(x).relu())
    """,
        )
        == []
    )


def test_an_owner_that_is_not_known_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def init_weights(m):
            if isinstance(m, nn.Linear):
                nn.init.zeros_(m.weight)
                nn.init.zeros_(m.bias)
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
        a, b = nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False)
        a.weight.data.fill_(1.0)
        b.weight.data.fill_(1.0)
        net = nn.Sequential(a, nn.ReLU(), b)
    """,
            path="test_hooks.py",
        )
        == []
    )
