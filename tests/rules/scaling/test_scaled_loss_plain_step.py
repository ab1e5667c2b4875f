"""Edge cases of scaled-loss-plain-step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_plain_step_after_a_scaled_loss_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        import torch
        scaler = torch.cuda.amp.GradScaler()
        for x, y in loader:
            optimizer.zero_grad()
            with torch.cuda.amp.autocast():
                loss = criterion(model(x), y)
            scaler.scale(loss).backward()
            optimizer.step()
            scaler.update()
        """,
    )
    assert found == [9]


def test_a_trainer_class_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        from torch.cuda.amp import GradScaler
        class Trainer:
            def __init__(self):
                self.scaler = GradScaler()
            def train_step(self, batch):
                self.optimizer.zero_grad()
                loss = self.model(batch)
                self.scaler.scale(loss).backward()
                self.optimizer.step()
        """,
    )
    assert found == [10]


def test_a_scaler_as_a_parameter_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        import torch
        def train(model, loader, optimizer, scaler):
            for x, y in loader:
                optimizer.zero_grad()
                scaler.scale(criterion(model(x), y)).backward()
                optimizer.step()
                scaler.update()
        """,
    )
    assert found == [7]


def test_a_scaled_loss_with_a_name_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        import torch
        grad_scaler = torch.amp.GradScaler("cuda")
        opt = torch.optim.AdamW(net.parameters())
        for batch in loader:
            scaled_loss = grad_scaler.scale(net(batch).mean())
            scaled_loss.backward()
            opt.step()
            opt.zero_grad()
        """,
    )
    assert found == [8]


def test_stepping_through_the_scaler_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        import torch
        scaler = torch.amp.GradScaler()
        for x, y in loader:
            optimizer.zero_grad()
            scaler.scale(criterion(model(x), y)).backward()
            scaler.step(optimizer)
            scaler.update()
        """,
    )
    assert found == []


def test_the_other_branch_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        import torch
        scaler = torch.amp.GradScaler()
        def step(loss, optimizer, amp):
            if amp:
                scaler.scale(loss).backward()
                scaler.step(optimizer)
                scaler.update()
            else:
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_the_same_condition_asked_twice_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        import torch
        scaler = torch.amp.GradScaler()
        def step(loss, optimizer, amp):
            if amp:
                scaler.scale(loss).backward()
            else:
                loss.backward()
            if amp:
                scaler.step(optimizer)
                scaler.update()
            else:
                optimizer.step()
        """,
    )
    assert found == []


def test_a_missing_scaler_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        import torch
        def step(loss, optimizer, scaler=None):
            if scaler:
                scaler.scale(loss).backward()
                scaler.step(optimizer)
                scaler.update()
            if not scaler:
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_unscaling_by_hand_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        import torch
        scaler = torch.amp.GradScaler()
        def step(loss, optimizer):
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            optimizer.step()
            scaler.update()
        """,
    )
    assert found == []


def test_another_optimizer_with_a_plain_loss_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        import torch
        scaler = torch.amp.GradScaler()
        def step(loss_a, loss_b, opt_a, opt_b):
            opt_a.zero_grad()
            scaler.scale(loss_a).backward()
            scaler.step(opt_a)
            opt_b.zero_grad()
            loss_b.backward()
            opt_b.step()
            scaler.update()
        """,
    )
    assert found == []


def test_a_scheduler_step_is_no_optimizer_step(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        import torch
        scaler = torch.amp.GradScaler()
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
        def step(loss):
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            scheduler.step()
        """,
    )
    assert found == []


def test_a_data_scaler_is_no_gradient_scaler(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        import torch
        from sklearn.preprocessing import StandardScaler
        scaler = StandardScaler()
        def step(loss, optimizer):
            scaler.scale(loss).backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_a_scaler_that_is_off_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "scaled-loss-plain-step",
        """
        import torch
        scaler = torch.amp.GradScaler(enabled=False)
        def step(loss, optimizer):
            scaler.scale(loss).backward()
            optimizer.step()
        """,
    )
    assert found == []
