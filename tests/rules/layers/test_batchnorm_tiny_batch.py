"""Where batchnorm-tiny-batch speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lines = Callable[..., list[int]]
RULE = "batchnorm-tiny-batch"


def test_four_examples_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        from torch.utils.data import DataLoader
        net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
        train_loader = DataLoader(dataset, batch_size=4, shuffle=True)
    """,
    ) == [5]


def test_a_constant_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        BATCH_SIZE = 2
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(3, 8, 3)
                self.bn = nn.BatchNorm2d(8)
            def forward(self, x):
                return self.bn(self.conv(x))
        def main(train_set):
            trainloader = torch.utils.data.DataLoader(train_set, BATCH_SIZE, shuffle=True)
            return trainloader
    """,
    ) == [13]


def test_an_argparse_default_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import argparse
        import torch
        from torch import nn
        parser = argparse.ArgumentParser()
        parser.add_argument("--batch-size", type=int, default=4)
        args = parser.parse_args()
        model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
        loader = torch.utils.data.DataLoader(data, batch_size=args.batch_size, shuffle=True)
    """,
    ) == [9]


def test_a_dict_of_settings_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        from torch.utils.data import DataLoader
        config = {"batch_size": 1, "lr": 1e-3}
        model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
        def loaders(train_data):
            return DataLoader(train_data, batch_size=config["batch_size"], shuffle=True)
    """,
    ) == [7]


def test_a_train_split_by_keyword_is_known(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        from torch.utils.data import DataLoader
        from torchvision import datasets
        model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
        loader = DataLoader(datasets.MNIST(".", train=True), batch_size=4)
    """,
    ) == [6]


def test_sixteen_examples_are_advice(diagnoses: Callable[..., list]) -> None:
    [one] = diagnoses(
        RULE,
        """
        from torch import nn
        from torch.utils.data import DataLoader
        net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
        train_loader = DataLoader(dataset, batch_size=16, shuffle=True)
    """,
    )
    assert one.severity == "advice"


def test_seven_examples_are_a_warning(diagnoses: Callable[..., list]) -> None:
    [one] = diagnoses(
        RULE,
        """
        from torch import nn
        from torch.utils.data import DataLoader
        net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
        train_loader = DataLoader(dataset, batch_size=7, shuffle=True)
    """,
    )
    assert one.severity == "warning"


def test_the_normalisation_is_shown_as_second_place(diagnoses: Callable[..., list]) -> None:
    [one] = diagnoses(
        RULE,
        """
        from torch import nn
        from torch.utils.data import DataLoader
        net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
        train_loader = DataLoader(dataset, batch_size=2, shuffle=True)
    """,
    )
    assert [place.span.line for place in one.related] == [4]


def test_twenty_examples_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from torch.utils.data import DataLoader
        net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
        train_loader = DataLoader(dataset, batch_size=20, shuffle=True)
    """,
        )
        == []
    )


def test_loaders_for_validation_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from torch.utils.data import DataLoader
        net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
        val_loader = DataLoader(val_set, batch_size=1, shuffle=False)
        test_loader = DataLoader(dataset, batch_size=1, shuffle=True)
        loader = DataLoader(test_set, batch_size=4)
    """,
        )
        == []
    )


def test_a_loader_of_unknown_use_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from torch.utils.data import DataLoader
        net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
        def predict(dataset):
            for x in DataLoader(dataset, batch_size=1):
                net(x)
    """,
        )
        == []
    )


def test_other_normalisations_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from torch.utils.data import DataLoader
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.InstanceNorm2d(8), nn.GroupNorm(2, 8))
        train_loader = DataLoader(dataset, batch_size=1, shuffle=True)
    """,
        )
        == []
    )


def test_synchronised_statistics_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from torch.utils.data import DataLoader
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
        net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
        train_loader = DataLoader(dataset, batch_size=4, shuffle=True)
    """,
        )
        == []
    )


def test_an_unknown_size_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from torch.utils.data import DataLoader
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
        def main(cfg, train_set):
            return DataLoader(train_set, batch_size=cfg.batch_size, shuffle=True)
    """,
        )
        == []
    )


def test_a_loader_that_does_not_batch_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from torch.utils.data import DataLoader
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
        train_loader = DataLoader(train_set, batch_sampler=sampler)
        train_stream = DataLoader(train_set, batch_size=None)
        train_default = DataLoader(train_set)
    """,
        )
        == []
    )


def test_layers_with_batch_in_their_names_only_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from torch.utils.data import DataLoader
        from mylib import BatchNorm2d
        net = nn.Sequential(nn.Conv2d(3, 8, 3), BatchNorm2d(8))
        train_loader = DataLoader(dataset, batch_size=4, shuffle=True)
    """,
        )
        == []
    )


def test_frozen_statistics_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from torch.utils.data import DataLoader
        from torchvision.ops import FrozenBatchNorm2d
        net = nn.Sequential(nn.Conv2d(3, 8, 3), FrozenBatchNorm2d(8))
        train_loader = DataLoader(dataset, batch_size=2, shuffle=True)
    """,
        )
        == []
    )


def test_batches_in_a_test_are_small_on_purpose(lines: Lines) -> None:
    source = """
        from torch import nn
        from torch.utils.data import DataLoader
        net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
        train_loader = DataLoader(dataset, batch_size=4, shuffle=True)
    """
    assert lines(RULE, source, path="tests/test_net.py") == []
    assert lines(RULE, source, path="train.py") == [5]


@pytest.mark.parametrize("package", ["dgl", "torch_geometric"])
def test_a_batch_of_one_graph_has_many_nodes(package: str, lines: Lines) -> None:
    assert (
        lines(
            RULE,
            f"""
            import {package}
            from torch import nn
            from torch.utils.data import DataLoader
            model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
            train_loader = DataLoader(train_set, batch_size=1, shuffle=True)
            """,
        )
        == []
    )


def test_a_run_that_only_tries_the_program_is_fine(lines: Lines) -> None:
    source = """
        import os
        from torch import nn
        from torch.utils.data import DataLoader
        model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
        smoke_test = "CI" in os.environ
        if smoke_test:
            train_loader = DataLoader(train_set, batch_size=4, shuffle=True)
        else:
            train_loader = DataLoader(whole_set, batch_size=64, shuffle=True)
    """
    assert lines(RULE, source) == []
    assert lines(RULE, source.replace("if smoke_test", 'if "CI" in os.environ')) == []
    assert lines(RULE, source.replace("smoke_test", "is_large")) == [8]
