"""Edge cases of train-mode-not-restored."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from trainlint.core.fix import apply_fixes

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainlint.core.diagnosis import Diagnosis


def test_train_before_the_loop_and_eval_in_it_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        model.train()
        for epoch in range(10):
            for x, y in train_loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                for x, y in val_loader:
                    acc += (model(x).argmax(1) == y).sum().item()
        """,
    )
    assert found == [9]


def test_an_evaluation_function_that_leaves_eval_on_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        def evaluate(model, loader):
            model.eval()
            with torch.no_grad():
                return sum(criterion(model(x), y).item() for x, y in loader)
        def train(model, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
        def main(model, loader, val_loader, optimizer):
            model.train()
            for epoch in range(10):
                train(model, loader, optimizer)
                evaluate(model, val_loader)
        """,
    )
    assert found == [4]


def test_a_model_with_dropout_that_is_evaluated_every_epoch_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(4, 2)
                self.drop = nn.Dropout(0.5)
            def forward(self, x):
                return self.fc(self.drop(x))
        net = Net()
        opt = torch.optim.Adam(net.parameters())
        net.train()
        for epoch in range(5):
            for x, y in loader:
                opt.zero_grad()
                nn.functional.cross_entropy(net(x), y).backward()
                opt.step()
            net.eval()
            accuracy(net(test_x), test_y)
        """,
    )
    assert found == [19]


def test_a_trainer_class_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        class Trainer:
            def fit(self):
                self.model.train()
                for epoch in range(self.epochs):
                    for batch in self.loader:
                        self.optimizer.zero_grad()
                        self.loss(self.model(batch)).backward()
                        self.optimizer.step()
                    self.validate()
            def validate(self):
                self.model.eval()
                return [self.model(batch) for batch in self.val_loader]
        """,
    )
    assert found == [13]


def test_an_evaluation_every_few_steps_inside_the_batch_loop_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        model.train()
        for step, (x, y) in enumerate(train_loader):
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
            if step % 1000 == 0:
                model.eval()
                with torch.no_grad():
                    validate_loss = criterion(model(val_x), val_y).item()
        """,
    )
    assert found == [9]


def test_train_at_the_top_of_each_epoch_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        for epoch in range(10):
            model.train()
            for x, y in train_loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                evaluate(model)
        """,
    )
    assert found == []


def test_train_after_the_evaluation_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        model.train()
        for epoch in range(10):
            for x, y in train_loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                acc = accuracy(model)
            model.train()
        """,
    )
    assert found == []


def test_train_in_the_training_helper_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        def train(model, loader, optimizer):
            model.train()
            for x, y in loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
        def test(model, loader):
            model.eval()
            return [model(x) for x, _ in loader]
        def main(model, loader, optimizer):
            for epoch in range(10):
                train(model, loader, optimizer)
                test(model, loader)
        """,
    )
    assert found == []


def test_the_mode_is_given_back_by_an_argument(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        def validate(model, loader):
            was_training = model.training
            model.eval()
            result = [model(x) for x in loader]
            model.train(was_training)
            return result
        def main(model, loader, optimizer):
            model.train()
            for epoch in range(10):
                for x in loader:
                    optimizer.zero_grad()
                    model(x).mean().backward()
                    optimizer.step()
                validate(model, loader)
        """,
    )
    assert found == []


def test_a_teacher_that_stays_in_eval_mode_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        teacher.train()
        for epoch in range(10):
            teacher.eval()
            for x, y in loader:
                optimizer.zero_grad()
                distill(student(x), teacher(x)).backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_an_average_of_the_weights_that_is_evaluated_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        model.train()
        for epoch in range(10):
            for x, y in loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
            ema.eval()
            score(ema, val_loader)
        """,
    )
    assert found == []


def test_a_model_handed_to_another_file_may_be_set_to_train_there(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        from engine import train_one_epoch
        model.train()
        for epoch in range(10):
            train_one_epoch(model, loader, optimizer)
            model.eval()
            score = [model(x) for x in val_loader]
        """,
    )
    assert found == []


def test_a_loop_that_ends_after_the_evaluation_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        model.train()
        for epoch in range(10):
            for x, y in loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
            if done(epoch):
                model.eval()
                break
        """,
    )
    assert found == []


def test_evaluating_once_after_the_training_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        model.train()
        for epoch in range(10):
            for x, y in loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
        model.eval()
        """,
    )
    assert found == []


def test_a_loop_that_only_evaluates_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        model.train()
        fit(model)
        for name, loader in loaders.items():
            model.eval()
            print(name, [model(x) for x in loader])
        """,
    )
    assert found == []


def test_fine_tuning_in_evaluation_mode_on_purpose_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        for epoch in range(10):
            model.eval()
            for x, y in loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_a_model_without_layers_that_know_a_mode_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        from torch import nn
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        optimizer = torch.optim.Adam(model.parameters())
        model.train()
        for epoch in range(10):
            for x, y in loader:
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x), y).backward()
                optimizer.step()
            model.eval()
            print(model(test_x))
        """,
    )
    assert found == []


def test_a_helper_of_the_trainer_that_sets_the_mode_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "train-mode-not-restored",
        """
        import torch
        class Trainer:
            def set_train(self):
                for m in self.models.values():
                    m.train()
            def fit(self):
                self.model.train()
                for epoch in range(10):
                    self.set_train()
                    for batch in self.loader:
                        self.optimizer.zero_grad()
                        self.model(batch).mean().backward()
                        self.optimizer.step()
                    self.model.eval()
                    self.score()
        """,
    )
    assert found == []


HELPERS = """
import torch
def evaluate(model, loader):
    model.eval()
    with torch.no_grad():
        return sum(criterion(model(x), y).item() for x, y in loader)
def train(model, loader, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            """
            def main(net, loader, optimizer):
                net.train()  # once
                for epoch in range(10):
                    train(net, loader, optimizer)
                    evaluate(net, loader)
            """,
            """
            def main(net, loader, optimizer):
                for epoch in range(10):
                    net.train()
                    train(net, loader, optimizer)
                    evaluate(net, loader)
            """,
            id="moves into the loop",
        ),
        pytest.param(
            """
            def main(net, loader, optimizer):
                net.train()
                print("go")
                for epoch in range(10):
                    train(net, loader, optimizer)
                    evaluate(net, loader)
            """,
            """
            def main(net, loader, optimizer):
                net.train()
                print("go")
                for epoch in range(10):
                    net.train()
                    train(net, loader, optimizer)
                    evaluate(net, loader)
            """,
            id="is repeated in the loop where something stands between",
        ),
    ],
)
def test_the_mode_is_restored_at_the_start_of_each_round(
    diagnoses: Callable[..., list[Diagnosis]], before: str, after: str
) -> None:
    before, after = HELPERS + dedent(before), HELPERS + dedent(after)
    [one] = diagnoses("train-mode-not-restored", before)
    assert one.fix is not None
    assert apply_fixes(before, [one.fix]) == (after, [])


def test_a_model_that_is_out_of_reach_of_the_loop_has_only_a_remedy(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    main = """
    def start(net):
        net.train()
    def main(net, loader, optimizer):
        start(net)
        for epoch in range(10):
            train(net, loader, optimizer)
            evaluate(net, loader)
    """
    [one] = diagnoses("train-mode-not-restored", HELPERS + dedent(main))
    assert one.fix is None
