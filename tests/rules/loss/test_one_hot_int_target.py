"""Where one-hot-int-target speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

from trainlint.core.fix import apply_fixes

Lines = Callable[..., list[int]]
RULE = "one-hot-int-target"


def test_a_one_hot_target_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(z, y):
            return F.cross_entropy(z, F.one_hot(y, 10))
    """,
    ) == [4]


def test_a_variable_and_a_change_of_shape_are_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        from torch.nn.functional import one_hot
        criterion = nn.CrossEntropyLoss()
        def f(z, y, device):
            target = one_hot(y, num_classes=5)
            target = target.permute(0, 3, 1, 2).to(device)
            return criterion(z, target)
    """,
    ) == [9]


def test_a_trainer_with_a_module_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Trainer:
            def __init__(self):
                self.bce = nn.BCEWithLogitsLoss()
            def loss(self, z, y):
                return self.bce(z, nn.functional.one_hot(y, 3))
    """,
    ) == [8]


def test_labels_cast_to_long_are_found_in_a_binary_loss(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(z, y):
            return F.binary_cross_entropy_with_logits(z, y.long()), F.binary_cross_entropy(z.sigmoid(), y.to(F.torch.long))
    """,
    ) == [4]


def test_a_multi_hot_of_whole_numbers_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        def f(z, y):
            target = torch.zeros(8, 10, dtype=torch.long).scatter_(1, y, 1)
            return F.binary_cross_entropy_with_logits(z, target)
    """,
    ) == [6]


def test_floating_point_numbers_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(z, y):
            a = F.cross_entropy(z, F.one_hot(y, 10).float())
            b = F.cross_entropy(z, F.one_hot(y, 10).to(z.dtype))
            c = F.cross_entropy(z, F.one_hot(y, 10).type_as(z))
            return a + b + c + F.binary_cross_entropy_with_logits(z, torch.ones(8, 10))
    """,
        )
        == []
    )


def test_class_indices_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(z, y):
            return F.cross_entropy(z, y.long()), F.nll_loss(z, torch.argmax(F.one_hot(y, 10), 1))
    """,
        )
        == []
    )


def test_a_cast_to_something_unknown_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(z, y, kind, like):
            return F.cross_entropy(z, F.one_hot(y, 10).to(kind)), F.cross_entropy(z, F.one_hot(y, 10).to(like))
    """,
        )
        == []
    )


def test_arithmetic_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(z, y):
            smooth = F.one_hot(y, 10) * 0.9 + 0.01
            return F.cross_entropy(z, smooth)
    """,
        )
        == []
    )


def test_a_target_that_is_cast_under_a_condition_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(z, y, soft):
            target = F.one_hot(y, 10)
            if soft:
                target = target.float()
            return F.cross_entropy(z, target)
    """,
        )
        == []
    )


def test_whole_numbers_that_were_cast_to_another_type_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(z):
            return F.binary_cross_entropy_with_logits(z, torch.randint(0, 2, (8, 1)).float()), F.binary_cross_entropy_with_logits(z, torch.randint(0, 2, (8, 1), dtype=torch.float32))
    """,
        )
        == []
    )


def test_an_unknown_target_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from mylib import one_hot
        def f(z, y):
            return F.cross_entropy(z, y), F.cross_entropy(z, one_hot(y, 3))
    """,
        )
        == []
    )


VARIABLE = """
import torch.nn.functional as F
def f(z, y):
    target = F.one_hot(y, 10)
    return F.cross_entropy(z, target)
"""


def test_a_variable_that_only_the_loss_reads_gets_the_class_indices(
    diagnoses: Callable[..., list],
) -> None:
    [one] = diagnoses(RULE, VARIABLE)
    assert [place.span.line for place in one.related] == [4]
    assert apply_fixes(VARIABLE, [one.fix]) == (VARIABLE.replace("F.one_hot(y, 10)", "y"), [])


def test_a_variable_that_others_read_too_is_left_alone(diagnoses: Callable[..., list]) -> None:
    source = VARIABLE.replace("z, target)", "z, target), target.sum()")
    [one] = diagnoses(RULE, source)
    assert one.fix is None
