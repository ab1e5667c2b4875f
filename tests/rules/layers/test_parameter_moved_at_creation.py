"""Where parameter-moved-at-creation speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "parameter-moved-at-creation"


def test_cuda_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = nn.Parameter(torch.zeros(3)).cuda()
    """,
    ) == [7]


def test_to_a_device_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch.nn import Module, Parameter
        class Net(Module):
            def __init__(self, device):
                super().__init__()
                self.w = Parameter(torch.zeros(3), requires_grad=True).to(device)
    """,
    ) == [7]


def test_half_precision_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.w = torch.nn.Parameter(torch.randn(3)).half()
                self.v = torch.nn.parameter.Parameter(torch.randn(3)).double()
    """,
    ) == [6, 7]


def test_a_parameter_in_a_local_variable_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, device):
                super().__init__()
                weight = nn.Parameter(torch.zeros(3)).to(device)
                self.weight = weight
    """,
    ) == [7]


def test_an_attribute_that_is_moved_later_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.alpha: nn.Parameter = nn.Parameter(torch.ones(1)).to("cuda")
    """,
    ) == [7]


def test_a_lightning_module_is_a_module(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import pytorch_lightning as pl
        class Net(pl.LightningModule):
            def __init__(self):
                super().__init__()
                self.t = torch.nn.Parameter(torch.ones(1)).to(torch.device("cuda:0"))
    """,
    ) == [7]


def test_a_move_inside_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, device):
                super().__init__()
                self.w = nn.Parameter(torch.zeros(3).to(device))
                self.v = nn.Parameter(torch.zeros(3, device=device))
    """,
        )
        == []
    )


def test_methods_that_return_the_parameter_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = nn.Parameter(torch.zeros(3)).requires_grad_(False)
    """,
        )
        == []
    )


def test_a_moved_module_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self, device):
                super().__init__()
                self.fc = nn.Linear(3, 3).to(device)
                self.list = nn.ParameterList([nn.Parameter(t) for t in []]).to(device)
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
        class Fixture:
            def __init__(self, device):
                self.w = torch.nn.Parameter(torch.zeros(3)).to(device)
    """,
        )
        == []
    )


def test_a_use_in_a_test_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.nn import Parameter
        def test_step(device):
            w = Parameter(torch.randn(3)).to(device)
            return w.sum()
    """,
        )
        == []
    )


def test_a_buffer_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("b", torch.zeros(3).cuda())
                self.scale = torch.ones(3).cuda()
    """,
        )
        == []
    )


def test_a_copy_without_gradient_on_purpose_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.start = nn.Parameter(torch.zeros(3)).detach().clone()
    """,
        )
        == []
    )


def test_moves_that_do_nothing_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = nn.Parameter(torch.zeros(3)).float()
                self.v = nn.Parameter(torch.zeros(3)).cpu()
    """,
        )
        == []
    )


def test_a_parameter_of_another_library_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from inspect import Parameter
        class Net(nn.Module):
            def __init__(self, device):
                super().__init__()
                self.w = Parameter("x", Parameter.KEYWORD_ONLY).to(device)
    """,
        )
        == []
    )


def test_a_tensor_of_a_forward_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = nn.Parameter(torch.zeros(3))
            def forward(self, x):
                w = self.w.to(x.device)
                return x * w
    """,
        )
        == []
    )
