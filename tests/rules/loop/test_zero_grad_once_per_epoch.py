"""Edge cases of zero-grad-once-per-epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def test_clearing_in_the_epoch_loop_and_stepping_in_the_batch_loop_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(10):
            optimizer.zero_grad()
            for x, y in loader:
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == [5]


def test_clearing_after_the_batch_loop_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(10):
            for x, y in loader:
                criterion(model(x), y).backward()
                optimizer.step()
            optimizer.zero_grad()
        """,
    )
    assert found == [8]


def test_clearing_the_model_in_the_epoch_loop_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        opt = torch.optim.Adam(net.parameters())
        for epoch in range(10):
            net.train()
            net.zero_grad()
            for batch in loader:
                net(batch).mean().backward()
                opt.step()
        """,
    )
    assert found == [6]


def test_clearing_once_in_front_of_the_batch_loop_of_a_function_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        def train_epoch(model, loader, optimizer, criterion):
            model.train()
            optimizer.zero_grad()
            for x, y in loader:
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == [5]


def test_a_trainer_that_clears_in_fit_and_steps_in_a_helper_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        class Trainer:
            def fit(self):
                for epoch in range(self.epochs):
                    self.optimizer.zero_grad()
                    for batch in self.loader:
                        self.train_batch(batch)
            def train_batch(self, batch):
                loss = self.criterion(self.model(batch[0]), batch[1])
                loss.backward()
                self.optimizer.step()
        """,
    )
    assert found == [6]


def test_clearing_in_the_batch_loop_too_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(10):
            optimizer.zero_grad()
            for x, y in loader:
                criterion(model(x), y).backward()
                optimizer.step()
                optimizer.zero_grad()
        """,
    )
    assert found == []


def test_clearing_under_the_condition_of_the_step_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        def train(model, loader, optimizer, accumulate):
            optimizer.zero_grad()
            for ni, (x, y) in enumerate(loader):
                criterion(model(x), y).backward()
                if ni - last >= accumulate:
                    optimizer.step()
                    optimizer.zero_grad()
                    last = ni
        """,
    )
    assert found == []


def test_accumulating_in_the_inner_loop_and_stepping_outside_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        def train(model, loader, optimizer):
            for batch in loader:
                optimizer.zero_grad()
                for micro in batch.chunk(4):
                    (model(micro).mean() / 4).backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_clearing_by_hand_in_the_inner_loop_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(10):
            optimizer.zero_grad()
            for x, y in loader:
                for p in model.parameters():
                    p.grad = None
                criterion(model(x), y).backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_the_cleared_optimizer_is_not_the_one_that_steps_inside(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        opt_a = torch.optim.Adam(a.parameters())
        opt_b = torch.optim.Adam(b.parameters())
        for epoch in range(10):
            opt_a.zero_grad()
            for x in loader:
                opt_b.zero_grad()
                b(a(x)).mean().backward()
                opt_b.step()
            opt_a.step()
        """,
    )
    assert found == []


def test_a_helper_that_clears_in_the_inner_loop_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        class Trainer:
            def clear(self):
                self.optimizer.zero_grad()
            def fit(self):
                self.optimizer.zero_grad()
                for x, y in self.loader:
                    loss = self.criterion(self.model(x), y)
                    loss.backward()
                    self.optimizer.step()
                    self.clear()
        """,
    )
    assert found == []


def test_a_closure_in_the_inner_loop_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        optimizer = torch.optim.LBFGS(model.parameters())
        for epoch in range(10):
            optimizer.zero_grad()
            for x, y in loader:
                def closure():
                    optimizer.zero_grad()
                    loss = criterion(model(x), y)
                    loss.backward()
                    return loss
                optimizer.step(closure)
        """,
    )
    assert found == []


def test_no_clearing_at_all_is_left_to_the_rule_about_missing_clearing(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for x, y in loader:
            criterion(model(x), y).backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_distributed_autograd_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "zero-grad-once-per-epoch",
        """
        import torch.distributed.autograd as dist_autograd
        for epoch in range(10):
            opt.zero_grad()
            for x, y in loader:
                with dist_autograd.context() as context_id:
                    dist_autograd.backward(context_id, [criterion(model(x), y)])
                    opt.step(context_id)
        """,
    )
    assert found == []
