"""Edge cases of get-lr-instead-of-get-last-lr."""

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.core.fix import apply_fixes

RULE = "get-lr-instead-of-get-last-lr"
HEAD = "import torch\nfrom torch import optim\nfrom torch.optim.lr_scheduler import StepLR\n"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("s = StepLR(opt, 3)\nprint(s.get_lr())", 5),
        ("s = optim.lr_scheduler.CosineAnnealingLR(opt, 9)\nlr = s.get_lr()[0]", 5),
        ("sched = StepLR(opt, 3)\nfor e in x:\n    log('lr', sched.get_lr()[-1])", 6),
        (
            "class T:\n    def __init__(self):\n        self.s = StepLR(self.opt, 3)\n    def log(self):\n        return self.s.get_lr()",
            8,
        ),
        ("def log(s):\n    print(f'{s.get_lr()}')\nlog(StepLR(opt, 3))", 5),
        (
            "s = StepLR(opt, 3) if a else optim.lr_scheduler.LambdaLR(opt, f)\nprint(s.get_lr())",
            5,
        ),
        (
            "from transformers import get_linear_schedule_with_warmup\ns = get_linear_schedule_with_warmup(opt, 1, 9)\nprint(s.get_lr())",
            6,
        ),
    ],
)
def test_the_rate_asked_of_a_scheduler_of_torch_is_found(lines, source, line):
    assert lines(RULE, HEAD + source) == [line]


@pytest.mark.parametrize(
    "source",
    [
        "s = StepLR(opt, 3)\nprint(s.get_last_lr())",
        "s = make(opt)\nprint(s.get_lr())",
        "class Mine(StepLR):\n    def get_lr(self):\n        return [1]\n    def step(self):\n        return self.get_lr()",
        "class Mine(StepLR):\n    def get_lr(self):\n        return super().get_lr()",
        "class Mine(StepLR):\n    def get_lr(self):\n        return [1]\ns = Mine(opt, 3)\nprint(s.get_lr())",
        "print(trainer.get_lr())",
        "s = StepLR(opt, 3)\nprint(get_lr(s))",
        "s = StepLR(opt, 3)\nprint(opt.get_lr())",
        "s = StepLR(opt, 3) if a else Mine(opt)\nprint(s.get_lr())",
        "import mine\ns = mine.StepLR(opt, 3)\nprint(s.get_lr())",
    ],
)
def test_last_rates_own_schedulers_and_unknown_objects_are_fine(lines, source):
    assert lines(RULE, HEAD + source) == []


def test_the_fix_asks_for_the_last_rate(diagnoses):
    source = HEAD + "self.s = StepLR(opt, 3)\nprint(self.s.get_lr()[0])\n"
    (found,) = diagnoses(RULE, source)
    assert apply_fixes(source, [found.fix])[0] == source.replace("get_lr()", "get_last_lr()")


@pytest.mark.parametrize(
    ("made", "severity"),
    [
        ("StepLR(opt, 3)", Severity.WARNING),
        ("optim.lr_scheduler.ExponentialLR(opt, 0.9)", Severity.WARNING),
        ("optim.lr_scheduler.CosineAnnealingLR(opt, 9)", Severity.WARNING),
        ("optim.lr_scheduler.LambdaLR(opt, f)", Severity.ADVICE),
        ("optim.lr_scheduler.OneCycleLR(opt, 1)", Severity.ADVICE),
        ("StepLR(opt, 3) if a else optim.lr_scheduler.LambdaLR(opt, f)", Severity.WARNING),
    ],
)
def test_schedules_that_count_steps_only_show_the_right_rate(diagnoses, made, severity):
    (found,) = diagnoses(RULE, HEAD + f"s = {made}\nprint(s.get_lr())")
    assert found.severity is severity
