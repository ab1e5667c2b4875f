"""Where tensor-not-buffer speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "tensor-not-buffer"


def test_a_mask_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        class Attention(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.qkv = nn.Linear(8, 24)
                self.mask = torch.tril(torch.ones(n, n)).view(1, n, n)
            def forward(self, x):
                q, k, v = self.qkv(x).chunk(3, -1)
                scores = torch.matmul(q, k.transpose(-2, -1))
                scores = scores.masked_fill(self.mask[:, : x.size(1)] == 0, -1e9)
                return torch.softmax(scores, -1) @ v
    """,
    ) == [8]


def test_a_positional_encoding_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Positions(nn.Module):
            def __init__(self, d, n):
                super().__init__()
                pe = torch.zeros(n, d)
                pe[:, 0::2] = torch.sin(torch.arange(n))
                self.pe = pe.unsqueeze(0)
            def forward(self, x):
                return x + self.pe[:, : x.size(1)]
    """,
    ) == [9]


def test_a_kernel_of_a_function_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        class Sobel(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.kernel = torch.tensor([[1.0, 0.0, -1.0]]).view(1, 1, 1, 3)
            def forward(self, x):
                x = F.relu(x)
                return F.conv2d(x, self.kernel)
    """,
    ) == [7]


def test_random_features_class_weights_and_variables_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import math
        import lightning as L
        import torch
        import torch.nn.functional as F
        from torch import nn
        class Fourier(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.b = torch.randn(2, n) * 10.0
            def forward(self, x):
                h = (2.0 * math.pi * x.view(-1, 2)) @ self.b
                return torch.cat([h.sin(), h.cos()], -1)
        class Lit(L.LightningModule):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 2)
                self.weights = torch.tensor([1.0, 5.0])
                self.mask = torch.tril(torch.ones(9, 9))
            def training_step(self, batch, i):
                x, y = batch
                out = self.fc(x)
                mask = self.mask[:2]
                out = out.masked_fill(mask == 0, 0.0)
                return F.cross_entropy(out, y, weight=self.weights)
    """,
    ) == [10, 18, 19]


def test_variables_that_are_moved_and_new_tensors_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.mask, self.steps = torch.ones(9), torch.arange(9)
            def forward(self, x):
                x = torch.relu(x)
                mask = self.mask[: x.size(1)]
                mask = mask.to(x.device)
                steps = (self.steps + torch.zeros(9)).to(x)
                return x * mask + steps
    """,
        )
        == []
    )


def test_a_tensor_that_is_moved_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = torch.ones(3), torch.ones(3)
                self.c = torch.ones(3, device="cuda")
                self.d = torch.ones(3).cuda()
            def forward(self, x):
                x = torch.relu(x)
                return x * self.a.to(x.device) + self.b.type_as(x) * self.c * self.d + x * self.c + x * self.d
    """,
        )
        == []
    )


def test_a_buffer_or_a_parameter_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("mask", torch.ones(3))
                self.w = nn.Parameter(torch.ones(3))
            def forward(self, x):
                return torch.relu(x) * self.mask * self.w
    """,
        )
        == []
    )


def test_a_single_number_goes_with_any_device(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import math
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, scale):
                super().__init__()
                self.a, self.b = torch.tensor(0.5), torch.tensor(scale)
            def forward(self, x):
                return torch.relu(x) * self.a + self.b * torch.relu(x)
    """,
        )
        == []
    )


def test_a_tensor_that_is_assigned_again_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class A(nn.Module):
            def __init__(self):
                super().__init__()
                self.mask = torch.ones(3)
            def forward(self, x):
                self.mask = self.mask.to(x.device)
                return torch.relu(x) * self.mask
        class B(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = torch.ones(3)
            def forward(self, x):
                return torch.relu(x) * self.scale
        def put(net, device):
            net.scale = net.scale.to(device)
    """,
        )
        == []
    )


def test_a_module_that_moves_its_tensors_itself_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.mask = torch.ones(3)
            def _apply(self, fn):
                self.mask = fn(self.mask)
                return super()._apply(fn)
            def forward(self, x):
                return torch.relu(x) * self.mask
        class Other(nn.Module):
            def __init__(self):
                super().__init__()
                self.gain = torch.ones(3)
            def cuda(self):
                return self
            def forward(self, x):
                return torch.relu(x) * self.gain
    """,
        )
        == []
    )


def test_counting_and_indexing_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.order = torch.arange(3)
                self.sizes = torch.tensor([1, 2, 3])
            def forward(self, x):
                x = torch.relu(x)
                return x[:, self.order] * self.sizes.numel() + self.sizes[0].item() + self.sizes.sum().item()
    """,
        )
        == []
    )


def test_tensors_of_the_module_alone_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = torch.ones(3), torch.ones(3)
            def forward(self, x):
                weights = (self.a + self.b).to(x)
                return x * weights
    """,
        )
        == []
    )


def test_a_default_device_of_the_file_is_respected(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        torch.set_default_device("cuda")
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = torch.ones(3)
            def forward(self, x):
                return torch.relu(x) * self.a
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
        class Loss:
            def __init__(self):
                self.weight = torch.ones(3)
            def forward(self, x):
                return torch.relu(x) * self.weight
    """,
        )
        == []
    )


def test_the_fix_registers_it_and_saves_what_is_drawn(diagnoses: Callable[..., list]) -> None:
    found = diagnoses(
        RULE,
        """
        import torch
        from torch import nn
        class Features(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.freqs = torch.randn(n)
                self.scale = torch.arange(3)
            def forward(self, x):
                x = torch.relu(x)
                return x * self.freqs + x * self.scale
        """,
    )
    assert [one.fix.edits[0].replacement for one in found] == [
        'self.register_buffer("freqs", torch.randn(n))',
        'self.register_buffer("scale", torch.arange(3), persistent=False)',
    ]


def test_arrays_of_numpy_are_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import numpy as np
        import torch
        import torch.nn.functional as F
        from torch import nn
        class Window(nn.Module):
            def __init__(self, sizes, scale):
                super().__init__()
                taper = np.hanning(sizes[0])
                self.taper = torch.from_numpy(taper)
                self.edges = torch.tensor(np.array([0.0, *sizes]))
                self.scale = torch.from_numpy(np.asarray(scale))
            def forward(self, x):
                x = F.relu(x)
                return x * self.taper + x * self.edges + x * self.scale
    """,
    ) == [10, 11]


def test_what_is_added_to_an_input_and_goes_into_a_layer_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Fields(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.starts, self.ids = torch.arange(n), torch.arange(9)
                self.moved = torch.arange(n)
                self.counts = torch.arange(n)
                self.table, self.names = nn.Embedding(n, 8), nn.Embedding(9, 8)
            def forward(self, fields, others):
                shifted = fields + self.starts
                moved = (others + self.moved).to(self.table.weight.device)
                print(others + self.counts)
                return self.table(shifted), self.names(self.ids), self.table(moved)
    """,
    ) == [7, 7]


def test_scores_of_heads_that_were_cut_from_one_tensor_are_data(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Heads(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.all, self.n = nn.Linear(8, 16), n
                self.seen = torch.ones(n, n).tril()
                self.alone = torch.ones(n, n).tril()
            def forward(self, x):
                a, b = self.all(x).split(8, dim=-1)
                a, b = [one.view(2, self.n, 8) for one in (a, b)]
                steps = torch.arange(self.n) + 1
                steps = steps.masked_fill(self.alone == 0, 9)
                return (a @ b.transpose(1, 2)).masked_fill(self.seen == 0, -1e9), steps.sum()
    """,
    ) == [8]
