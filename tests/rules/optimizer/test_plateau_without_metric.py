"""Edge cases of plateau-without-metric."""

import pytest

RULE = "plateau-without-metric"
HEAD = "import torch\nfrom torch import optim\nfrom torch.optim.lr_scheduler import ReduceLROnPlateau\n"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("s = ReduceLROnPlateau(opt)\ns.step()", 5),
        (
            "s = optim.lr_scheduler.ReduceLROnPlateau(opt, 'min', patience=3)\nfor e in x:\n    s.step()",
            6,
        ),
        ("s = ReduceLROnPlateau(opt)\ns.step(epoch=3)", 5),
        (
            "class T:\n    def __init__(self):\n        self.s = ReduceLROnPlateau(self.opt)\n    def fit(self):\n        self.s.step()",
            8,
        ),
        ("def after(s):\n    s.step()\nafter(ReduceLROnPlateau(opt))", 5),
        ("scheds = {'lr': ReduceLROnPlateau(opt)}\nscheds['lr'].step()", 5),
    ],
)
def test_a_step_without_a_metric_is_found(lines, source, line):
    assert lines(RULE, HEAD + source) == [line]


@pytest.mark.parametrize(
    "source",
    [
        "s = ReduceLROnPlateau(opt)\ns.step(loss)",
        "s = ReduceLROnPlateau(opt)\nif isinstance(s, ReduceLROnPlateau):\n    s.step(loss)\nelse:\n    s.step()",
        "s = None\nif plateau:\n    s = ReduceLROnPlateau(opt)\nif s:\n    s.step()",
        "s = ReduceLROnPlateau(opt)\ns.step(metrics=loss)",
        "s = ReduceLROnPlateau(opt)\ns.step(*values)",
        "s = ReduceLROnPlateau(opt)\ns.step(**values)",
        "s = ReduceLROnPlateau(opt)\nopt.step()",
        "s = ReduceLROnPlateau(opt) if plateau else optim.lr_scheduler.StepLR(opt, 3)\ns.step()",
        "if plateau:\n    s = ReduceLROnPlateau(opt)\nelse:\n    s = optim.lr_scheduler.StepLR(opt, 3)\ns.step()",
        "import mine\ns = mine.ReduceLROnPlateau(opt)\ns.step()",
        "class Mine(ReduceLROnPlateau):\n    def step(self): ...\ns = Mine(opt)\ns.step()",
        "s = get(name)\ns.step()\nReduceLROnPlateau(opt)",
        "import pytest\ns = ReduceLROnPlateau(opt)\nwith pytest.raises(TypeError):\n    s.step()",
    ],
)
def test_metrics_other_schedules_and_unknown_ones_are_fine(lines, source):
    assert lines(RULE, HEAD + source) == []


def test_the_scheduler_is_shown(diagnoses):
    (found,) = diagnoses(RULE, HEAD + "s = ReduceLROnPlateau(opt)\ns.step()")
    assert [one.span.line for one in found.related] == [4]
