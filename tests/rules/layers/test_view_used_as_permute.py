"""Where view-used-as-permute speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "view-used-as-permute"


def test_sizes_in_another_order_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def f(x):
            b, c, h, w = x.shape
            return x.view(b, h, w, c)
    """,
    ) == [5]


def test_a_method_of_a_module_with_size_and_a_tuple_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def forward(self, x):
                (n, t, d) = x.size()
                x = x.reshape((t, n, d))
                return x
    """,
    ) == [6]


def test_sizes_asked_for_one_by_one_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def f(x):
            a = x.view(x.size(0), x.size(2), x.size(1))
            rows, columns = x.shape[0], x.shape[1]
            return a, x.view(columns, rows)
    """,
    ) == [4, 6]


def test_merged_dimensions_that_change_places_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def tokens(x):
            b, c, h, w = x.shape
            return x.view(b, h * w, c), x.view(b, -1, c), x.reshape(h * w, b * c)
    """,
    ) == [5, 5, 5]


def test_a_copy_in_between_changes_nothing(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def f(x):
            b, t, d = x.shape
            return x.contiguous().view(t, b, d), x.contiguous().view(b * t, d)
    """,
    ) == [5]


def test_neighbours_may_be_merged_in_any_order(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def gram(y):
            (b, ch, h, w) = y.size()
            features = y.view(b, ch, w * h)
            return features.bmm(features.transpose(1, 2)), y.view(-1, h * w * ch)
    """,
        )
        == []
    )


def test_the_same_order_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(x):
            b, t, h, w = x.shape
            x = x.view(b * t, h, w)
            return x
        def g(x):
            b, c, d = x.shape
            return x.view(b, c, -1), x.view(-1, d), x.reshape(b, c, d), x.view(b, c * d)
    """,
        )
        == []
    )


def test_a_split_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def heads(x, n):
            b, t, d = x.shape
            return x.view(b, t, n, d // n).transpose(1, 2)
    """,
        )
        == []
    )


def test_a_tensor_that_was_permuted_before_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(x):
            b, c, h, w = x.shape
            x = x.permute(0, 2, 3, 1)
            return x.reshape(b, h, w, c), x.transpose(1, 2).reshape(b, w, h, c)
    """,
        )
        == []
    )


def test_sizes_of_another_tensor_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(x, y):
            b, c, h, w = y.shape
            return x.view(b, h, w, c)
    """,
        )
        == []
    )


def test_sizes_that_changed_since_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(x, flip):
            b, c, h, w = x.shape
            if flip:
                h, w = w, h
            return x.view(b, c, w, h)
    """,
        )
        == []
    )


def test_a_tensor_that_an_if_replaces_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(x, flip):
            b, c, h, w = x.shape
            if flip:
                x = x.transpose(2, 3)
            return x.reshape(b, c, w, h)
    """,
        )
        == []
    )


def test_sizes_of_other_names_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(x, heads):
            b, c, n = x.shape
            return x.view(b, heads, n), x.view(n, c), x.view(b, n, c, 1, heads)
    """,
        )
        == []
    )


def test_a_rest_of_unknown_rank_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(x):
            return x.view(x.size(1), -1), x.view(x.size(1), x.size(0), -1)
    """,
        )
        == []
    )


def test_the_fix_permutes(diagnoses: Callable[..., list]) -> None:
    found = diagnoses(
        RULE,
        """
        import torch
        def f(x):
            b, c, h, w = x.shape
            return x.view(b, h, w, c), x.view(b, w * h, c)
        """,
    )
    assert [one.fix.edits[0].replacement for one in found] == [
        "x.permute(0, 2, 3, 1)",
        "x.permute(0, 3, 2, 1).reshape(b, w * h, c)",
    ]
