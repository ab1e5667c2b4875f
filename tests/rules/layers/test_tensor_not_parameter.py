"""Where tensor-not-parameter speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "tensor-not-parameter"


def test_a_random_tensor_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = torch.randn(3, requires_grad=True)
            def forward(self, x):
                return x * self.w
    """,
    ) == [7]


def test_a_tensor_of_literals_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = torch.tensor([1.0, 2.0], requires_grad=True, device="cuda")
            def forward(self, x):
                scale = self.scale
                return x * scale
    """,
    ) == [6]


def test_the_method_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.bias = torch.zeros(n).requires_grad_()
                self.gain = torch.ones(n).requires_grad_(True)
            def forward(self, x):
                return x * self.gain + self.bias
    """,
    ) == [7, 8]


def test_an_old_variable_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        from torch.autograd import Variable
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.h0 = Variable(torch.zeros(1, 8), requires_grad=True)
            def forward(self, x):
                return x + self.h0
    """,
    ) == [8]


def test_a_use_in_a_helper_method_counts(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.q = torch.randn(8, requires_grad=True)
            def attend(self, keys):
                return keys @ self.q
            def forward(self, x):
                return self.attend(x)
    """,
    ) == [7]


def test_a_parameter_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = nn.Parameter(torch.randn(3, requires_grad=True))
                self.v = nn.Parameter(torch.tensor(1.0), requires_grad=True)
            def forward(self, x):
                return x * self.w + self.v
    """,
        )
        == []
    )


def test_a_constant_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.mask = torch.tril(torch.ones(9, 9))
                self.mean = torch.tensor([0.5], requires_grad=False)
            def forward(self, x):
                return (x - self.mean) * self.mask
    """,
        )
        == []
    )


def test_a_tensor_that_is_registered_later_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                w = torch.randn(3, requires_grad=True)
                self.register_parameter("w", nn.Parameter(w))
                self.v = torch.randn(3, requires_grad=True)
                self.v = nn.Parameter(self.v)
            def forward(self, x):
                return x * self.w + self.v
    """,
        )
        == []
    )


def test_a_tensor_that_an_optimizer_is_given_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = torch.randn(3, requires_grad=True)
            def forward(self, x):
                return x * self.w
        net = Net()
        optimizer = torch.optim.SGD([net.w], lr=0.1, momentum=0.9)
    """,
        )
        == []
    )


def test_a_class_with_its_own_optimizer_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = torch.randn(3, requires_grad=True)
                self.optimizer = torch.optim.Adam([self.w], lr=1e-3)
            def forward(self, x):
                return x * self.w
    """,
        )
        == []
    )


def test_a_class_that_overrides_parameters_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = torch.randn(3, requires_grad=True)
            def parameters(self, recurse=True):
                return iter([self.w])
            def forward(self, x):
                return x * self.w
    """,
        )
        == []
    )


def test_a_class_that_is_no_module_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        class LinearModel:
            def __init__(self):
                self.w = torch.randn(3, requires_grad=True)
            def forward(self, x):
                return x @ self.w
    """,
        )
        == []
    )


def test_an_agent_with_a_temperature_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        class SAC(object):
            def __init__(self):
                self.log_alpha = torch.zeros(1, requires_grad=True)
                self.alpha_optim = torch.optim.Adam([self.log_alpha], lr=3e-4)
    """,
        )
        == []
    )


def test_a_tensor_that_forward_never_reads_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(3, 3)
                self.probe = torch.randn(3, requires_grad=True)
            def forward(self, x):
                return self.fc(x)
    """,
        )
        == []
    )


def test_an_unknown_flag_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, learn):
                super().__init__()
                self.w = torch.randn(3, requires_grad=learn)
            def forward(self, x):
                return x * self.w
    """,
        )
        == []
    )


def test_a_tensor_that_forward_makes_itself_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(3, 3)
            def forward(self, x):
                self.inputs = torch.zeros(3, requires_grad=True)
                return self.fc(x + self.inputs)
    """,
        )
        == []
    )


def test_an_attribute_of_the_same_name_in_another_class_is_another_thing(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Other(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = nn.Parameter(torch.randn(3))
                self.optimizer = torch.optim.SGD([self.w], lr=0.1)
            def forward(self, x):
                return x * self.w
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = torch.randn(3, requires_grad=True)
            def forward(self, x):
                return x * self.w
    """,
    ) == [14]


def test_a_subclass_that_hands_it_to_an_optimizer_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = torch.randn(3, requires_grad=True)
            def forward(self, x):
                return x * self.w
        class Trained(Net):
            def optimizer(self):
                return torch.optim.SGD([self.w], lr=0.1)
    """,
        )
        == []
    )


def test_a_toy_module_of_a_test_is_fine(lines: Lines) -> None:
    source = """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = torch.randn(3, requires_grad=True)
            def forward(self, x):
                return x * self.w
    """
    assert lines(RULE, source) == [7]
    assert lines(RULE, source, path="test_net.py") == []


def test_a_tensor_whose_gradient_is_the_penalty_is_not_to_be_trained(lines):
    """The scale of invariant risk minimisation (Arjovsky et al. 2019)."""
    source = """
        import torch
        from torch import autograd, nn
        import torch.nn.functional as F
        class Penalty(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = torch.tensor(1.0).requires_grad_()
            def forward(self, y, labels):
                loss = F.cross_entropy(y * self.scale, labels)
                return GRADIENT
    """
    taken = "autograd.grad(loss, [self.scale], create_graph=True)[0].square().sum()"
    assert lines("tensor-not-parameter", source.replace("GRADIENT", taken)) == []
    assert lines("tensor-not-parameter", source.replace("GRADIENT", "loss")) == [8]
