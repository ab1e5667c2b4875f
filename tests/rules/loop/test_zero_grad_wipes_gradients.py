"""Edge cases of zero-grad-wipes-gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def test_clearing_between_backward_and_step_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for x, y in loader:
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.zero_grad()
            optimizer.step()
        """,
    )
    assert found == [7]


def test_clearing_the_model_that_the_optimizer_holds_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        optimizer = torch.optim.Adam(net.parameters())
        for x, y in loader:
            criterion(net(x), y).backward()
            net.zero_grad()
            optimizer.step()
        """,
    )
    assert found == [6]


def test_clipping_and_logging_in_between_do_not_hide_it(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        def train(model, loader, opt):
            for x, y in loader:
                loss = model(x, y)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                print(loss.item())
                opt.zero_grad(set_to_none=True)
                opt.step()
        """,
    )
    assert found == [9]


def test_a_method_without_a_loop_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        class Agent:
            def learn(self, batch):
                loss = self.loss(batch)
                loss.backward()
                self.optimizer.zero_grad()
                self.optimizer.step()
        """,
    )
    assert found == [7]


def test_mixed_precision_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        scaler = torch.cuda.amp.GradScaler()
        def step(model, optimizer, x, y):
            loss = criterion(model(x), y)
            scaler.scale(loss).backward()
            optimizer.zero_grad()
            scaler.step(optimizer)
            scaler.update()
        """,
    )
    assert found == [7]


def test_the_usual_order_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_clearing_after_the_step_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                criterion(model(x), y).backward()
                optimizer.step()
                optimizer.zero_grad()
        """,
    )
    assert found == []


def test_clearing_the_other_network_of_a_gan_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        optimizer_G = torch.optim.Adam(generator.parameters())
        optimizer_D = torch.optim.Adam(discriminator.parameters())
        for imgs, _ in dataloader:
            g_loss = bce(discriminator(generator(z)), valid)
            g_loss.backward()
            optimizer_D.zero_grad()
            optimizer_G.step()
            d_loss = bce(discriminator(imgs), valid)
            d_loss.backward()
            optimizer_D.step()
        """,
    )
    assert found == []


def test_two_steps_of_sam_are_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        for x, y in loader:
            criterion(model(x), y).backward()
            optimizer.first_step(zero_grad=True)
            criterion(model(x), y).backward()
            optimizer.second_step(zero_grad=True)
        """,
    )
    assert found == []


def test_a_second_backward_after_the_clearing_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                x.requires_grad_(True)
                criterion(model(x), y).backward()
                perturbed = (x + 0.1 * x.grad.sign()).detach()
                optimizer.zero_grad()
                criterion(model(perturbed), y).backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_a_branch_that_skips_a_bad_batch_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                loss = criterion(model(x), y)
                loss.backward()
                if not torch.isfinite(loss):
                    optimizer.zero_grad()
                    continue
                optimizer.step()
                optimizer.zero_grad()
        """,
    )
    assert found == []


def test_a_conditional_clearing_of_a_bad_batch_is_not_judged(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                loss = criterion(model(x), y)
                loss.backward()
                if norm(model) > 100:
                    optimizer.zero_grad()
                optimizer.step()
        """,
    )
    assert found == []


def test_gradients_that_were_copied_before_the_clearing_are_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                criterion(model(x), y).backward()
                grads = [p.grad.clone() for p in model.parameters()]
                optimizer.zero_grad()
                for p, g in zip(model.parameters(), grads):
                    p.grad = g
                optimizer.step()
        """,
    )
    assert found == []


def test_another_branch_that_clears_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        def step(model, optimizer, x, y, train):
            if train:
                criterion(model(x), y).backward()
            else:
                optimizer.zero_grad()
            optimizer.step()
        """,
    )
    assert found == []


def test_clearing_the_input_or_a_frozen_network_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        optimizer = torch.optim.Adam(student.parameters())
        for x, y in loader:
            distill(student(x), teacher(x)).backward()
            teacher.zero_grad()
            optimizer.step()
        """,
    )
    assert found == []


def test_an_unknown_model_is_not_taken_for_the_optimizer_s(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        def train(model, critic, optimizer, loader):
            for x in loader:
                critic(model(x)).mean().backward()
                critic.zero_grad()
                optimizer.step()
        """,
    )
    assert found == []


def test_the_inner_loop_of_another_optimizer_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-wipes-gradients",
        """
        import torch
        outer = torch.optim.Adam(meta.parameters())
        for task in tasks:
            inner = torch.optim.SGD(fast.parameters(), lr=0.01)
            loss(meta, task).backward()
            inner.zero_grad()
            loss(fast, task).backward()
            inner.step()
            outer.step()
            outer.zero_grad()
        """,
    )
    assert found == []
