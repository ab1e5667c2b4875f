"""Edge cases of best-state-not-copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainlint.core.diagnosis import Diagnosis


def test_the_best_state_in_a_loop_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        def fit(model, loader, epochs):
            best, best_state = 1e9, None
            for epoch in range(epochs):
                train(model, loader)
                loss = evaluate(model)
                if loss < best:
                    best = loss
                    best_state = model.state_dict()
            model.load_state_dict(best_state)
        """,
    )
    assert found == [10]


def test_an_attribute_of_an_early_stopping_class_is_found(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        class EarlyStopping:
            def __call__(self, loss, model):
                if loss < self.best_loss:
                    self.best_loss = loss
                    self.best_weights = model.state_dict()
                    self.counter = 0
                else:
                    self.counter += 1
            def restore(self, model):
                model.load_state_dict(self.best_weights)
        """,
    )
    assert found == [7]


def test_a_shallow_copy_does_not_help(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        import copy
        def fit(net):
            for epoch in range(10):
                train(net)
                if score(net) > best:
                    best = score(net)
                    best_weights = copy.copy(net.state_dict())
            net.load_state_dict(best_weights)
        """,
    )
    assert found == [9]


def test_the_copy_method_of_the_dictionary_does_not_help(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        def fit(net):
            best_model_wts = None
            while True:
                train(net)
                acc = score(net)
                if acc > best_acc:
                    best_acc = acc
                    best_model_wts = net.state_dict().copy()
                elif patience(acc):
                    break
            net.load_state_dict(best_model_wts)
            return net
        """,
    )
    assert found == [10]


def test_a_state_saved_to_disk_only_after_the_loop_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        def fit(net):
            for epoch in range(10):
                train(net)
                if score(net) > best:
                    best_params = net.state_dict()
            torch.save(best_params, "best.pt")
        """,
    )
    assert found == [7]


def test_a_deep_copy_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        import copy
        def fit(model):
            for epoch in range(10):
                train(model)
                if score(model) > best:
                    best_state = copy.deepcopy(model.state_dict())
            model.load_state_dict(best_state)
        """,
    )
    assert found == []


def test_deep_copying_later_but_at_once_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        from copy import deepcopy
        def fit(model):
            for epoch in range(10):
                train(model)
                if score(model) > best:
                    state = model.state_dict()
                    best_state = deepcopy(state)
            model.load_state_dict(best_state)
        """,
    )
    assert found == []


def test_clones_in_a_dictionary_are_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        def fit(model):
            for epoch in range(10):
                train(model)
                if score(model) > best:
                    best_state = {k: v.cpu().clone() for k, v in model.state_dict().items()}
            model.load_state_dict(best_state)
        """,
    )
    assert found == []


def test_a_state_saved_at_once_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        def fit(model):
            for epoch in range(10):
                train(model)
                if score(model) > best:
                    best_state = model.state_dict()
                    torch.save(best_state, "best.pt")
        """,
    )
    assert found == []


def test_a_checkpoint_dictionary_saved_at_once_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        def fit(model, optimizer):
            for epoch in range(10):
                train(model)
                if score(model) > best:
                    checkpoint = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
                    torch.save(checkpoint, "best.pt")
        """,
    )
    assert found == []


def test_a_state_taken_after_the_training_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        def fit(model):
            for epoch in range(10):
                train(model)
            best_state = model.state_dict()
            return best_state
        """,
    )
    assert found == []


def test_a_state_taken_to_load_another_network_at_once_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        def sync(online, target):
            for step in range(10):
                train(online)
                if step % 100 == 0:
                    state = online.state_dict()
                    target.load_state_dict(state)
        """,
    )
    assert found == []


def test_a_state_that_is_looked_through_is_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        def average(models, ema):
            for model in models:
                msd = model.state_dict()
                for k, v in ema.state_dict().items():
                    v.mul_(0.9).add_(msd[k], alpha=0.1)
        """,
    )
    assert found == []


def test_a_state_of_an_unknown_object_is_handed_on_at_once(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        class Saver:
            def save(self, model, metric):
                if metric > self.best:
                    self.best = metric
                    self.write(model.state_dict())
        """,
    )
    assert found == []


def test_a_state_that_breaks_out_of_the_loop_at_once_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        def fit(model):
            best_state = None
            for epoch in range(10):
                train(model)
                if score(model) > goal:
                    best_state = model.state_dict()
                    break
            return best_state
        """,
    )
    assert found == []


def test_an_epoch_and_path_kept_as_best_are_fine(lines: Callable[..., list[int]]) -> None:
    found = lines(
        "best-state-not-copied",
        """
        import torch
        def fit(model):
            for epoch in range(10):
                train(model)
                if score(model) > best:
                    best_epoch = epoch
                    best_path = save(model)
        """,
    )
    assert found == []


def test_the_position_of_a_loader_kept_in_the_middle_of_an_epoch_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "best-state-not-copied",
        """
        def resume(loader, save_at):
            for step, batch in enumerate(loader):
                if step == save_at:
                    state = loader.state_dict()
            loader.load_state_dict(state)
        """,
    )
    assert found == []


def test_the_state_of_a_metric_that_is_read_from_a_checkpoint_is_fine(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "best-state-not-copied",
        """
        def load(metrics, saved):
            for name in saved:
                if isinstance(saved[name], Metric):
                    state = saved[name].state_dict()
                else:
                    state = saved[name]
                metrics[name].load_state_dict(state)
        """,
    )
    assert found == []


def test_weights_kept_under_another_name_because_they_are_better_are_found(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    (found,) = diagnoses(
        "best-state-not-copied",
        """
        for epoch in range(9):
            train(net)
            loss = validate(net)
            if loss < lowest:
                weights = net.state_dict()
        if weights is None:
            raise SystemExit
        net.load_state_dict(weights)
        """,
    )
    assert found.span.line == 6
    assert [one.span.line for one in found.related] == [9]


def test_a_state_that_is_unpacked_beside_its_score_is_found(
    lines: Callable[..., list[int]],
) -> None:
    found = lines(
        "best-state-not-copied",
        """
        best, best_state = 0.0, None
        for epoch in range(9):
            train(net)
            score = validate(net)
            if score > best:
                best, best_state = score, net.state_dict()
        net.load_state_dict(best_state)
        """,
    )
    assert found == [7]
