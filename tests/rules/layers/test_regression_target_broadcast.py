"""Where regression-target-broadcast speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "regression-target-broadcast"


def test_a_flat_target_of_the_file_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        from torch import nn
        net = nn.Linear(8, 1)
        x, y = torch.randn(100, 8), torch.randn(100)
        loss = F.mse_loss(net(x), y)
    """,
    ) == [7]


def test_a_tensor_data_set_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        from torch.utils.data import DataLoader, TensorDataset
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
            def forward(self, x):
                return self.net(x)
        data = torch.rand(50, 2)
        labels = torch.sin(data[:, 0]) + data[:, 1]
        loader = DataLoader(TensorDataset(data, labels), batch_size=8)
        net, criterion = Net(), nn.L1Loss()
        for epoch in range(3):
            for i, (a, b) in enumerate(loader):
                loss = criterion(net(a), b)
    """,
    ) == [17]


def test_a_target_that_is_flattened_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class T:
            def __init__(self):
                self.net, self.loss = nn.Linear(8, 1), nn.SmoothL1Loss()
            def step(self, x, y):
                return self.loss(self.net(x), y.view(-1))
    """,
    ) == [7]


def test_a_target_of_two_dimensions_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        from torch import nn
        net = nn.Linear(8, 1)
        x, y, z = torch.randn(100, 8), torch.randn(100, 1), torch.randn(100)
        loss = F.mse_loss(net(x), y) + F.mse_loss(net(x), z.unsqueeze(1)) + F.mse_loss(net(x), z[:, None])
        other = F.mse_loss(net(x), z.view(-1, 1)) + F.mse_loss(net(x), x.sum(1, keepdim=True))
    """,
        )
        == []
    )


def test_an_output_that_is_squeezed_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        from torch import nn
        net = nn.Linear(8, 1)
        x, y = torch.randn(100, 8), torch.randn(100)
        loss = F.mse_loss(net(x).squeeze(-1), y) + F.mse_loss(net(x)[:, 0], y) + F.mse_loss(net(x).flatten(), y)
    """,
        )
        == []
    )


def test_several_outputs_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        from torch import nn
        net = nn.Linear(8, 4)
        loss = F.mse_loss(net(torch.randn(100, 8)), torch.randn(4))
    """,
        )
        == []
    )


def test_a_target_of_a_loader_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from torch import nn
        net = nn.Linear(8, 1)
        def train(loader):
            for x, y in loader:
                F.mse_loss(net(x), y).backward()
    """,
        )
        == []
    )


def test_a_loader_with_a_collate_function_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        from torch import nn
        from torch.utils.data import DataLoader, TensorDataset
        net = nn.Linear(8, 1)
        for x, y in DataLoader(TensorDataset(torch.rand(9, 8), torch.rand(9)), collate_fn=mine):
            F.mse_loss(net(x), y).backward()
    """,
        )
        == []
    )


def test_sizes_that_may_be_a_tuple_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        from torch import nn
        net = nn.Linear(8, 1)
        def f(x, shape):
            return F.mse_loss(net(x), torch.randn(shape)), F.mse_loss(net(x), torch.zeros(*shape))
    """,
        )
        == []
    )


def test_a_loss_of_classes_is_not_this_rule(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        from torch import nn
        net = nn.Linear(8, 1)
        loss = F.binary_cross_entropy_with_logits(net(torch.rand(9, 8)), torch.rand(9))
    """,
        )
        == []
    )


DATA_SET = """
        import numpy as np
        import torch
        from torch import nn
        from torch.utils.data import DataLoader, Dataset
        class Weather(Dataset):
            def __init__(self, series, days=7):
                self.series, self.days = torch.as_tensor(series), days
            def __len__(self):
                return len(self.series) - self.days
            def __getitem__(self, day):
                {example}
        rain = np.loadtxt("rain.csv", skiprows=1, {columns})
        rain = (rain - rain.mean()) / rain.std()
        loader = DataLoader(Weather(rain[:900]), {options})
        net, criterion = nn.Sequential(nn.Linear(7, 16), nn.ReLU(), nn.Linear(16, 1)), nn.HuberLoss()
        for past, coming in loader:
            loss = criterion(net(past.cuda()), coming.cuda())
"""


def _rain(
    example: str = "return self.series[day : day + self.days], self.series[day + self.days]",
    columns: str = "usecols=3",
    options: str = "batch_size=32",
) -> str:
    return DATA_SET.format(example=example, columns=columns, options=options)


def test_the_example_of_a_data_set_says_what_a_batch_is(lines: Lines) -> None:
    assert lines(RULE, _rain()) == [18]
    assert lines(RULE, _rain("return self.series[day:][:7], float(self.series[day + 7])")) == [18]


def test_an_example_that_may_have_more_dimensions_is_unknown(lines: Lines) -> None:
    assert lines(RULE, _rain("return self.series[:7], self.series[7:8]")) == []
    assert lines(RULE, _rain("return self.series[:7], self.series[[day]]")) == []
    assert lines(RULE, _rain("return {'x': self.series[:7], 'y': self.series[day]}")) == []
    assert lines(RULE, _rain("return self.series[:7], unknown(self.series[day])")) == []
    assert lines(RULE, _rain(columns="usecols=(3, 4)")) == []
    assert lines(RULE, _rain(columns="delimiter=','")) == []
    assert lines(RULE, _rain(options="batch_size=None")) == []
    assert lines(RULE, _rain(options="32, collate_fn=collate")) == []
    assert lines(RULE, _rain(options="**options")) == []


def test_an_index_that_is_no_example_s_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        from torch import nn
        net, rows = nn.Linear(8, 1), torch.randn(100, 1)
        def f(x, chosen):
            return F.mse_loss(net(x), rows[chosen])
    """,
        )
        == []
    )
