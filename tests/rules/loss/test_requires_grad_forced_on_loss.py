"""Where requires-grad-forced-on-loss speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "requires-grad-forced-on-loss"


def test_the_method_on_a_loss_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        criterion = nn.CrossEntropyLoss()
        for x, y in loader:
            loss = criterion(model(x), y)
            loss.requires_grad_(True)
            loss.backward()
    """,
    ) == [6]


def test_the_attribute_on_a_loss_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(net, x, y):
            loss = F.mse_loss(net(x), y)
            loss.requires_grad = True
            loss.backward()
    """,
    ) == [5]


def test_the_method_without_arguments_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(net, x, y):
            loss = F.mse_loss(net(x), y).requires_grad_()
            loss.backward()
    """,
    ) == [4]


def test_a_chained_backward_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(net, x, y):
            loss = F.mse_loss(net(x), y)
            loss.requires_grad_().backward()
    """,
    ) == [5]


def test_a_loss_by_name_that_is_propagated_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        def f(compute, batch, opt):
            total_loss = compute(batch)
            total_loss.requires_grad = True
            opt.zero_grad()
            total_loss.backward()
            opt.step()
    """,
    ) == [4]


def test_a_loss_attribute_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Trainer:
            def __init__(self):
                self.criterion = nn.MSELoss()
            def step(self, x, y):
                self.loss = self.criterion(x, y)
                self.loss.requires_grad_(True)
                self.loss.backward()
    """,
    ) == [8]


def test_a_lightning_step_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import lightning.pytorch as pl
        import torch.nn.functional as F
        class Model(pl.LightningModule):
            def training_step(self, batch, batch_idx):
                x, y = batch
                loss = F.cross_entropy(self(x), y)
                loss.requires_grad = True
                return loss
    """,
    ) == [8]


def test_inputs_of_an_attack_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def fgsm(net, x, y):
            x.requires_grad = True
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            return x + 0.1 * x.grad.sign()
    """,
        )
        == []
    )


def test_interpolates_of_a_gradient_penalty_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        def penalty(alpha, real, fake):
            interpolates = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
            return interpolates
    """,
        )
        == []
    )


def test_thawed_parameters_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        def thaw(model):
            for p in model.parameters():
                p.requires_grad = True
            model.requires_grad_(True)
    """,
        )
        == []
    )


def test_a_learned_temperature_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        log_alpha = torch.zeros(1).requires_grad_()
        optimizer = torch.optim.Adam([log_alpha], lr=3e-4)
    """,
        )
        == []
    )


def test_learned_weights_of_losses_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(losses, opt):
            loss_weights = torch.ones(3)
            loss_weights.requires_grad_(True)
            loss = (loss_weights * losses).sum()
            loss.backward()
    """,
        )
        == []
    )


def test_a_freeze_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, y):
            loss = F.mse_loss(net(x), y)
            loss.requires_grad_(False)
            return loss
    """,
        )
        == []
    )


def test_parameters_of_a_loss_module_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        def f(perceptual_loss, net, x, y):
            perceptual_loss.requires_grad_(False)
            loss_fn = nn.MSELoss()
            loss_fn.requires_grad_(True)
            loss = perceptual_loss(net(x), y)
            loss.backward()
    """,
        )
        == []
    )


def test_asking_whether_a_gradient_is_required_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, y):
            loss = F.mse_loss(net(x), y)
            if loss.requires_grad is True:
                loss.backward()
    """,
        )
        == []
    )


def test_a_start_value_that_requires_a_gradient_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(terms):
            loss = torch.zeros(1).requires_grad_()
            for term in terms:
                loss = loss + term
            loss.backward()
    """,
        )
        == []
    )
