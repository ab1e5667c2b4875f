"""Edge cases of method-not-called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_eval_of_a_module_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "method-not-called",
        """
        import torch.nn as nn
        model = nn.Linear(2, 2)
        model.eval
        """,
    )
    assert found == [4]


def test_the_step_of_an_optimizer_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "method-not-called",
        """
        import torch
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for x, y in loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step
        """,
    )
    assert found == [7]


def test_the_clearing_of_a_parameter_named_optimizer_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "method-not-called",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == [5]


def test_the_backward_of_a_loss_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "method-not-called",
        """
        import torch
        def train(model, loader, opt):
            for x, y in loader:
                opt.zero_grad()
                loss = criterion(model(x), y)
                loss.backward
                opt.step()
        """,
    )
    assert found == [7]


def test_attributes_of_a_trainer_are_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "method-not-called",
        """
        import torch
        class Trainer:
            def validate(self):
                self.model.eval
                return self.run()
            def update(self):
                self.scheduler.step
                self.scaler.update
        """,
    )
    assert found == [5, 8, 9]


def test_a_module_s_own_train_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "method-not-called",
        """
        import torch.nn as nn
        class Net(nn.Module):
            def freeze(self):
                self.train
        """,
    )
    assert found == [5]


def test_a_call_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "method-not-called",
        """
        import torch.nn as nn
        model = nn.Linear(2, 2)
        model.eval()
        """,
    )
    assert found == []


def test_a_method_that_is_passed_on_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "method-not-called",
        """
        import torch
        def setup(model, optimizer, register):
            register(model.eval)
            step = optimizer.step
            return model.train
        """,
    )
    assert found == []


def test_an_unknown_object_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "method-not-called",
        """
        import torch
        env.step
        config.train
        data.eval
        pipeline.update
        """,
    )
    assert found == []


def test_another_attribute_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "method-not-called",
        """
        import torch.nn as nn
        model = nn.Linear(2, 2)
        model.training
        model.weight
        model.eval_every
        """,
    )
    assert found == []


def test_a_stub_body_or_a_docstring_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "method-not-called",
        """
        import torch
        class Trainer:
            'Train.'
            def step(self):
                ...
        """,
    )
    assert found == []


def test_a_command_line_object_called_model_is_not_a_module_by_its_method_alone(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "method-not-called",
        """
        import torch
        import click
        @click.group()
        def cli():
            pass
        cli.update
        """,
    )
    assert found == []


def test_a_lambda_and_a_decorator_are_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "method-not-called",
        """
        import torch
        model = torch.nn.Linear(2, 2)
        hook = lambda: model.eval
        assert model.eval
        """,
    )
    assert found == []


def test_a_typed_dictionary_of_modes_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "method-not-called",
        """
        import torch
        def pick(args, model):
            mode = model.eval if args.eval else model.train
            mode()
        """,
    )
    assert found == []
