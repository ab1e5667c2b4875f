"""Edge cases of clip-without-unscale."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def test_clipping_scaled_gradients_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        scaler = torch.cuda.amp.GradScaler()
        for x, y in loader:
            optimizer.zero_grad()
            with torch.cuda.amp.autocast():
                loss = criterion(model(x), y)
            scaler.scale(loss).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
        """,
    )
    assert found == [9]


def test_a_trainer_whose_batch_method_has_two_branches_is_found_in_the_scaled_one_only(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        class Trainer:
            def __init__(self, config):
                if config.use_amp:
                    self.scaler = torch.amp.GradScaler("cuda")
            def _run_batch(self, source, targets):
                self.optimizer.zero_grad(set_to_none=True)
                _, loss = self.model(source, targets)
                if self.config.use_amp:
                    self.scaler.scale(loss).backward()
                    torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
                    self.scaler.step(self.optimizer)
                    self.scaler.update()
                else:
                    loss.backward()
                    torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
                    self.optimizer.step()
        """,
    )
    assert found == [12]


def test_clipping_by_value_with_an_alias_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-without-unscale",
        """
        from torch.cuda.amp import GradScaler
        from torch.nn.utils import clip_grad_value_ as clip
        grad_scaler = GradScaler()
        def step(model, loss, opt):
            grad_scaler.scale(loss).backward()
            clip(model.parameters(), 0.5)
            grad_scaler.step(opt)
            grad_scaler.update()
        """,
    )
    assert found == [7]


def test_a_scaled_loss_with_a_name_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        scaler = torch.amp.GradScaler()
        def step(model, loss, opt):
            scaled = scaler.scale(loss)
            scaled.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            scaler.step(opt)
            scaler.update()
        """,
    )
    assert found == [7]


def test_unscaling_after_the_clipping_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        scaler = torch.amp.GradScaler()
        def step(model, loss, opt):
            scaler.scale(loss).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.unscale_(opt)
            scaler.step(opt)
            scaler.update()
        """,
    )
    assert found == [6]


def test_clipping_under_a_condition_of_the_accumulation_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        def train(model, loader, optimizer, scaler, args):
            for i, batch in enumerate(loader):
                loss = model(batch)
                scaler.scale(loss).backward()
                if (i + 1) % args.accum == 0:
                    if args.clip > 0:
                        torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
                    scaler.step(optimizer)
                    scaler.update()
                    optimizer.zero_grad()
        """,
    )
    assert found == [9]


def test_unscaling_before_clipping_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        scaler = torch.amp.GradScaler()
        def step(model, loss, optimizer):
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
        """,
    )
    assert found == []


def test_unscaling_under_the_condition_of_the_clipping_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        scaler = torch.cuda.amp.GradScaler(enabled=(dtype == "float16"))
        while True:
            for micro_step in range(gradient_accumulation_steps):
                with ctx:
                    logits, loss = model(X, Y)
                scaler.scale(loss).backward()
            if grad_clip != 0.0:
                scaler.unscale_(optimizer)
                torch.nn.utils.clip_grad_norm_(model.parameters(), grad_clip)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad(set_to_none=True)
        """,
    )
    assert found == []


def test_clipping_without_a_scaler_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        def step(model, loss, optimizer):
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        """,
    )
    assert found == []


def test_a_scaler_of_data_is_no_gradient_scaler(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        from sklearn.preprocessing import StandardScaler
        scaler = StandardScaler()
        def step(model, x, y, optimizer):
            x = scaler.fit_transform(x)
            loss = criterion(model(x), y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        """,
    )
    assert found == []


def test_accelerate_and_fabric_unscale_by_themselves(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        from accelerate import Accelerator
        accelerator = Accelerator(mixed_precision="fp16")
        for batch in loader:
            accelerator.backward(model(batch).loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        """,
    )
    assert found == []


def test_a_scaler_that_is_off_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        scaler = torch.amp.GradScaler(enabled=False)
        def step(model, loss, optimizer):
            scaler.scale(loss).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
        """,
    )
    assert found == []


def test_a_threshold_that_is_scaled_too_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        scaler = torch.amp.GradScaler()
        def step(model, loss, optimizer):
            scaler.scale(loss).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0 * scaler.get_scale())
            scaler.step(optimizer)
            scaler.update()
        """,
    )
    assert found == []


def test_a_helper_that_unscales_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        class Trainer:
            def __init__(self):
                self.scaler = torch.amp.GradScaler()
            def clip(self):
                self.scaler.unscale_(self.optimizer)
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            def step(self, loss):
                self.scaler.scale(loss).backward()
                self.clip()
                self.scaler.step(self.optimizer)
                self.scaler.update()
        """,
    )
    assert found == []


def test_a_scaler_that_is_only_used_when_there_is_one_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "clip-without-unscale",
        """
        import torch
        def step(model, loss, optimizer, scaler=None):
            if scaler is not None:
                scaler.scale(loss).backward()
                scaler.unscale_(optimizer)
            else:
                loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            if scaler is not None:
                scaler.step(optimizer)
                scaler.update()
            else:
                optimizer.step()
        """,
    )
    assert found == []
