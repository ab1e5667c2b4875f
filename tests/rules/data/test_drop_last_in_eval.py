"""Where drop-last-in-eval speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trainlint.core.fix import apply_fixes

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis

Lines = Callable[..., list[int]]
RULE = "drop-last-in-eval"


def test_a_loader_named_for_testing_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader
        test_loader = DataLoader(ds, 64, drop_last=True)
    """,
    ) == [3]


def test_a_data_set_named_for_validation_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        loader = torch.utils.data.DataLoader(
            val_dataset,
            batch_size=32,
            drop_last=True,
        )
    """,
    ) == [6]


def test_a_method_of_a_data_module_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import lightning as L
        from torch.utils.data import DataLoader
        class Data(L.LightningDataModule):
            def val_dataloader(self):
                return DataLoader(self.data, batch_size=8, drop_last=True)
    """,
    ) == [6]


def test_a_key_of_a_dict_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader
        loaders = {
            "train": DataLoader(a, 8, shuffle=True, drop_last=True),
            "val": DataLoader(b, 8, drop_last=True),
        }
    """,
    ) == [5]


def test_an_attribute_of_a_trainer_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils import data
        class Trainer:
            def __init__(self, ds):
                self.valid_loader = data.DataLoader(ds, batch_size=8, num_workers=2, drop_last=True)
    """,
    ) == [5]


def test_a_data_set_made_for_testing_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader
        from torchvision import datasets
        loader = DataLoader(datasets.MNIST(".", train=False), 32, drop_last=True)
        ds = datasets.MNIST(".", train=False)
        other = DataLoader(ds, 32, drop_last=True)
    """,
    ) == [4, 6]


def test_the_argument_by_position_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader
        eval_loader = DataLoader(ds, 8, False, None, None, 0, None, False, True)
    """,
    ) == [3]


def test_a_constant_of_the_module_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader
        DROP = True
        dev_loader = DataLoader(ds, 8, drop_last=DROP)
    """,
    ) == [4]


def test_training_may_drop_the_last(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        train_loader = DataLoader(ds, 8, shuffle=True, drop_last=True)
        loader = DataLoader(train_set, 8, drop_last=True)
    """,
        )
        == []
    )


def test_false_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        test_loader = DataLoader(ds, 8, drop_last=False)
        val_loader = DataLoader(ds, 8)
    """,
        )
        == []
    )


def test_what_depends_on_the_use_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        def val_loader_of(ds, is_train):
            return DataLoader(ds, 8, drop_last=is_train)
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
        loader = DataLoader(ds, 8, drop_last=True)
    """,
        )
        == []
    )


def test_a_loader_for_both_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        trainval_loader = DataLoader(ds, 8, drop_last=True)
        test_loader = DataLoader(train_set, 8, drop_last=True)
    """,
        )
        == []
    )


def test_batches_of_one_example_lose_nothing(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader
        SIZE = 1
        val_loader = DataLoader(ds, drop_last=True)
        val_loader = DataLoader(ds, batch_size=1, drop_last=True)
        val_loader = DataLoader(ds, SIZE, drop_last=True)
        val_loader = DataLoader(ds, size, drop_last=True)
        val_loader = DataLoader(ds, drop_last=True, **options)
        """,
    ) == [7, 8]


def test_a_sampler_may_drop_by_itself(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DistributedSampler
        val_sampler = DistributedSampler(val_set, shuffle=False, drop_last=True)
    """,
        )
        == []
    )


def test_the_fix_keeps_the_last_batch(diagnoses: Callable[..., list[Diagnosis]]) -> None:
    text = "from torch.utils.data import DataLoader\nval_loader = DataLoader(data, 8, drop_last=True)\n"
    (found,) = diagnoses(RULE, text)
    assert found.fix is not None
    assert "DataLoader(data, 8, drop_last=False)" in apply_fixes(text, [found.fix])[0]


def test_a_value_that_is_written_elsewhere_has_only_a_remedy(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    (found,) = diagnoses(
        RULE,
        """
        from torch.utils.data import DataLoader
        options = dict(batch_size=8, drop_last=True)
        val_loader = DataLoader(data, **options)
    """,
    )
    assert found.fix is None
    assert found.span.line == 4


def test_a_default_that_callers_may_change_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.utils.data import DataLoader
        def val_loader_of(ds, drop_last=True):
            return DataLoader(ds, 8, drop_last=drop_last)
    """,
        )
        == []
    )


def test_a_file_of_tests_is_fine(lines: Lines) -> None:
    text = "from torch.utils.data import DataLoader\ntest_loader = DataLoader(data, 8, drop_last=True)\n"
    assert lines(RULE, text) == [2]
    assert lines(RULE, text, path="tests/test_loaders.py") == []


def test_data_sets_that_are_made_in_one_line_keep_their_names(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.utils.data import DataLoader
        def run(paths):
            train_set, val_set = Pairs(paths[0]), Pairs(paths[1])
            first = DataLoader(train_set, 8, shuffle=True, drop_last=True)
            val_loader = DataLoader(val_set, 8, drop_last=True)
    """,
    ) == [6]


def test_a_size_kept_for_evaluation_that_is_not_known_may_be_one(lines: Lines) -> None:
    text = """
        from torch.utils.data import DataLoader
        def loaders(cfg, val_set):
            val_loader = DataLoader(val_set, batch_size=cfg.{}, drop_last=True)
            return val_loader
    """
    assert lines(RULE, text.format("VAL.batch_size")) == []
    assert lines(RULE, text.format("eval_batch_size")) == []
    assert lines(RULE, text.format("batch_size")) == [4]
    assert lines(RULE, text.replace("cfg.{}", "64")) == [4]


def test_batches_that_are_padded_for_the_hardware_are_fine(lines: Lines) -> None:
    text = """
        from torch.utils.data import DataLoader
        def collate(examples):
            return tokenizer.pad(examples, {}=16)
        eval_loader = DataLoader(data, batch_size=16, collate_fn=collate, drop_last=True)
    """
    assert lines(RULE, text.format("pad_to_multiple_of")) == []
    assert lines(RULE, text.format("max_length")) == [5]
