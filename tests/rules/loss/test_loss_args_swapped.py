"""Where loss-args-swapped speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "loss-args-swapped"


def test_labels_of_a_loop_before_outputs_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        criterion = nn.CrossEntropyLoss()
        def train(model, loader):
            for images, labels in loader:
                outputs = model(images)
                loss = criterion(labels, outputs)
                loss.backward()
    """,
    ) == [7]


def test_labels_that_were_moved_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        def train(model, loader, device):
            bce = nn.BCEWithLogitsLoss()
            for i, (x, y_true) in enumerate(loader):
                x, y_true = x.to(device), y_true.to(device).float()
                y_pred = model(x)
                bce(y_true, y_pred.squeeze(1)).backward()
    """,
    ) == [8]


def test_a_trainer_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Trainer:
            def __init__(self, model):
                self.model, self.loss_fn = model, nn.BCELoss()
            def step(self, batch):
                inputs, targets = batch
                logits = self.model(inputs)
                return self.loss_fn(targets, logits)
    """,
    ) == [9]


def test_parameters_of_a_function_are_found_by_name(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def loss(target, output):
            return F.nll_loss(target, output)
    """,
    ) == [4]


def test_a_layer_of_the_file_is_enough_for_the_second(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        from torch import nn
        net = nn.Linear(8, 3)
        def f(x, labels):
            return F.cross_entropy(labels, net(x))
    """,
    ) == [6]


def test_the_second_of_a_batch_before_the_output_of_a_model_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        def train(dataloader, model, loss_fn=nn.CrossEntropyLoss()):
            for i, (X, y) in enumerate(dataloader):
                pred = model(X)
                loss_fn(y, pred).backward()
                loss_fn(y.long(), model(X)).backward()
        def step(model, batch):
            x, y = batch
            y = y.cuda()
            return nn.BCEWithLogitsLoss()(y, model(x))
    """,
    ) == [6, 7, 11]


def test_another_y_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, teacher, x, y, t, loader):
            a = F.cross_entropy(y, net(x))
            y = net(x)
            b = F.cross_entropy(y, t)
            for y, _ in loader:
                b = F.binary_cross_entropy(y, net(y))
            for x, y in loader:
                b = F.cross_entropy(y, t)
            return a + b
    """,
        )
        == []
    )


def test_the_right_order_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(model, x, labels):
            outputs = model(x)
            return F.cross_entropy(outputs, labels), F.cross_entropy(target=labels, input=outputs)
    """,
        )
        == []
    )


def test_losses_that_are_the_same_both_ways_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(model, x, target):
            pred = model(x)
            return F.mse_loss(target, pred), F.l1_loss(target, pred), F.smooth_l1_loss(target, pred)
    """,
        )
        == []
    )


def test_a_target_that_a_network_computes_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(student, teacher, x):
            labels = teacher(x)
            outputs = student(x)
            return F.cross_entropy(labels, outputs)
    """,
        )
        == []
    )


def test_names_that_say_nothing_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(model, x, y, t):
            p = model(x)
            return F.cross_entropy(y, t), F.cross_entropy(t, p)
    """,
        )
        == []
    )


def test_a_predicted_label_is_an_output(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(model, x, labels, pred_label, label_logits, gt_labels):
            outputs = model(x)
            return F.cross_entropy(pred_label, gt_labels), F.cross_entropy(label_logits, outputs)
    """,
        )
        == []
    )


def test_two_targets_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(labels, soft_targets):
            return F.binary_cross_entropy(labels, soft_targets)
    """,
        )
        == []
    )


def test_a_loss_of_another_package_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from mylib import cross_entropy
        def f(model, x, labels):
            outputs = model(x)
            return cross_entropy(labels, outputs)
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
        import torch.nn.functional as F
        def test_it(labels, logits):
            with pytest.raises(RuntimeError):
                F.cross_entropy(labels, logits)
    """,
        )
        == []
    )


def test_the_fix_changes_their_places(diagnoses: Callable[..., list]) -> None:
    [one] = diagnoses(
        RULE,
        """
        import torch.nn.functional as F
        def loss(target, output):
            return F.nll_loss(target, output)
        """,
    )
    assert [edit.replacement for edit in one.fix.edits] == ["output", "target"]


def test_an_abbreviated_target_counts(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        criterion, decoder = nn.CrossEntropyLoss(), nn.Linear(64, 900)
        def f(loader):
            for src, tgt in loader:
                scores = decoder(src)
                yield criterion(tgt.reshape(-1), scores.flatten(0, 1))
                yield criterion(scores.flatten(0, 1), tgt.reshape(-1))
                yield criterion(decoder(tgt), scores)
    """,
    ) == [7]
