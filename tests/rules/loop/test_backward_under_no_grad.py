"""Tests of backward-under-no-grad."""

from __future__ import annotations

import pytest

RULE = "backward-under-no-grad"


@pytest.mark.parametrize(
    "context", ["torch.no_grad()", "torch.inference_mode()", "torch.set_grad_enabled(False)"]
)
def test_every_way_to_switch_gradients_off_is_found(lines, context):
    source = f"""
    import torch
    with {context}:
        loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    """
    assert lines(RULE, source) == [5]


def test_it_is_found_where_all_of_it_stands_under_no_grad(lines):
    source = """
    import torch
    criterion = torch.nn.CrossEntropyLoss()
    @torch.no_grad()
    def train(model, loader, optimizer):
        for x, y in loader:
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
    """
    assert lines(RULE, source) == [8]


def test_it_is_found_through_a_function_that_computes_the_loss(lines):
    source = """
    import torch
    @torch.no_grad()
    def loss_of(x, y):
        return torch.nn.functional.mse_loss(model(x), y)
    for x, y in loader:
        loss = loss_of(x, y)
        loss.backward()
    """
    assert lines(RULE, source) == [8]


def test_it_is_found_behind_a_scaler_and_arithmetic(lines):
    source = """
    import torch
    scaler = torch.amp.GradScaler()
    with torch.no_grad():
        loss = torch.nn.functional.mse_loss(model(x), y) * 2
    scaler.scale(loss).backward()
    """
    assert lines(RULE, source) == [6]


def test_a_backward_alone_under_no_grad_works(lines):
    source = """
    import torch
    loss = torch.nn.functional.mse_loss(model(x), y)
    with torch.no_grad():
        loss.backward()
    """
    assert lines(RULE, source) == []


def test_gradients_that_are_switched_on_inside_are_fine(lines):
    source = """
    import torch
    with torch.no_grad():
        with torch.enable_grad():
            loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    """
    assert lines(RULE, source) == []


def test_a_switch_that_is_not_known_is_not_judged(lines):
    source = """
    import torch
    with torch.set_grad_enabled(phase == "train"):
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
    """
    assert lines(RULE, source) == []


def test_one_way_with_a_graph_is_enough(lines):
    source = """
    import torch
    def step(flag):
        if flag:
            with torch.no_grad():
                loss = torch.nn.functional.mse_loss(model(x), y)
        else:
            loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
    """
    assert lines(RULE, source) == []


def test_a_target_under_no_grad_is_fine(lines):
    source = """
    import torch
    with torch.no_grad():
        target = teacher(x)
    loss = torch.nn.functional.mse_loss(model(x), target)
    loss.backward()
    """
    assert lines(RULE, source) == []


def test_a_leaf_that_is_told_to_have_a_gradient_is_another_matter(lines):
    source = """
    import torch
    with torch.no_grad():
        loss = torch.nn.functional.mse_loss(model(x), y)
    loss.requires_grad_(True)
    loss.backward()
    """
    assert lines(RULE, source) == []


def test_a_file_that_makes_leaves_is_not_judged(lines):
    source = """
    import torch
    x = torch.zeros(3, requires_grad=True)
    with torch.no_grad():
        loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    """
    assert lines(RULE, source) == []


def test_a_start_to_which_losses_are_added_is_fine(lines):
    source = """
    import torch
    with torch.no_grad():
        loss = torch.zeros(1)
    loss.add_(criterion(model(x), y))
    loss.backward()
    """
    assert lines(RULE, source) == []


def test_a_test_that_expects_the_error_is_fine(lines):
    source = """
    import pytest
    import torch
    with torch.no_grad():
        loss = torch.nn.functional.mse_loss(model(x), y)
    with pytest.raises(RuntimeError):
        loss.backward()
    """
    assert lines(RULE, source) == []


def test_an_object_with_a_backward_of_its_own_is_not_judged(lines):
    source = """
    import torch
    with torch.no_grad():
        graph = build(x)
        graph.backward()
        loss = model(x)
    loss.backward()
    """
    assert lines(RULE, source) == []
