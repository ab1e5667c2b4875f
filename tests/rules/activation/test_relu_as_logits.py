"""Edge cases of relu-as-logits."""

from textwrap import dedent

from trainlint.core.fix import apply_fixes

RULE = "relu-as-logits"


def test_a_script_with_a_functional_loss_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        import torch.nn.functional as F
        fc = nn.Linear(9, 3)
        for x, y in loader:
            out = F.relu(fc(x))
            loss = F.cross_entropy(out, y)
    """,
    ) == [8]


def test_a_model_that_ends_in_a_relu_is_found_through_its_forward(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.l1 = nn.Linear(9, 9)
                self.l2 = nn.Linear(9, 3)
            def forward(self, x):
                x = torch.relu(self.l1(x))
                return torch.relu(self.l2(x))
        net = Net()
        criterion = nn.CrossEntropyLoss()
        for x, y in loader:
            loss = criterion(net(x), y)
    """,
    ) == [15]


def test_a_sequential_with_a_binary_loss_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 1), nn.ReLU())
        loss_fn = nn.BCEWithLogitsLoss()
        loss = loss_fn(net(x).squeeze(-1), y)
    """,
    ) == [5]


def test_a_trainer_that_keeps_its_criterion_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Trainer:
            def __init__(self):
                self.net = nn.Sequential(nn.Linear(9, 3), nn.ReLU6())
                self.criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
            def step(self, x, y):
                logits = self.net(x)
                return self.criterion(logits, y)
    """,
    ) == [9]


def test_one_relu_is_told_once(lines):
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 3), nn.ReLU())
        def training_step(x, y):
            return F.cross_entropy(net(x), y)
        def validation_step(x, y):
            return F.cross_entropy(net(x), y)
    """,
    ) == [6]


def test_a_linear_end_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 3))
        loss = nn.CrossEntropyLoss()(net(x), y)
    """,
        )
        == []
    )


def test_a_loss_on_values_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 1), nn.ReLU())
        loss = F.mse_loss(net(x), y)
    """,
        )
        == []
    )


def test_a_leaky_slope_keeps_the_sign_and_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 3), nn.LeakyReLU(0.1))
        loss = F.cross_entropy(net(x), y)
    """,
        )
        == []
    )


def test_one_of_two_ways_is_not_enough(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from torch import nn
        fc = nn.Linear(9, 3)
        def step(x, y, clip):
            out = fc(x)
            if clip:
                out = F.relu(out)
            return F.cross_entropy(out, y)
    """,
        )
        == []
    )


def test_an_unknown_model_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def step(model, x, y):
            return F.cross_entropy(model(x), y)
    """,
        )
        == []
    )


def test_a_test_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        loss = F.cross_entropy(F.relu(x), y)
    """,
            path="test_loss.py",
        )
        == []
    )


def test_the_fix_hands_on_what_the_layer_puts_out(diagnoses):
    source = """
        from torch import nn
        import torch.nn.functional as F
        fc = nn.Linear(9, 3)
        loss = F.cross_entropy(F.relu(fc(x)), y)
    """
    (one,) = diagnoses(RULE, source)
    assert one.fix is not None
    fixed, refused = apply_fixes(dedent(source), [one.fix])
    assert not refused
    assert "F.cross_entropy(fc(x), y)" in fixed


def test_a_layer_that_is_kept_for_itself_has_no_fix(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        from torch import nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
                self.act = nn.ReLU()
            def forward(self, x):
                return self.act(self.fc(x))
        loss = F.cross_entropy(Net()(x), y)
    """,
    )
    assert one.fix is None
