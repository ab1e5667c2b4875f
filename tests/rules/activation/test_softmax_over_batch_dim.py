"""Edge cases of softmax-over-batch-dim."""

RULE = "softmax-over-batch-dim"


def test_a_layer_in_a_sequential_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 3), nn.Softmax(dim=0))
    """,
    ) == [3]


def test_a_function_in_forward_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
            def forward(self, x):
                return torch.softmax(self.fc(x), dim=0)
    """,
    ) == [9]


def test_a_method_by_position_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
            def forward(self, x):
                x = self.fc(x)
                return x.log_softmax(0)
    """,
    ) == [9]


def test_dropout_between_does_not_matter(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 3), nn.Dropout(0.1), nn.LogSoftmax(0))
    """,
    ) == [3]


def test_the_classes_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        a = nn.Sequential(nn.Linear(9, 3), nn.Softmax(dim=1))
        b = nn.Sequential(nn.Linear(9, 3), nn.Softmax(-1))
    """,
        )
        == []
    )


def test_a_parameter_of_the_module_is_no_batch(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.mix = nn.Parameter(torch.zeros(4))
            def forward(self, xs):
                return (torch.softmax(self.mix, dim=0)[:, None] * xs).sum(0)
    """,
        )
        == []
    )


def test_scores_of_one_sample_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 1)
            def forward(self, x):
                return torch.softmax(self.fc(x).squeeze(), dim=0)
    """,
        )
        == []
    )


def test_one_score_for_each_item_of_a_sequence_is_attention(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        class Attention(nn.Module):
            def __init__(self):
                super().__init__()
                self.score = nn.Linear(9, 1, bias=False)
            def forward(self, states):
                weights = torch.softmax(self.score(states), dim=0)
                return (weights * states).sum(0)
    """,
        )
        == []
    )


def test_an_item_of_a_batch_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
            def forward(self, x):
                return torch.softmax(self.fc(x)[0], dim=0)
    """,
        )
        == []
    )


def test_an_unknown_dimension_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(dim):
            return nn.Sequential(nn.Linear(9, 3), nn.Softmax(dim=dim))
    """,
        )
        == []
    )


def test_attention_that_no_layer_makes_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def pool(scores, values):
            return torch.softmax(scores, dim=0) @ values
    """,
        )
        == []
    )


def test_scores_with_a_temperature_are_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Router(nn.Module):
            def __init__(self, width, ways):
                super().__init__()
                self.score = nn.Linear(width, ways)
                self.heat = nn.Parameter(torch.ones(()))
            def forward(self, x):
                return (self.score(x) * self.heat / 3).softmax(0)
    """,
    ) == [10]


def test_scores_that_two_layers_make_together_are_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Pool(nn.Module):
            def __init__(self):
                super().__init__()
                self.query, self.key = nn.Linear(8, 8), nn.Linear(8, 8)
            def forward(self, x):
                return torch.softmax(self.query(x) * self.key(x), 0)
    """,
        )
        == []
    )
