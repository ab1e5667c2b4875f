"""Tests of missing-no-grad-in-eval."""

from __future__ import annotations

import pytest

RULE = "missing-no-grad-in-eval"


def evaluation(
    before="pass", decorator="# plain", after="evaluate(model, test_loader)", body="pass"
):
    """Return a file with an evaluation loop that the file itself calls."""
    return f"""
import torch
from models import model
{before}
{decorator}
def evaluate(model, loader):
    model.eval()
    for x, y in loader:
        output = model(x)
        {body}
{after}
"""


def test_it_is_found_in_a_function_that_the_file_calls(lines):
    assert lines(RULE, evaluation()) == [9]


def test_it_is_found_after_the_training_of_the_same_function(lines):
    source = """
    import torch
    def run(model, train_loader, test_loader, optimizer):
        for epoch in range(10):
            model.train()
            for x, y in train_loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
            model.eval()
            for x, y in test_loader:
                correct += (model(x).argmax(1) == y).sum()
    """
    assert lines(RULE, source) == [12]


def test_it_is_found_in_a_method_of_a_trainer(lines):
    source = """
    import torch
    class Trainer:
        def evaluate(self):
            self.model.eval()
            for x, y in self.val_loader:
                self.metric.update(self.model(x), y)
    Trainer().evaluate()
    """
    assert lines(RULE, source) == [7]


@pytest.mark.parametrize(
    "decorator", ["@torch.no_grad()", "@torch.inference_mode()", "@torch.no_grad"]
)
def test_a_decorator_that_switches_gradients_off_is_fine(lines, decorator):
    assert lines(RULE, evaluation(decorator=decorator)) == []


@pytest.mark.parametrize(
    "before",
    [
        "torch.set_grad_enabled(False)",
        "from helpers import no_grad",
        "x = torch.zeros(1, requires_grad=True)",
        "for p in model.parameters(): p.requires_grad = False",
        "model.requires_grad_(False)",
        "from attacks import pgd_attack",
    ],
)
def test_a_file_that_says_anything_of_gradients_is_not_judged(lines, before):
    assert lines(RULE, evaluation(before=before)) == []


def test_a_call_under_no_grad_is_fine(lines):
    after = "with torch.no_grad():\n    evaluate(model, test_loader)"
    assert lines(RULE, evaluation(after=after)) == []


def test_a_function_that_nothing_in_the_file_calls_is_not_judged(lines):
    assert lines(RULE, evaluation(after="pass")) == []


def test_a_loop_that_differentiates_is_fine(lines):
    assert lines(RULE, evaluation(body="output.sum().backward()")) == []


def test_an_optimizer_that_is_handed_on_in_the_loop_is_a_reason(lines):
    assert lines(RULE, evaluation(body="adapt(output, optimizer)")) == []


def test_training_mode_is_another_matter(lines):
    assert lines(RULE, evaluation().replace("model.eval()", "model.train()")) == []


def test_the_mode_of_another_model_is_not_enough(lines):
    assert lines(RULE, evaluation().replace("model.eval()", "teacher.eval()")) == []


def test_a_loop_over_something_else_is_not_judged(lines):
    assert lines(RULE, evaluation().replace("in loader", "in range(10)")) == []


def test_tests_are_not_judged(diagnoses):
    assert diagnoses(RULE, evaluation(), path="test_model.py") == []


def test_there_is_no_fix_where_the_function_also_trains(diagnoses):
    source = """
    import torch
    def run(model, train_loader, test_loader, optimizer):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
        model.eval()
        for x, y in test_loader:
            model(x)
    """
    (one,) = diagnoses(RULE, source)
    assert one.fix is None
