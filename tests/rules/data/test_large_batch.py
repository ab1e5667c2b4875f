"""Where large-batch speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "large-batch"


def test_a_large_literal_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader
        train_loader = DataLoader(dataset, batch_size=512, shuffle=True)
    """,
    ) == [3]


def test_a_constant_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        batch_size = 128
        loader = torch.utils.data.DataLoader(train_set, batch_size=batch_size)
    """,
    ) == [4]


def test_an_argparse_default_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import argparse
        import torch
        parser = argparse.ArgumentParser()
        parser.add_argument("-b", "--batch-size", default=256, type=int)
        args = parser.parse_args()
        train_loader = torch.utils.data.DataLoader(data, batch_size=args.batch_size, shuffle=True)
    """,
    ) == [7]


def test_a_dataclass_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from dataclasses import dataclass
        from torch.utils.data import DataLoader
        @dataclass
        class Config:
            batch_size: int = 4096
        config = Config()
        train_loader = DataLoader(data, batch_size=config.batch_size, shuffle=True)
    """,
    ) == [8]


def test_the_limit_can_be_set(lines: Lines) -> None:
    source = """
        from torch.utils.data import DataLoader
        train_loader = DataLoader(dataset, batch_size=128, shuffle=True)
    """
    assert lines(RULE, source) == [3]
    assert lines(RULE, source, limit=256) == []


def test_thirty_two_examples_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        train_loader = DataLoader(dataset, batch_size=32, shuffle=True)
    """,
        )
        == []
    )


def test_loaders_for_testing_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        test_loader = DataLoader(dataset, batch_size=1000, shuffle=True)
        val = DataLoader(val_set, batch_size=1000)
    """,
        )
        == []
    )


def test_a_loader_of_unknown_use_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        def loader_of(dataset):
            return DataLoader(dataset, batch_size=1000)
    """,
        )
        == []
    )


def test_an_unknown_size_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        def loader_of(train_set, size):
            return DataLoader(train_set, batch_size=size, shuffle=True)
    """,
        )
        == []
    )


def test_the_whole_data_set_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        def loader_of(train_set):
            return DataLoader(train_set, batch_size=len(train_set), shuffle=True)
    """,
        )
        == []
    )


def test_a_rate_that_is_scaled_with_the_batch_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader
        BATCH_SIZE = 1024
        train_loader = DataLoader(dataset, batch_size=BATCH_SIZE, shuffle=True)
        def build(model):
            return torch.optim.SGD(model.parameters(), lr=0.1 * BATCH_SIZE / 256, momentum=0.9)
    """,
        )
        == []
    )


def test_a_loader_of_another_library_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from mylib import DataLoader
        train_loader = DataLoader(dataset, batch_size=512, shuffle=True)
    """,
        )
        == []
    )
