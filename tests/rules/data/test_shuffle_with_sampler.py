"""Where shuffle-with-sampler speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trainlint.core.fix import apply_fixes

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis

Lines = Callable[..., list[int]]
RULE = "shuffle-with-sampler"


def test_a_sampler_in_a_variable_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader, WeightedRandomSampler
        s = WeightedRandomSampler(w, 10)
        loader = DataLoader(ds, shuffle=True, sampler=s)
    """,
    ) == [4]


def test_a_batch_sampler_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import BatchSampler, DataLoader, RandomSampler
        loader = DataLoader(ds, shuffle=True, batch_sampler=BatchSampler(RandomSampler(ds), 8, False))
    """,
    ) == [3]


def test_an_attribute_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        class Data:
            def setup(self):
                self.sampler = torch.utils.data.distributed.DistributedSampler(self.ds)
            def train_dataloader(self):
                return torch.utils.data.DataLoader(self.ds, 8, shuffle=True, sampler=self.sampler)
    """,
    ) == [7]


def test_keywords_from_a_dict_are_read(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader, RandomSampler
        options = dict(shuffle=True, batch_size=4)
        loader = DataLoader(ds, sampler=RandomSampler(ds), **options)
    """,
    ) == [4]


def test_a_sampler_of_either_kind_is_a_sampler(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader, DistributedSampler, RandomSampler
        sampler = DistributedSampler(ds) if distributed else RandomSampler(ds)
        loader = DataLoader(ds, batch_size=4, shuffle=True, sampler=sampler)
    """,
    ) == [4]


def test_the_positions_are_known(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader, RandomSampler
        loader = DataLoader(ds, 8, True, RandomSampler(ds))
    """,
    ) == [3]


def test_a_sampler_alone_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader, RandomSampler
        loader = DataLoader(ds, sampler=RandomSampler(ds))
        other = DataLoader(ds, shuffle=True)
        third = DataLoader(ds, shuffle=False, sampler=RandomSampler(ds))
    """,
        )
        == []
    )


def test_none_is_no_sampler(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        loader = DataLoader(ds, shuffle=True, sampler=None)
    """,
        )
        == []
    )


def test_a_sampler_that_may_be_none_is_not_known(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader, DistributedSampler
        sampler = DistributedSampler(ds) if distributed else None
        loader = DataLoader(ds, shuffle=True, sampler=sampler)
        sampler2 = None
        if distributed:
            sampler2 = DistributedSampler(ds)
        other = DataLoader(ds, shuffle=True, sampler=sampler2)
    """,
        )
        == []
    )


def test_shuffling_without_a_sampler_only_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader, DistributedSampler
        sampler = DistributedSampler(ds)
        loader = DataLoader(ds, shuffle=(sampler is None), sampler=sampler)
    """,
        )
        == []
    )


def test_a_function_may_return_none(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from samplers import make_sampler
        from torch.utils.data import DataLoader
        def sampler_of(ds):
            yield ds
        loader = DataLoader(ds, shuffle=True, sampler=make_sampler(ds))
        other = DataLoader(ds, shuffle=True, sampler=sampler_of(ds))
    """,
        )
        == []
    )


def test_a_class_of_the_file_is_a_sampler(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader, Sampler
        class balanced(Sampler):
            def __iter__(self):
                return iter([1, 2])
        loader = DataLoader(ds, shuffle=True, sampler=balanced(ds))
    """,
    ) == [6]


def test_a_parameter_is_not_known(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        def build(ds, sampler):
            return DataLoader(ds, shuffle=True, sampler=sampler)
    """,
        )
        == []
    )


def test_a_test_that_expects_the_error_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import pytest
        from torch.utils.data import DataLoader, RandomSampler
        def test_both():
            with pytest.raises(ValueError):
                DataLoader(ds, shuffle=True, sampler=RandomSampler(ds))
    """,
        )
        == []
    )


def test_the_fix_drops_shuffle(diagnoses: Callable[..., list[Diagnosis]]) -> None:
    text = (
        "from torch.utils.data import DataLoader, RandomSampler\n"
        "loader = DataLoader(ds, shuffle=True, sampler=RandomSampler(ds))\n"
    )
    (found,) = diagnoses(RULE, text)
    assert found.fix is not None
    assert "DataLoader(ds, sampler=RandomSampler(ds))" in apply_fixes(text, [found.fix])[0]


def test_an_argument_by_position_has_only_a_remedy(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    text = (
        "from torch.utils.data import DataLoader, RandomSampler\n"
        "loader = DataLoader(ds, 8, True, RandomSampler(ds))\n"
    )
    (found,) = diagnoses(RULE, text)
    assert found.fix is None
