"""Edge cases of uniform-init-all-positive."""

from textwrap import dedent

from trainlint.core.fix import apply_fixes

RULE = "uniform-init-all-positive"


def test_a_layer_of_a_module_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
                nn.init.uniform_(self.fc.weight)
    """,
    ) == [7]


def test_a_method_of_the_tensor_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        fc = nn.Linear(9, 3)
        fc.weight.data.uniform_()
    """,
    ) == [4]


def test_bounds_of_zero_and_one_are_the_same(lines):
    assert lines(
        RULE,
        """
        import torch.nn.init as init
        from torch import nn
        conv, fc = nn.Conv2d(3, 8, 3), nn.Linear(9, 3)
        init.uniform_(conv.weight, 0.0, 1.0)
        init.uniform_(fc.weight, a=0, b=1)
    """,
    ) == [5, 6]


def test_a_function_that_is_applied_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        def init_weights(m):
            if type(m) == nn.Linear:
                nn.init.uniform_(m.weight)
        net = nn.Sequential(nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 1))
        net.apply(init_weights)
    """,
    ) == [5]


def test_a_test_of_the_type_says_what_it_is_for(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        def init_weights(m):
            if isinstance(m, (nn.Linear, nn.Conv2d)):
                nn.init.uniform_(m.weight)
    """,
    ) == [5]


def test_a_loop_over_modules_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        def reset(model):
            for m in model.modules():
                if isinstance(m, nn.Conv2d):
                    m.weight.data.uniform_(0, 1)
    """,
    ) == [6]


def test_bounds_around_zero_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        fc = nn.Linear(9, 3)
        nn.init.uniform_(fc.weight, -0.1, 0.1)
        nn.init.uniform_(fc.weight, a=-1)
        fc.weight.data.uniform_(-0.1, 0.1)
    """,
        )
        == []
    )


def test_a_bias_or_a_scale_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        fc, bn = nn.Linear(9, 3), nn.BatchNorm1d(3)
        nn.init.uniform_(fc.bias)
        nn.init.uniform_(bn.weight)
        def init_weights(m):
            if isinstance(m, nn.BatchNorm2d):
                nn.init.uniform_(m.weight)
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
        def reset(m):
            nn.init.uniform_(m.weight)
    """,
        )
        == []
    )


def test_bounds_that_are_not_known_are_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        fc = nn.Linear(9, 3)
        def reset(low, high):
            nn.init.uniform_(fc.weight, low, high)
    """,
        )
        == []
    )


def test_weights_that_are_shifted_afterwards_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        fc = nn.Linear(9, 3)
        fc.weight.data.uniform_()
        fc.weight.data.sub_(0.5)
        other = nn.Linear(9, 3)
        other.weight.data.uniform_().sub_(0.5)
    """,
        )
        == []
    )


def test_weights_that_nothing_trains_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        fc = nn.Linear(9, 3)
        nn.init.uniform_(fc.weight)
        fc.weight.requires_grad = False
    """,
        )
        == []
    )


def test_in_front_of_a_relu_the_fix_takes_kaiming(diagnoses):
    source = """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 9)
                self.out = nn.Linear(9, 1)
                nn.init.uniform_(self.fc.weight)
            def forward(self, x):
                return self.out(self.fc(x).relu())
    """
    (one,) = diagnoses(RULE, source)
    assert one.fix is not None
    fixed, refused = apply_fixes(dedent(source), [one.fix])
    assert not refused
    assert 'nn.init.kaiming_uniform_(self.fc.weight, nonlinearity="relu")' in fixed


def test_elsewhere_the_fix_takes_xavier(diagnoses):
    source = """
        from torch import nn
        fc = nn.Linear(9, 3)
        nn.init.uniform_(fc.weight)
    """
    (one,) = diagnoses(RULE, source)
    assert one.fix is not None
    fixed, refused = apply_fixes(dedent(source), [one.fix])
    assert not refused
    assert "nn.init.xavier_uniform_(fc.weight)" in fixed


def test_a_method_of_the_tensor_has_no_fix(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        from torch import nn
        fc = nn.Linear(9, 3)
        fc.weight.data.uniform_()
    """,
    )
    assert one.fix is None
