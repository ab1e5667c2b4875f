"""Where rng-object-cloned-to-workers speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trainlint.static.project import Project
from trainlint.static.source import SourceFile

if TYPE_CHECKING:
    from pathlib import Path

    from trainlint.core.catalogue import Catalogue

Lines = Callable[..., list[int]]
RULE = "rng-object-cloned-to-workers"


def test_a_numpy_generator_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.rng = np.random.default_rng(0)
            def __getitem__(self, i):
                return self.rng.normal()
        loader = DataLoader(Noisy(), batch_size=8, num_workers=4)
    """,
    ) == [9]


def test_a_generator_without_a_seed_is_copied_too(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.rng = np.random.default_rng()
            def __getitem__(self, i):
                return self.rng.normal()
        loader = DataLoader(Noisy(), batch_size=8, num_workers=4)
    """,
    ) == [9]


def test_a_random_state_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.state = np.random.RandomState(seed)
            def __getitem__(self, i):
                return self.state.rand()
        loader = DataLoader(Noisy(), batch_size=8, num_workers=4)
    """,
    ) == [9]


def test_a_generator_of_the_standard_library_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.random = random.Random(seed)
            def __getitem__(self, i):
                return self.random.random()
        loader = DataLoader(Noisy(), batch_size=8, num_workers=4)
    """,
    ) == [9]


def test_a_generator_of_torch_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.g = torch.Generator().manual_seed(0)
            def __getitem__(self, i):
                return torch.randn(3, generator=self.g)
        loader = DataLoader(Noisy(), batch_size=8, num_workers=4)
    """,
    ) == [9]


def test_a_method_that_reading_calls_is_looked_into(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import numpy as np
        from torch.utils.data import DataLoader, Dataset
        class Crops(Dataset):
            def __init__(self):
                self.rng = np.random.default_rng(1)
            def _crop(self, x):
                return x[self.rng.integers(10):]
            def __getitem__(self, index):
                return self._crop(self.data[index])
        def build(args):
            return DataLoader(Crops(), num_workers=args.workers)
    """,
    ) == [6]


def test_an_iterable_data_set_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(IterableDataset):
            def __init__(self, seed=0):
                self.rng = random.Random(0)
            def __iter__(self):
                yield self.rng.random()
        loader = DataLoader(Noisy(), batch_size=8, num_workers=4)
    """,
    ) == [9]


def test_a_part_of_a_data_set_has_its_generator(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import numpy as np
        from torch.utils.data import DataLoader, Dataset, random_split
        class Noisy(Dataset):
            def __init__(self):
                self.rng = np.random.default_rng(1)
            def __getitem__(self, index):
                return self.rng.normal()
        train_set, val_set = random_split(Noisy(), [80, 20])
        loader = DataLoader(train_set, num_workers=2)
    """,
    ) == [6]


def test_a_loader_without_workers_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.rng = np.random.default_rng(0)
            def __getitem__(self, i):
                return self.rng.normal()
        loader = DataLoader(Noisy(), num_workers=0)
    """,
        )
        == []
    )


def test_a_loader_that_does_not_say_it_has_none(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.rng = np.random.default_rng(0)
            def __getitem__(self, i):
                return self.rng.normal()
        loader = DataLoader(Noisy())
    """,
        )
        == []
    )


def test_a_data_set_without_a_loader_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.rng = np.random.default_rng(0)
            def __getitem__(self, i):
                return self.rng.normal()
        loader = Noisy()
    """,
        )
        == []
    )


def test_a_function_that_seeds_the_workers_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.rng = np.random.default_rng(0)
            def __getitem__(self, i):
                return self.rng.normal()
        loader = DataLoader(Noisy(), num_workers=4, worker_init_fn=reseed)
    """,
        )
        == []
    )


def test_a_data_set_that_asks_for_its_worker_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.rng = random.Random(0)
            def __getitem__(self, i):
                return self.rng.random(), torch.utils.data.get_worker_info().id
        loader = DataLoader(Noisy(), batch_size=8, num_workers=4)
    """,
        )
        == []
    )


def test_a_generator_that_only_init_uses_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.rng = random.Random(0)
                self.order = self.rng.sample(range(9), 9)
            def __getitem__(self, i):
                return self.order[i]
        loader = DataLoader(Noisy(), batch_size=8, num_workers=4)
    """,
        )
        == []
    )


def test_a_generator_that_is_seeded_later_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.rng = random.Random(0)
            def __getitem__(self, i):
                return self.rng.random()
            def set_epoch(self, epoch):
                self.rng.seed(epoch)
        loader = DataLoader(Noisy(), batch_size=8, num_workers=4)
    """,
        )
        == []
    )


def test_a_generator_that_is_replaced_later_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.rng = random.Random(0)
            def __getitem__(self, i):
                return self.rng.random()
            def set_epoch(self, epoch):
                self.rng = random.Random(epoch)
        loader = DataLoader(Noisy(), batch_size=8, num_workers=4)
    """,
        )
        == []
    )


def test_the_global_generators_are_seeded_for_each_worker(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                np.random.seed(0)
            def __getitem__(self, i):
                return np.random.rand() + random.random() + torch.rand(1)
        loader = DataLoader(Noisy(), batch_size=8, num_workers=4)
    """,
        )
        == []
    )


def test_another_data_set_of_the_file_is_not_read_by_the_loader(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(Dataset):
            def __init__(self, seed=0):
                self.rng = random.Random(0)
            def __getitem__(self, i):
                return self.rng.random()
        loader = DataLoader(other, num_workers=4)
    """,
        )
        == []
    )


def test_a_class_that_is_no_data_set_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch
        from torch.utils.data import DataLoader, Dataset, IterableDataset

        class Noisy(object):
            def __init__(self, seed=0):
                self.rng = random.Random(0)
            def __getitem__(self, i):
                return self.rng.random()
        loader = DataLoader(Noisy(), batch_size=8, num_workers=4)
    """,
        )
        == []
    )


def test_the_generator_of_another_file_is_shown_beside_the_loader(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    data, run = tmp_path / "noise.py", tmp_path / "run.py"
    data.write_text(
        "import numpy as np\nfrom torch.utils.data import Dataset\nclass Noise(Dataset):\n"
        "    def __init__(self):\n        self.dice = np.random.default_rng(1)\n"
        "    def __getitem__(self, i):\n        return self.dice.normal()\n"
    )
    run.write_text(
        "from torch.utils.data import DataLoader\nfrom noise import Noise\n"
        "loader = DataLoader(Noise(), num_workers=2)\n"
    )
    rule = catalogue.find(RULE)
    assert rule is not None
    model = Project([str(data), str(run)]).adopt(SourceFile.read(str(run)))
    (found,) = rule.diagnose(model, rule.thresholds)
    assert (found.path, found.span.line) == (str(run), 3)
    assert [(one.path, one.span.line) for one in found.related] == [(str(data), 5), (str(data), 7)]
