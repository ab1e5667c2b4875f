"""Where benchmark-with-deterministic speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trainlint.core.fix import apply_fixes

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis

Lines = Callable[..., list[int]]
RULE = "benchmark-with-deterministic"


def test_both_in_a_row_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = True
    """,
    ) == [4]


def test_the_other_order_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.backends.cudnn as cudnn
        def setup():
            cudnn.benchmark = True
            cudnn.deterministic = True
    """,
    ) == [4]


def test_an_import_of_cudnn_is_resolved(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.backends import cudnn
        def main(args):
            if args.seed is not None:
                cudnn.deterministic = True
            cudnn.benchmark = True
    """,
    ) == [6]


def test_deterministic_algorithms_count_too(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = True
    """,
    ) == [4]


def test_a_trainer_of_lightning_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import lightning as L
        trainer = L.Trainer(max_epochs=3, deterministic=True, benchmark=True)
    """,
    ) == [3]


def test_a_method_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        class Trainer:
            def seed(self, seed):
                torch.manual_seed(seed)
                torch.backends.cudnn.benchmark = True
                torch.backends.cudnn.deterministic = True
    """,
    ) == [6]


def test_a_constant_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        FAST = True
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = FAST
    """,
    ) == [5]


def test_the_older_lightning_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from pytorch_lightning import Trainer
        Trainer(benchmark=True, deterministic=True)
    """,
    ) == [3]


def test_one_of_them_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
    """,
        )
        == []
    )


def test_the_benchmark_alone_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        torch.backends.cudnn.benchmark = True
    """,
        )
        == []
    )


def test_two_arms_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.backends import cudnn
        def setup(seed):
            if seed is not None:
                cudnn.deterministic = True
            else:
                cudnn.benchmark = True
    """,
        )
        == []
    )


def test_two_conditions_are_not_known_to_hold_together(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.backends import cudnn
        def setup(args):
            if args.deterministic:
                cudnn.deterministic = True
            if args.fast:
                cudnn.benchmark = True
    """,
        )
        == []
    )


def test_two_functions_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.backends import cudnn
        def reproducible():
            cudnn.deterministic = True
        def fast():
            cudnn.benchmark = True
    """,
        )
        == []
    )


def test_what_is_not_known_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.backends import cudnn
        def setup(args):
            cudnn.deterministic = args.deterministic
            cudnn.benchmark = not args.deterministic
    """,
        )
        == []
    )


def test_what_is_taken_back_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch.backends import cudnn
        def setup(seed):
            cudnn.benchmark = True
            if seed is not None:
                cudnn.deterministic = True
                cudnn.benchmark = False
    """,
        )
        == []
    )


def test_attributes_of_other_objects_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        class Config: ...
        config = Config()
        config.deterministic = True
        config.benchmark = True
    """,
        )
        == []
    )


def test_a_warning_instead_of_an_error_is_no_true(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import lightning as L
        L.Trainer(deterministic="warn", benchmark=True)
    """,
        )
        == []
    )


def test_the_fix_switches_the_benchmark_off(diagnoses: Callable[..., list[Diagnosis]]) -> None:
    text = "from torch.backends import cudnn\ncudnn.deterministic = True\ncudnn.benchmark = True\n"
    (found,) = diagnoses(RULE, text)
    assert found.fix is not None
    mended, _ = apply_fixes(text, [found.fix])
    assert mended.endswith("cudnn.benchmark = False\n")
    assert diagnoses(RULE, mended) == []
