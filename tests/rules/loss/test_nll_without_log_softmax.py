"""Where nll-without-log-softmax speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "nll-without-log-softmax"


def test_probabilities_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(net, x, y):
            return F.nll_loss(F.softmax(net(x), dim=1), y)
    """,
    ) == [4]


def test_probabilities_from_a_forward_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(784, 10)
            def forward(self, x):
                return F.softmax(self.fc(x), dim=1)
        def train(loader, optimizer):
            model = Net()
            for data, target in loader:
                optimizer.zero_grad()
                output = model(data)
                loss = F.nll_loss(output, target)
                loss.backward()
                optimizer.step()
    """,
    ) == [15]


def test_raw_logits_from_a_forward_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(784, 64)
                self.fc2 = nn.Linear(64, 10)
            def forward(self, x):
                x = torch.relu(self.fc1(x))
                return self.fc2(x)
        net = Net()
        criterion = nn.NLLLoss()
        def step(x, y):
            return criterion(net(x), y)
    """,
    ) == [15]


def test_a_sequential_without_the_last_layer_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        criterion = nn.NLLLoss()
        for images, labels in trainloader:
            output = model(images)
            loss = criterion(output, labels)
    """,
    ) == [7]


def test_a_softmax_layer_at_the_end_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10), nn.Softmax(dim=1))
        criterion = nn.NLLLoss()
        def f(x, y):
            return criterion(model(x), y)
    """,
    ) == [6]


def test_a_sigmoid_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        def f(net, x, y):
            out = torch.sigmoid(net(x))
            return F.nll_loss(out, y)
    """,
    ) == [6]


def test_log_softmax_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(784, 10)
            def forward(self, x):
                output = F.log_softmax(self.fc(x), dim=1)
                return output
        model = Net()
        def f(x, y):
            return F.nll_loss(model(x), y, reduction="sum").item()
    """,
        )
        == []
    )


def test_a_log_softmax_layer_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        model = nn.Sequential(nn.Linear(784, 10), nn.LogSoftmax(dim=1))
        criterion = nn.NLLLoss()
        def f(x, y):
            return criterion(model(x), y)
    """,
        )
        == []
    )


def test_log_softmax_between_model_and_loss_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        model = nn.Linear(784, 10)
        m = nn.LogSoftmax(dim=1)
        loss = nn.NLLLoss()
        def f(x, y):
            return loss(m(model(x)), y)
    """,
        )
        == []
    )


def test_the_logarithm_of_probabilities_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(net, x, y):
            p = F.softmax(net(x), dim=1)
            return F.nll_loss(torch.log(p.clamp_min(1e-8)), y)
    """,
        )
        == []
    )


def test_the_log_method_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, y):
            return F.nll_loss(net(x).softmax(1).log(), y)
    """,
        )
        == []
    )


def test_a_normaliser_that_is_subtracted_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        import torch.nn.functional as F
        head = nn.Linear(8, 4)
        def f(x, y):
            z = head(x)
            z = z - torch.logsumexp(z, dim=1, keepdim=True)
            return F.nll_loss(z, y)
    """,
        )
        == []
    )


def test_a_model_from_elsewhere_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import model
        net = model.RNNModel("LSTM", 100, 20, 20, 2)
        criterion = nn.NLLLoss()
        def f(data, targets, hidden):
            output, hidden = net(data, hidden)
            return criterion(output, targets)
    """,
        )
        == []
    )


def test_cross_entropy_is_not_touched(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        model = nn.Linear(8, 4)
        criterion = nn.CrossEntropyLoss()
        def f(x, y):
            return criterion(model(x), y)
    """,
        )
        == []
    )


def test_a_gaussian_nll_is_not_touched(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        model = nn.Linear(8, 1)
        criterion = nn.GaussianNLLLoss()
        def f(x, y, var):
            return criterion(model(x), y, var)
    """,
        )
        == []
    )


def test_a_parameter_of_unknown_origin_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def nll(log_probs, y):
            return F.nll_loss(log_probs, y)
    """,
        )
        == []
    )


def test_log_softmax_in_a_helper_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from torch import nn
        head = nn.Linear(8, 4)
        def normalise(z):
            return F.log_softmax(z, dim=-1)
        def f(x, y):
            return F.nll_loss(normalise(head(x)), y)
    """,
        )
        == []
    )
