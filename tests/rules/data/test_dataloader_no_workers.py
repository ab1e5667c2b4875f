"""Where dataloader-no-workers speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "dataloader-no-workers"


def test_a_data_set_of_torchvision_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader
        from torchvision import datasets
        loader = DataLoader(datasets.CIFAR10("."), 32)
    """,
    ) == [4]


def test_zero_workers_are_none(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader
        from torchvision.datasets import ImageFolder
        data = ImageFolder("images")
        loader = DataLoader(data, batch_size=32, num_workers=0)
    """,
    ) == [5]


def test_a_class_that_opens_images_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from PIL import Image
        from torch.utils.data import DataLoader, Dataset
        class Photos(Dataset):
            def __getitem__(self, index):
                return Image.open(self.paths[index])
        loader = DataLoader(Photos(), 32)
    """,
    ) == [7]


def test_a_method_that_opens_files_is_looked_into(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torchaudio
        from torch.utils import data
        class Sounds(data.Dataset):
            def load(self, path):
                return torchaudio.load(path)
            def __getitem__(self, index):
                return self.load(self.paths[index])
        class Trainer:
            def __init__(self):
                self.loader = data.DataLoader(Sounds(), 32)
    """,
    ) == [11]


def test_a_part_of_a_data_set_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader, Subset
        from torchvision import datasets
        loader = DataLoader(Subset(datasets.MNIST("."), range(100)), 32)
    """,
    ) == [4]


def test_workers_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        from torchvision import datasets
        loader = DataLoader(datasets.CIFAR10("."), 32, num_workers=4)
        other = DataLoader(datasets.CIFAR10("."), 32, num_workers=args.workers)
    """,
        )
        == []
    )


def test_tensors_in_memory_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader, TensorDataset
        loader = DataLoader(TensorDataset(x, y), 32)
    """,
        )
        == []
    )


def test_a_data_set_that_is_not_known_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        loader = DataLoader(train_set, 32)
    """,
        )
        == []
    )


def test_a_class_that_opens_nothing_when_read_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import numpy as np
        from torch.utils.data import DataLoader, Dataset
        class Table(Dataset):
            def __init__(self, path):
                self.rows = np.load(path)
            def __getitem__(self, index):
                return self.rows[index]
        loader = DataLoader(Table("x"), 32)
    """,
        )
        == []
    )


def test_unknown_keywords_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        from torchvision import datasets
        loader = DataLoader(datasets.CIFAR10("."), 32, **kwargs)
        options = {"batch_size": 3}
        options["num_workers"] = 4
        other = DataLoader(datasets.CIFAR10("."), **options)
    """,
        )
        == []
    )


def test_a_default_that_callers_may_change_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        from torchvision import datasets
        def build(root, num_workers=0):
            return DataLoader(datasets.MNIST(root), 32, num_workers=num_workers)
    """,
        )
        == []
    )


def test_a_file_of_tests_is_fine(lines: Lines) -> None:
    text = (
        "from torch.utils.data import DataLoader\nfrom torchvision import datasets\n"
        "loader = DataLoader(datasets.MNIST('.'), 32)\n"
    )
    assert lines(RULE, text) == [3]
    assert lines(RULE, text, path="test_loaders.py") == []
