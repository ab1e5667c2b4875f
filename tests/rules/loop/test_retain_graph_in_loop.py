"""Tests of retain-graph-in-loop."""

from __future__ import annotations

RULE = "retain-graph-in-loop"


def test_it_is_found_in_a_trainer_with_self(lines):
    source = """
    import torch
    class Trainer:
        def fit(self):
            for x, y in self.loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(x), y)
                loss.backward(retain_graph=True)
                self.optimizer.step()
    """
    assert lines(RULE, source) == [8]


def test_it_is_found_where_a_hidden_state_leaks(lines):
    source = """
    import torch
    hidden = model.init_hidden(32)
    for x, y in loader:
        optimizer.zero_grad()
        output, hidden = model(x, hidden)
        loss = torch.nn.functional.cross_entropy(output, y)
        loss.backward(retain_graph=True)
        optimizer.step()
    """
    assert lines(RULE, source) == [8]


def test_it_is_found_in_a_step_that_a_loop_calls(lines):
    source = """
    import torch
    def step(x, y):
        loss = criterion(model(x), y)
        loss.backward(retain_graph=True)
        optimizer.step()
    for x, y in loader:
        step(x, y)
    """
    assert lines(RULE, source) == [5]


def test_it_is_found_on_the_loss_that_a_model_hands_out(lines):
    source = """
    import torch
    for batch in loader:
        out = model(**batch)
        loss = out.loss
        loss.backward(retain_graph=True)
        optimizer.step()
    for x, y in loader:
        loss, scores = model(x, y)
        loss.backward(retain_graph=True)
        optimizer.step()
    for x, y in loader:
        (first(model(x), y) + second(x)).backward(retain_graph=True)
        optimizer.step()
    """
    assert lines(RULE, source) == [6, 10, 13]


def test_two_backward_passes_are_fine(lines):
    source = """
    import torch
    for x in loader:
        fake = G(x)
        d_loss(D(fake)).backward(retain_graph=True)
        opt_d.step()
        g_loss(D(fake)).backward()
        opt_g.step()
    """
    assert lines(RULE, source) == []


def test_a_forward_pass_before_the_loop_is_fine(lines):
    source = """
    import torch
    for x, y in loader:
        code = encoder(x)
        for t in range(10):
            loss = criterion(decoder(code, t), y)
            loss.backward(retain_graph=True)
        optimizer.step()
    """
    assert lines(RULE, source) == []


def test_a_loss_that_is_made_once_before_the_loop_is_fine(lines):
    source = """
    import torch
    loss = criterion(model(x), y)
    for i in range(3):
        loss.backward(retain_graph=True)
    """
    assert lines(RULE, source) == []


def test_gradients_of_gradients_are_fine(lines):
    source = """
    import torch
    for x, y in loader:
        loss = criterion(model(x), y)
        loss.backward(retain_graph=True, create_graph=True)
        optimizer.step()
    """
    assert lines(RULE, source) == []


def test_a_call_of_autograd_grad_in_the_file_is_a_reason(lines):
    source = """
    import torch
    for x, y in loader:
        loss = criterion(model(x), y)
        loss.backward(retain_graph=True)
        penalty = torch.autograd.grad(loss, model.parameters())
        optimizer.step()
    """
    assert lines(RULE, source) == []


def test_a_flag_that_is_not_known_is_not_judged(lines):
    source = """
    import torch
    def train(keep):
        for x, y in loader:
            loss = criterion(model(x), y)
            loss.backward(retain_graph=keep)
            optimizer.step()
    """
    assert lines(RULE, source) == []


def test_outside_of_any_loop_is_not_judged(lines):
    source = """
    import torch
    def step(x, y):
        loss = criterion(model(x), y)
        loss.backward(retain_graph=True)
    """
    assert lines(RULE, source) == []
