"""Edge cases of double-activation."""

from textwrap import dedent

from trainlint.core.fix import apply_fixes

RULE = "double-activation"


def test_the_same_one_twice_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 9), nn.ReLU(), nn.ReLU(), nn.Linear(9, 1))
    """,
    ) == [3]


def test_a_sigmoid_behind_a_relu_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 1), nn.ReLU(), nn.Sigmoid())
    """,
    ) == [3]


def test_functions_in_forward_are_found(lines):
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
            def forward(self, x):
                return F.log_softmax(F.relu(self.fc(x)), dim=1)
    """,
    ) == [10]


def test_a_layer_and_a_method_together_are_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
                self.act = nn.Tanh()
            def forward(self, x):
                x = self.act(self.fc(x))
                return x.sigmoid()
    """,
    ) == [10]


def test_dropout_between_is_another_matter(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 9), nn.ReLU(), nn.Dropout(), nn.ReLU())
    """,
        )
        == []
    )


def test_a_leaky_slope_in_front_of_a_relu_is_lost(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.LeakyReLU(0.2), nn.ReLU(inplace=True))
    """,
    ) == [3]


def test_a_layer_between_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 1), nn.Sigmoid())
    """,
        )
        == []
    )


def test_a_softmax_over_rectified_products_that_no_layer_makes_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.e1 = nn.Parameter(torch.randn(9, 4))
                self.e2 = nn.Parameter(torch.randn(4, 9))
            def forward(self, x):
                a = F.softmax(F.relu(torch.mm(self.e1, self.e2)), dim=1)
                return a @ x
    """,
        )
        == []
    )


def test_attention_over_leaky_scores_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.score = nn.Linear(9, 1)
            def forward(self, x):
                return F.softmax(F.leaky_relu(self.score(x), 0.2), dim=1)
    """,
        )
        == []
    )


def test_bounded_ranges_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        a = nn.Sequential(nn.Linear(9, 9), nn.ReLU(), nn.Tanh())
        b = nn.Sequential(nn.Linear(9, 9), nn.Tanh(), nn.ReLU())
        c = nn.Sequential(nn.Linear(9, 9), nn.Tanh(), nn.Softmax(dim=-1))
    """,
        )
        == []
    )


def test_blocks_that_end_and_begin_with_one_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Stem(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
            def forward(self, x):
                return self.body(x)
        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Sequential(nn.ReLU(), nn.Conv2d(8, 8, 3))
            def forward(self, x):
                return self.body(x)
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.stem = Stem()
                self.block = Block()
            def forward(self, x):
                return self.block(self.stem(x))
    """,
        )
        == []
    )


def test_what_an_if_decides_about_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(sigmoid):
            layers = [nn.Linear(9, 1), nn.ReLU()]
            if sigmoid:
                layers.append(nn.Sigmoid())
            return nn.Sequential(*layers)
    """,
        )
        == []
    )


def test_a_residual_sum_between_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 9)
            def forward(self, x):
                return F.relu(x + F.relu(self.fc(x)))
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
        net = nn.Sequential(nn.ReLU(), nn.ReLU())
    """,
            path="test_it.py",
        )
        == []
    )


def test_the_fix_takes_the_first_away_where_the_second_decides(diagnoses):
    source = """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 1), nn.ReLU(), nn.Sigmoid())
    """
    (one,) = diagnoses(RULE, source)
    assert one.fix is not None
    fixed, refused = apply_fixes(dedent(source), [one.fix])
    assert not refused
    assert "nn.Sequential(nn.Linear(9, 1), nn.Sigmoid())" in fixed


def test_the_fix_takes_the_second_away_where_it_changes_nothing(diagnoses):
    source = """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 1), nn.Sigmoid(), nn.ReLU())
    """
    (one,) = diagnoses(RULE, source)
    assert one.fix is not None
    fixed, refused = apply_fixes(dedent(source), [one.fix])
    assert not refused
    assert "nn.Sequential(nn.Linear(9, 1), nn.Sigmoid())" in fixed


def test_a_shared_layer_has_no_fix(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
                self.act = nn.Tanh()
                self.out = nn.Sigmoid()
            def forward(self, x):
                return self.out(self.act(self.fc(x)))
    """,
    )
    assert one.fix is None
