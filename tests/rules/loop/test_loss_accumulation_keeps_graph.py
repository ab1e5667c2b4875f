"""Edge cases of loss-accumulation-keeps-graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainlint.core.diagnosis import Diagnosis


def test_adding_the_loss_to_a_running_total_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def train(model, loader, optimizer, criterion):
            total_loss = 0
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                total_loss += loss
            return total_loss / len(loader)
        """,
    )
    assert found == [10]


def test_adding_without_an_augmented_assignment_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch.nn.functional as F
        running_loss = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            running_loss = running_loss + loss
        """,
    )
    assert found == [9]


def test_a_product_with_the_batch_size_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def train(net, loader, opt):
            epoch_loss = 0.0
            for x, y in loader:
                loss = criterion(net(x), y)
                opt.zero_grad()
                loss.backward()
                opt.step()
                epoch_loss += loss * x.size(0)
        """,
    )
    assert found == [10]


def test_a_total_in_an_attribute_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        class Trainer:
            def epoch(self):
                self.total = 0
                for x, y in self.loader:
                    self.optimizer.zero_grad()
                    loss = self.criterion(self.model(x), y)
                    loss.backward()
                    self.optimizer.step()
                    self.total += loss
        """,
    )
    assert found == [11]


def test_a_total_in_a_dictionary_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def train(model, loader, optimizer):
            meters = {"loss": 0.0}
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                meters["loss"] += loss
        """,
    )
    assert found == [10]


def test_a_list_of_losses_beside_their_backward_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def train(model, loader, optimizer):
            losses = []
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                losses.append(loss)
            return sum(losses) / len(losses)
        """,
    )
    assert found == [10]


def test_a_number_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def train(model, loader, optimizer):
            total = 0.0
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                total += loss.item() * x.size(0)
        """,
    )
    assert found == []


def test_a_detached_loss_and_its_data_are_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def train(model, loader, optimizer):
            total, other, third = 0.0, 0.0, 0.0
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                total += loss.detach()
                other += float(loss)
                third += loss.data
        """,
    )
    assert found == []


def test_a_sum_that_is_differentiated_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def train(model, loader, optimizer, criterions):
            for x, ys in loader:
                optimizer.zero_grad()
                total_loss = 0
                for criterion, y in zip(criterions, ys):
                    loss = criterion(model(x), y)
                    total_loss += loss
                total_loss.backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_a_sum_over_time_that_is_differentiated_after_the_loop_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def train(rnn, inputs, targets, optimizer):
            optimizer.zero_grad()
            loss = 0
            hidden = None
            for x, y in zip(inputs, targets):
                output, hidden = rnn(x, hidden)
                loss += criterion(output, y)
            loss.backward()
            optimizer.step()
            return loss.item() / len(inputs)
        """,
    )
    assert found == []


def test_an_evaluation_under_no_grad_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def evaluate(model, loader):
            total = 0
            with torch.no_grad():
                for x, y in loader:
                    loss = criterion(model(x), y)
                    total += loss
            return total
        """,
    )
    assert found == []


def test_a_decorated_evaluation_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        @torch.inference_mode()
        def evaluate(model, loader):
            losses = []
            for x, y in loader:
                loss = criterion(model(x), y)
                losses.append(loss)
            return torch.stack(losses).mean()
        """,
    )
    assert found == []


def test_a_loss_that_was_turned_into_a_number_before_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def train(model, loader, optimizer):
            total = 0
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                loss = loss.item()
                total += loss
        """,
    )
    assert found == []


def test_a_parts_sum_of_one_step_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def step(model, x, y, optimizer):
            loss = criterion(model(x), y)
            loss += 0.1 * penalty(model)
            loss.backward()
            optimizer.step()
        """,
    )
    assert found == []


def test_a_total_made_anew_in_each_iteration_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def train(model, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                shown = 0
                shown += loss
                print(shown)
        """,
    )
    assert found == []


def test_a_helper_that_returns_a_number_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def step(model, optimizer, x, y):
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            return loss.item()
        def train(model, loader, optimizer):
            total = 0
            for x, y in loader:
                loss = step(model, optimizer, x, y)
                total += loss
        """,
    )
    assert found == []


def test_a_list_that_is_cleared_or_differentiated_in_the_loop_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def train(policy, optimizer, episodes):
            for episode in episodes:
                policy_losses = []
                for log_prob, reward in episode:
                    policy_losses.append(-log_prob * reward)
                optimizer.zero_grad()
                loss = torch.stack(policy_losses).sum()
                loss.backward()
                optimizer.step()
        """,
    )
    assert found == []


def test_a_list_of_numbers_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        import torch
        def train(model, loader, optimizer):
            history = []
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                history.append(loss.item())
                history.append(loss.detach().cpu().numpy())
        """,
    )
    assert found == []


def test_the_few_passes_of_one_step_are_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "loss-accumulation-keeps-graph",
        """
        def closure():
            passes = 2
            losses = []
            for index in range(passes):
                loss = compute_loss()
                losses.append(loss)
                loss.backward(retain_graph=index < passes - 1)
            return torch.stack(losses).mean()
        """,
    )
    assert found == []


LIGHTNING = """
import lightning as L
import torch.nn.functional as F
class Task(L.LightningModule):
    def training_step(self, batch, index):
        loss = F.mse_loss(self(batch[0]), batch[1])
        {add}
        return {returned}
"""


@pytest.mark.parametrize(
    ("add", "returned", "expected"),
    [
        ("self.total += loss", "loss", [7]),
        ("self.total = self.total + 2 * loss", '{"loss": loss, "n": 1}', [7]),
        ("self.total += loss.detach()", "loss", []),
        ("self.total += loss", '{"loss": other, "n": loss}', []),
        ("self.total += loss", "self.total", []),
        ("total += loss", "loss", []),
        ("self.outputs.append(loss)", "loss", []),
        ("self.total = 0; self.total += loss", "loss", []),
    ],
)
def test_lightning_goes_back_from_the_loss_that_a_step_returns(
    lines: Callable[..., list[int]], add: str, returned: str, expected: list[int]
) -> None:
    source = LIGHTNING.format(add=add, returned=returned)
    assert lines("loss-accumulation-keeps-graph", source) == expected


def test_the_losses_that_a_test_compares_are_few(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    loop = """
        import torch
        def run(model, optimizer, batches):
            losses = []
            for batch in batches:
                optimizer.zero_grad()
                loss = model(batch).mean()
                loss.backward()
                optimizer.step()
                losses.append(loss)
            return losses
    """
    rule = "loss-accumulation-keeps-graph"
    assert diagnoses(rule, loop, path="compare.py") != []
    assert diagnoses(rule, loop, path="test_compare.py") == []
