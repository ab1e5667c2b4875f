"""Edge cases of adam-coupled-weight-decay."""

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.core.fix import apply_fixes

RULE = "adam-coupled-weight-decay"
HEAD = "import torch\nfrom torch import nn, optim\nnet = nn.Linear(9, 9)\n"


@pytest.mark.parametrize(
    "source",
    [
        "optim.Adam(net.parameters(), weight_decay=1e-2)",
        "optim.Adam(net.parameters(), 1e-3, (0.9, 0.999), 1e-8, 0.05)",
        "WD = 0.1\noptim.Adam(net.parameters(), weight_decay=WD)",
        "settings = {'lr': 1e-3, 'weight_decay': 0.01}\noptim.Adam(net.parameters(), **settings)",
        "def make(model, wd=0.02):\n    return torch.optim.Adam(model.parameters(), weight_decay=wd)",
        "from torch.optim import Adam as A\nA(net.parameters(), weight_decay=0.1)",
        "p = argparse.ArgumentParser()\np.add_argument('--wd', type=float, default=0.01)\nargs = p.parse_args()\noptim.Adam(net.parameters(), weight_decay=args.wd)",
    ],
)
def test_a_decay_that_adam_couples_is_a_warning_wherever_it_is_told(diagnoses, source):
    (found,) = diagnoses(RULE, HEAD + source)
    assert found.severity is Severity.WARNING


def test_a_small_penalty_is_advice(diagnoses):
    (found,) = diagnoses(RULE, HEAD + "optim.Adam(net.parameters(), weight_decay=5e-4)")
    assert found.severity is Severity.ADVICE


def test_penalties_that_differ_by_group_are_advice(diagnoses):
    found = diagnoses(
        RULE,
        HEAD
        + "optim.Adam([dict(params=net.parameters(), weight_decay=0.01),"
        + " dict(params=head.parameters(), weight_decay=5e-4)])",
    )
    assert [one.severity for one in found] == [Severity.ADVICE, Severity.ADVICE]


def test_the_bound_between_the_two_can_be_set(diagnoses):
    source = HEAD + "optim.Adam(net.parameters(), weight_decay=5e-4)"
    (found,) = diagnoses(RULE, source, warn_from=1e-5)
    assert found.severity is Severity.WARNING


@pytest.mark.parametrize(
    "source",
    [
        "optim.AdamW(net.parameters(), weight_decay=1e-2)",
        "optim.Adam(net.parameters())",
        "optim.Adam(net.parameters(), weight_decay=0)",
        "optim.Adam(net.parameters(), weight_decay=0.0)",
        "optim.SGD(net.parameters(), lr=0.1, weight_decay=1e-2)",
        "optim.Adam(net.parameters(), weight_decay=cfg.weight_decay)",
        "optim.Adam([image], weight_decay=0.1)",
        "optim.Adam(net.parameters(), weight_decay=0.1, decoupled_weight_decay=True)",
        "from mine import Adam\nAdam(net.parameters(), weight_decay=0.1)",
    ],
)
def test_what_is_decoupled_absent_unknown_or_elsewhere_is_fine(lines, source):
    assert lines(RULE, HEAD + source) == []


def test_a_test_may_use_what_it_likes(lines):
    source = HEAD + "optim.Adam(net.parameters(), weight_decay=0.1)"
    assert lines(RULE, source, path="tests/test_it.py") == []


def test_the_fix_names_adamw_as_the_file_writes_adam(diagnoses):
    source = "from torch import optim\noptim.Adam(net.parameters(), weight_decay=0.1)\n"
    (found,) = diagnoses(RULE, source)
    text, _ = apply_fixes(source, [found.fix])
    assert text == "from torch import optim\noptim.AdamW(net.parameters(), weight_decay=0.1)\n"


def test_a_name_imported_alone_has_a_fix_only_if_adamw_can_be_written(diagnoses):
    alone = "from torch.optim import Adam\nAdam(net.parameters(), weight_decay=0.1)\n"
    (found,) = diagnoses(RULE, alone)
    assert found.fix is None
    both = "import torch\n" + alone
    (found,) = diagnoses(RULE, both)
    assert "torch.optim.AdamW(net" in apply_fixes(both, [found.fix])[0]


def test_a_class_held_in_a_variable_has_no_fix(diagnoses):
    source = "import torch\noptimizer_class = torch.optim.Adam\noptimizer_class(net.parameters(), weight_decay=0.1)\n"
    (found,) = diagnoses(RULE, source)
    assert found.fix is None or "torch.optim.AdamW(net" in apply_fixes(source, [found.fix])[0]
