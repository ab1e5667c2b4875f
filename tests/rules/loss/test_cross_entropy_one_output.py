"""Where cross-entropy-one-output speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "cross-entropy-one-output"


def test_a_sequential_with_one_unit_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
        criterion = nn.CrossEntropyLoss()
        for x, y in loader:
            loss = criterion(model(x), y)
    """,
    ) == [6]


def test_a_class_with_one_unit_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(30, 16)
                self.out = nn.Linear(16, 1)
            def forward(self, x):
                return self.out(torch.relu(self.fc1(x)))
        net = Net()
        def f(x, y):
            return F.cross_entropy(net(x), y)
    """,
    ) == [14]


def test_a_bare_head_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        head = nn.Linear(64, 1)
        def f(h, y):
            return nn.CrossEntropyLoss()(head(h), y)
    """,
    ) == [5]


def test_a_named_constant_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        NUM_CLASSES = 1
        model = nn.Sequential(nn.Linear(64, NUM_CLASSES))
        criterion = nn.CrossEntropyLoss()
        def f(x, y):
            logits = model(x)
            return criterion(logits, y.long())
    """,
    ) == [8]


def test_a_dropout_behind_the_head_does_not_hide_it(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        model = nn.Sequential(nn.Linear(64, 1), nn.Dropout(0.1))
        criterion = nn.CrossEntropyLoss()
        def f(x, y):
            return criterion(model(x), y)
    """,
    ) == [6]


def test_two_units_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        model = nn.Sequential(nn.Linear(64, 2))
        criterion = nn.CrossEntropyLoss()
        def f(x, y):
            return criterion(model(x), y)
    """,
        )
        == []
    )


def test_one_unit_with_a_binary_loss_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        model = nn.Sequential(nn.Linear(64, 1))
        criterion = nn.BCEWithLogitsLoss()
        def f(x, y):
            return criterion(model(x), y)
    """,
        )
        == []
    )


def test_scores_of_candidates_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class MultipleChoice(nn.Module):
            def __init__(self):
                super().__init__()
                self.classifier = nn.Linear(768, 1)
                self.loss = nn.CrossEntropyLoss()
            def forward(self, pooled, labels, num_choices):
                logits = self.classifier(pooled)
                reshaped_logits = logits.view(-1, num_choices)
                return self.loss(reshaped_logits, labels)
    """,
        )
        == []
    )


def test_squeezed_scores_over_positions_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        import torch.nn.functional as F
        start = nn.Linear(768, 1)
        def f(hidden, position):
            start_logits = start(hidden).squeeze(-1)
            return F.cross_entropy(start_logits, position)
    """,
        )
        == []
    )


def test_concatenated_scores_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        import torch.nn.functional as F
        score = nn.Linear(64, 1)
        def f(pos, neg, y):
            logits = torch.cat([score(pos), score(neg)], dim=1)
            return F.cross_entropy(logits, y)
    """,
        )
        == []
    )


def test_transposed_scores_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        import torch.nn.functional as F
        score = nn.Linear(64, 1)
        def f(h, y):
            return F.cross_entropy(score(h).transpose(1, 2), y)
    """,
        )
        == []
    )


def test_an_indexed_column_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        import torch.nn.functional as F
        score = nn.Linear(64, 1)
        def f(h, y):
            return F.cross_entropy(score(h)[..., 0], y)
    """,
        )
        == []
    )


def test_a_default_of_one_that_is_overridden_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self, num_classes=1):
                super().__init__()
                self.fc = nn.Linear(64, num_classes)
            def forward(self, x):
                return self.fc(x)
        net = Net(num_classes=10)
        criterion = nn.CrossEntropyLoss()
        def f(x, y):
            return criterion(net(x), y)
    """,
        )
        == []
    )


def test_the_one_output_of_another_head_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        import torch.nn.functional as F
        class ActorCritic(nn.Module):
            def __init__(self):
                super().__init__()
                self.actor = nn.Linear(64, 4)
                self.critic = nn.Linear(64, 1)
            def forward(self, x):
                return self.actor(x), self.critic(x)
        net = ActorCritic()
        def f(x, action, ret):
            logits, value = net(x)
            return F.cross_entropy(logits, action) + F.mse_loss(value, ret)
    """,
        )
        == []
    )


def test_an_unknown_number_of_outputs_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(n):
            return nn.Linear(64, n)
        def f(cfg, x, y):
            return nn.CrossEntropyLoss()(build(cfg.classes)(x), y)
    """,
        )
        == []
    )


def test_a_replaced_head_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(64, 1)
            def forward(self, x):
                return self.fc(x)
        net = Net()
        net.fc = nn.Linear(64, 10)
        criterion = nn.CrossEntropyLoss()
        def f(x, y):
            return criterion(net(x), y)
    """,
        )
        == []
    )


def test_the_rows_of_several_positions_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        class Spans(nn.Module):
            def __init__(self):
                super().__init__()
                self.inside, self.length = nn.Linear(64, 1), nn.Linear(64, 9)
            def forward(self, words):
                return self.inside(words), self.length(words)
        class Objective(nn.Module):
            def __init__(self):
                super().__init__()
                self.classes = nn.CrossEntropyLoss()
            def forward(self, first, second, tags, lengths):
                first = self.classes(first.flatten(0, 1), tags.flatten())
                return first + self.classes(second.flatten(0, 1), lengths.flatten())
        net, objective = Spans(), Objective()
        def f(words, tags, lengths):
            first, second = net(words)
            return objective(first, second, tags, lengths)
    """,
    ) == [14]


def test_candidates_that_are_flattened_into_classes_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        import torch.nn.functional as F
        score, maps = nn.Linear(64, 1), nn.Conv2d(3, 1, 1)
        def f(candidates, pairs, images, y):
            a = F.cross_entropy(score(candidates).flatten(1), y)
            b = F.cross_entropy(score(pairs).flatten(0, 1), y)
            c = F.cross_entropy(maps(images).flatten(0, 1), y.flatten())
            return a + b + c
    """,
        )
        == []
    )
