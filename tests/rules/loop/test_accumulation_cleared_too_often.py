"""Edge cases of accumulation-cleared-too-often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def test_clearing_each_micro_batch_and_stepping_every_few_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        def train(model, loader, optimizer, criterion, accumulation_steps):
            for i, (x, y) in enumerate(loader):
                optimizer.zero_grad()
                loss = criterion(model(x), y) / accumulation_steps
                loss.backward()
                if (i + 1) % accumulation_steps == 0:
                    optimizer.step()
        """,
    )
    assert found == [5]


def test_a_flag_computed_from_a_modulo_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        optimizer = torch.optim.Adam(model.parameters())
        for i, batch in enumerate(loader):
            is_accumulating = (i + 1) % 8 != 0
            optimizer.zero_grad(set_to_none=True)
            model(batch).mean().backward()
            if not is_accumulating:
                optimizer.step()
        """,
    )
    assert found == [6]


def test_the_last_batch_in_the_condition_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        def train(model, loader):
            opt = torch.optim.SGD(model.parameters(), lr=0.1)
            for step, batch in enumerate(loader):
                model.zero_grad()
                model(batch).mean().backward()
                if step % 4 == 3 or step == len(loader) - 1:
                    opt.step()
                    scheduler.step()
        """,
    )
    assert found == [6]


def test_mixed_precision_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        scaler = torch.amp.GradScaler()
        def train(model, loader, optimizer, args):
            for idx, batch in enumerate(loader):
                optimizer.zero_grad()
                with torch.autocast("cuda"):
                    loss = model(batch).mean() / args.accum
                scaler.scale(loss).backward()
                if (idx + 1) % args.accum == 0:
                    scaler.step(optimizer)
                    scaler.update()
        """,
    )
    assert found == [6]


def test_a_trainer_class_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        class Trainer:
            def run(self):
                for i, batch in enumerate(self.loader):
                    self.optimizer.zero_grad()
                    loss = self.model(batch)
                    loss.backward()
                    if i % self.cfg.grad_accum == 0:
                        self.optimizer.step()
        """,
    )
    assert found == [6]


def test_clearing_with_the_step_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        def train(model, loader, optimizer, k):
            for i, (x, y) in enumerate(loader):
                (criterion(model(x), y) / k).backward()
                if (i + 1) % k == 0:
                    optimizer.step()
                    optimizer.zero_grad()
        """,
    )
    assert found == []


def test_clearing_at_the_start_of_an_accumulation_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        def train(model, loader, optimizer, k):
            for i, (x, y) in enumerate(loader):
                if i % k == 0:
                    optimizer.zero_grad()
                criterion(model(x), y).backward()
                if i % k == k - 1:
                    optimizer.step()
        """,
    )
    assert found == []


def test_a_generator_that_is_trained_every_few_batches_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        optimizer_G = torch.optim.RMSprop(generator.parameters())
        optimizer_D = torch.optim.RMSprop(discriminator.parameters())
        for i, (imgs, _) in enumerate(dataloader):
            optimizer_D.zero_grad()
            loss_D = -torch.mean(discriminator(imgs))
            loss_D.backward()
            optimizer_D.step()
            optimizer_G.zero_grad()
            if i % opt.n_critic == 0:
                loss_G = -torch.mean(discriminator(generator(z)))
                loss_G.backward()
                optimizer_G.step()
        """,
    )
    assert found == []


def test_a_step_that_waits_for_a_finite_loss_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        import math
        def train(model, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                if math.isfinite(loss.item()):
                    optimizer.step()
        """,
    )
    assert found == []


def test_a_flag_that_says_whether_to_train_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        def run(model, loader, optimizer, training):
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                if training:
                    optimizer.step()
        """,
    )
    assert found == []


def test_logging_every_few_batches_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        def train(model, loader, optimizer):
            for i, (x, y) in enumerate(loader):
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                if i % 100 == 0:
                    print(loss.item())
        """,
    )
    assert found == []


def test_several_backward_passes_in_an_inner_loop_are_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        def train(model, loader, optimizer):
            for i, batch in enumerate(loader):
                optimizer.zero_grad()
                for micro in batch:
                    model(micro).mean().backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_stepping_in_either_branch_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        def train(model, loader, optimizer, scaler):
            for i, batch in enumerate(loader):
                optimizer.zero_grad()
                model(batch).mean().backward()
                if i % 2 == 0:
                    optimizer.step()
                else:
                    optimizer.step()
        """,
    )
    assert found == []


def test_accelerate_is_left_alone(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        from accelerate import Accelerator
        accelerator = Accelerator(gradient_accumulation_steps=4)
        def train(model, loader, optimizer):
            for i, batch in enumerate(loader):
                optimizer.zero_grad()
                accelerator.backward(model(batch).mean())
                if (i + 1) % 4 == 0:
                    optimizer.step()
        """,
    )
    assert found == []


def test_a_delayed_policy_update_that_has_its_own_backward_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "accumulation-cleared-too-often",
        """
        import torch
        def learn(self, step):
            self.critic_optimizer.zero_grad()
            critic_loss = self.critic_loss()
            critic_loss.backward()
            self.critic_optimizer.step()
            if step % self.policy_delay == 0:
                self.actor_optimizer.zero_grad()
                self.actor_loss().backward()
                self.actor_optimizer.step()
        """,
    )
    assert found == []


BATCH = """
    import torch
    class Brain:
        def fit_batch(self, batch):
            should_step = self.step % self.grad_accumulation_factor == 0
            if self.warm:
                loss = self.model(batch).mean() / self.grad_accumulation_factor
                loss.backward()
                {first}
                {last}
"""
CLEAR = "self.optimizer.zero_grad()"


@pytest.mark.parametrize(
    "first",
    [
        "if should_step: self.optimizer.step()",
        "if should_step: self.clip(); self.optimizer.step()",
        "if self.step % self.accum == 0: self.optimizer.step()",
    ],
)
def test_a_method_that_is_called_for_every_batch_is_found(
    lines: Callable[..., list[int]], first: str
) -> None:
    assert lines("accumulation-cleared-too-often", BATCH.format(first=first, last=CLEAR)) == [10]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("if should_step: self.optimizer.step(); self.optimizer.zero_grad()", "pass"),
        ("if self.step % 5 == 0: self.optimizer.step()", CLEAR),
        ("if finite(loss): self.optimizer.step()", CLEAR),
        ("if should_step: self.optimizer.step()", "self.other.zero_grad()"),
        ("if not should_step: return", "self.optimizer.step(); self.optimizer.zero_grad()"),
        ("self.optimizer.step() if should_step else self.optimizer.step()", CLEAR),
    ],
)
def test_a_method_that_steps_for_another_reason_or_clears_with_the_step_is_fine(
    lines: Callable[..., list[int]], first: str, last: str
) -> None:
    assert lines("accumulation-cleared-too-often", BATCH.format(first=first, last=last)) == []
