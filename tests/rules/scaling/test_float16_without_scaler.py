"""Edge cases of float16-without-scaler."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def test_half_precision_autocast_without_a_scaler_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        for x, y in loader:
            optimizer.zero_grad()
            with torch.autocast("cuda", dtype=torch.float16):
                loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        """,
    )
    assert found == [5]


def test_the_default_of_the_cuda_autocast_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                with torch.cuda.amp.autocast():
                    loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == [6]


def test_half_and_an_imported_name_are_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        from torch import autocast, half
        def train(model, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                with autocast(device_type="cuda", dtype=half):
                    loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == [6]


def test_a_trainer_class_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        class Trainer:
            def step(self, batch):
                self.optimizer.zero_grad()
                with torch.amp.autocast("cuda", torch.float16):
                    loss = self.model(batch)
                loss.backward()
                self.optimizer.step()
        """,
    )
    assert found == [6]


def test_the_backward_inside_of_the_context_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                with torch.autocast(device_type="cuda"):
                    criterion(model(x), y).backward()
                optimizer.step()
        """,
    )
    assert found == [6]


def test_a_scaler_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        scaler = torch.amp.GradScaler()
        for x, y in loader:
            optimizer.zero_grad()
            with torch.autocast("cuda", dtype=torch.float16):
                loss = criterion(model(x), y)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        """,
    )
    assert found == []


def test_bfloat16_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        for x, y in loader:
            optimizer.zero_grad()
            with torch.autocast("cuda", dtype=torch.bfloat16):
                loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_an_unknown_dtype_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        def train(model, loader, optimizer, dtype):
            for x, y in loader:
                optimizer.zero_grad()
                with torch.autocast("cuda", dtype=dtype):
                    loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_a_dtype_chosen_from_a_table_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        ptdtype = {"bfloat16": torch.bfloat16, "float16": torch.float16}[name]
        for x, y in loader:
            optimizer.zero_grad()
            with torch.autocast("cuda", dtype=ptdtype):
                loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_autocast_on_the_cpu_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        for x, y in loader:
            optimizer.zero_grad()
            with torch.autocast("cpu"):
                loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_an_unknown_device_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        def train(model, loader, optimizer, device):
            for x, y in loader:
                optimizer.zero_grad()
                with torch.autocast(device_type=device.type):
                    loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_autocast_that_is_off_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        for x, y in loader:
            optimizer.zero_grad()
            with torch.autocast("cuda", enabled=False):
                loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_an_evaluation_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        def evaluate(model, loader):
            with torch.no_grad(), torch.autocast("cuda", dtype=torch.float16):
                return [model(x) for x in loader]
        """,
    )
    assert found == []


def test_fabric_scales_by_itself(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        from lightning.fabric import Fabric
        fabric = Fabric(precision="16-mixed")
        for x, y in loader:
            optimizer.zero_grad()
            with torch.autocast("cuda", dtype=torch.float16):
                loss = criterion(model(x), y)
            fabric.backward(loss)
            optimizer.step()
        """,
    )
    assert found == []


def test_a_branch_with_a_scaler_elsewhere_in_the_function_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        def step(model, batch, optimizer, scaler=None):
            with torch.cuda.amp.autocast(enabled=scaler is not None):
                loss = model(batch)
            if scaler is not None:
                scaler.scale(loss).backward()
                scaler.step(optimizer)
                scaler.update()
            else:
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_a_teacher_in_half_precision_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        def train(student, teacher, loader, optimizer):
            for x in loader:
                optimizer.zero_grad()
                with torch.no_grad(), torch.autocast("cuda", dtype=torch.float16):
                    goal = teacher(x)
                loss = criterion(student(x), goal)
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_a_scaler_class_of_the_project_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        from utils import NativeScaler
        loss_scaler = NativeScaler()
        def train(model, loader, optimizer):
            for x, y in loader:
                with torch.autocast("cuda", dtype=torch.float16):
                    loss = criterion(model(x), y)
                loss_scaler(loss, optimizer)
        """,
    )
    assert found == []


def test_a_loss_multiplied_by_hand_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "float16-without-scaler",
        """
        import torch
        def train(model, loader, optimizer, scale):
            for x, y in loader:
                optimizer.zero_grad()
                with torch.autocast("cuda", dtype=torch.float16):
                    loss = criterion(model(x), y)
                (loss * 1024.0).backward()
                for p in model.parameters():
                    p.grad.div_(1024.0)
                optimizer.step()
        """,
    )
    assert found == []
