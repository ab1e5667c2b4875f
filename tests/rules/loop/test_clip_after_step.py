"""Edge cases of clip-after-step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def test_clipping_after_the_step_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-after-step",
        """
        import torch
        optimizer = torch.optim.Adam(model.parameters())
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        """,
    )
    assert found == [9]


def test_clipping_between_step_and_clearing_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-after-step",
        """
        from torch.nn.utils import clip_grad_norm_
        def train(model, loader, optimizer):
            for x, y in loader:
                criterion(model(x), y).backward()
                optimizer.step()
                clip_grad_norm_(model.parameters(), 0.25)
                optimizer.zero_grad()
        """,
    )
    assert found == [7]


def test_clipping_by_value_in_a_method_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-after-step",
        """
        from torch import nn
        class Agent:
            def learn(self, loss):
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                nn.utils.clip_grad_value_(self.policy.parameters(), 100)
        """,
    )
    assert found == [8]


def test_clipping_after_the_step_of_a_scaler_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-after-step",
        """
        import torch
        scaler = torch.amp.GradScaler()
        def step(model, loss, optimizer):
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.update()
        """,
    )
    assert found == [8]


def test_clipping_before_the_step_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-after-step",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
        """,
    )
    assert found == []


def test_the_second_of_two_steps_may_follow_a_clipping(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-after-step",
        """
        import torch
        def learn(model, optimizer, loss_a, loss_b):
            optimizer.zero_grad()
            loss_a.backward()
            optimizer.step()
            optimizer.zero_grad()
            loss_b.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        """,
    )
    assert found == []


def test_two_optimizers_with_their_own_clippings_are_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-after-step",
        """
        import torch
        actor_optimizer = torch.optim.Adam(actor.parameters())
        critic_optimizer = torch.optim.Adam(critic.parameters())
        for batch in loader:
            actor_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            loss(batch).backward()
            torch.nn.utils.clip_grad_norm_(actor.parameters(), 1.0)
            actor_optimizer.step()
            torch.nn.utils.clip_grad_norm_(critic.parameters(), 1.0)
            critic_optimizer.step()
        """,
    )
    assert found == []


def test_clamping_the_weights_after_the_step_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-after-step",
        """
        import torch
        def train(discriminator, loader, optimizer):
            for x in loader:
                optimizer.zero_grad()
                (-discriminator(x).mean()).backward()
                optimizer.step()
                for p in discriminator.parameters():
                    p.data.clamp_(-0.01, 0.01)
        """,
    )
    assert found == []


def test_measuring_the_norm_for_the_log_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-after-step",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
                norm = torch.nn.utils.clip_grad_norm_(model.parameters(), float("inf"))
        """,
    )
    assert found == []


def test_a_clipping_that_belongs_to_the_next_iteration_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "clip-after-step",
        """
        import torch
        def train(model, loader, optimizer):
            for i, (x, y) in enumerate(loader):
                if i > 0:
                    optimizer.step()
                    optimizer.zero_grad()
                criterion(model(x), y).backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        """,
    )
    assert found == []


def test_different_branches_are_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-after-step",
        """
        import torch
        def step(model, optimizer, loss, clip):
            loss.backward()
            if clip is None:
                optimizer.step()
            else:
                torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
                optimizer.step()
        """,
    )
    assert found == []


def test_an_early_continue_after_the_step_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-after-step",
        """
        import torch
        def train(model, optimizer, loader, warmup):
            for i, batch in enumerate(loader):
                optimizer.zero_grad()
                model(batch).mean().backward()
                if i < warmup:
                    optimizer.step()
                    continue
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
        """,
    )
    assert found == []
