"""Where train-loader-not-shuffled speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from trainlint.core.fix import apply_fixes

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis

Lines = Callable[..., list[int]]
RULE = "train-loader-not-shuffled"

SCRIPT = """from torch.utils.data import DataLoader
from torchvision import datasets
train_set = datasets.MNIST(".", train=True)
train_loader = DataLoader(train_set, 32)
for x, y in train_loader:
    loss = model(x).sum()
    loss.backward()
"""


def test_a_script_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.CIFAR10('.', train=True)
        train_loader = DataLoader(train_set, batch_size=32)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
    ) == [6]


def test_wrappers_around_the_loader_are_seen_through(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.CIFAR10('.', train=True)
        train_loader = DataLoader(train_set, batch_size=32)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for i, (x, y) in enumerate(tqdm(train_loader)):
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
    ) == [6]


def test_a_data_set_of_tensors_is_indexed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_data = TensorDataset(inputs, targets)
        train_loader = DataLoader(train_data, 64)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
    ) == [6]


def test_a_class_of_the_file_is_indexed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch.utils import data
        class Images(data.Dataset):
            def __len__(self):
                return 10
            def __getitem__(self, index):
                return self.images[index]
        class Trainer:
            def __init__(self, model):
                self.model = model
                self.train_loader = data.DataLoader(Images(), batch_size=8)
            def fit(self):
                for x in self.train_loader:
                    loss = self.model(x).mean()
                    loss.backward()
    """,
    ) == [12]


def test_a_helper_that_trains_an_epoch_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch.utils.data import DataLoader
        from torchvision.datasets import ImageFolder
        def train_one_epoch(model, loader, opt):
            for x, y in loader:
                opt.zero_grad()
                loss = model(x).sum()
                loss.backward()
                opt.step()
        def main(model, opt):
            train_dataset = ImageFolder("train")
            loader = DataLoader(train_dataset, batch_size=32, num_workers=2)
            for epoch in range(10):
                train_one_epoch(model, loader, opt)
    """,
    ) == [13]


def test_a_trainer_of_lightning_is_given_it(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import lightning as L
        from torch.utils.data import DataLoader
        from torchvision.datasets import MNIST
        train_loader = DataLoader(MNIST(".", train=True))
        L.Trainer().fit(model, train_loader)
    """,
    ) == [5]


def test_a_part_of_a_data_set_is_indexed_like_the_whole(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader, random_split
        from torchvision.datasets import MNIST
        train_set, val_set = random_split(MNIST("."), [50000, 10000])
        train_loader = DataLoader(train_set, batch_size=32)
        for x, y in train_loader:
            model(x).sum().backward()
    """,
    ) == [5]


def test_keywords_from_a_known_dict_are_read(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.MNIST('.', train=True); options = {'batch_size': 4}
        train_loader = DataLoader(train_set, **options)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
    ) == [6]


def test_a_loader_that_shuffles_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.CIFAR10('.', train=True)
        train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_false_in_so_many_words_is_meant(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.CIFAR10('.', train=True)
        train_loader = DataLoader(train_set, batch_size=32, shuffle=False)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_a_sampler_decides_about_the_order(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.CIFAR10('.', train=True)
        train_loader = DataLoader(train_set, 32, sampler=sampler)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_an_unknown_shuffle_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.CIFAR10('.', train=True)
        train_loader = DataLoader(train_set, 32, shuffle=args.shuffle)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_unknown_keywords_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.CIFAR10('.', train=True)
        train_loader = DataLoader(train_set, 32, **kwargs)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_a_dict_of_keywords_that_grows_is_not_known(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.MNIST('.', train=True); options = {'batch_size': 4}; options.update(more)
        train_loader = DataLoader(train_set, **options)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_a_data_set_that_is_not_known_may_be_iterable(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = make_dataset()
        train_loader = DataLoader(train_set, 32)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_an_iterable_data_set_orders_itself(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        class Stream(torch.utils.data.IterableDataset):
            def __getitem__(self, i):
                return i

        train_loader = DataLoader(Stream(), 32)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_a_test_loader_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.CIFAR10('.', train=True)
        train_loader = DataLoader(train_set, 32, shuffle=True)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
        test_loader = DataLoader(datasets.MNIST('.', train=False), 32)
    """,
        )
        == []
    )


def test_a_loader_that_nothing_trains_on_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        from torchvision.datasets import MNIST
        train_loader = DataLoader(MNIST(".", train=True), batch_size=32)
        features = [model(x) for x, _ in train_loader]
    """,
        )
        == []
    )


def test_one_batch_of_everything_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.CIFAR10('.', train=True)
        train_loader = DataLoader(train_set, batch_size=len(train_set))
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_a_file_that_shuffles_by_itself_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.CIFAR10('.', train=True)
        train_loader = DataLoader(train_set, 32)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
        random.shuffle(train_set.samples)
    """,
        )
        == []
    )


def test_state_that_is_handed_on_needs_the_order(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import DataLoader, Dataset, TensorDataset
        from torchvision import datasets
        train_set = datasets.CIFAR10('.', train=True)
        train_loader = DataLoader(train_set, 32)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = model(x).sum()
                loss.backward()
                optimizer.step()
        hidden = repackage_hidden(hidden)
    """,
        )
        == []
    )


def test_a_data_set_that_draws_its_examples_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        from torch.utils.data import DataLoader, Dataset
        class Pairs(Dataset):
            def __getitem__(self, index):
                return self.images[random.randint(0, 99)]
        train_loader = DataLoader(Pairs(), 32)
        for x in train_loader:
            model(x).sum().backward()
    """,
        )
        == []
    )


def test_the_fix_shuffles(diagnoses: Callable[..., list[Diagnosis]]) -> None:
    text = SCRIPT
    (found,) = diagnoses(RULE, text)
    assert found.fix is not None
    mended, _ = apply_fixes(text, [found.fix])
    assert "DataLoader(train_set, 32, shuffle=True)" in mended
    assert diagnoses(RULE, mended) == []


def test_a_file_of_tests_is_fine(lines: Lines) -> None:
    assert lines(RULE, SCRIPT) == [4]
    assert lines(RULE, SCRIPT, path="test_training.py") == []


STARRED = """
import torch
from torch.utils.data import DataLoader, TensorDataset, random_split
def parts_of(data):
    parts = random_split(data, [80, 20])
    return {returned}
{names} = parts_of(TensorDataset(torch.load("a.pt")))
train_loader = DataLoader(train_set, batch_size=16)
for (x,) in train_loader:
    model(x).sum().backward()
"""


@pytest.mark.parametrize(
    ("returned", "names"),
    [
        ("(*parts, 10)", "train_set, held_out, classes"),
        ("(10, *parts)", "classes, train_set, held_out"),
        ("parts", "train_set, held_out"),
    ],
)
def test_a_part_behind_a_star_is_followed(lines: Lines, returned: str, names: str) -> None:
    assert lines(RULE, STARRED.format(returned=returned, names=names)) == [8]


def test_what_stands_beside_a_star_is_no_part(lines: Lines) -> None:
    source = STARRED.format(returned="(*parts, stream())", names="one, two, train_set")
    assert lines(RULE, source) == []
