"""Edge cases of weight-decay-too-large."""

import pytest

RULE = "weight-decay-too-large"
HEAD = "import torch\nfrom torch import nn, optim\nnet = nn.Linear(9, 9)\n"


@pytest.mark.parametrize(
    "source",
    [
        "optim.AdamW(net.parameters(), weight_decay=1.0)",
        "optim.SGD(net.parameters(), lr=0.1, weight_decay=0.9)",
        "optim.SGD(net.parameters(), 0.1, 0.9, 0, 0.5)",
        "optim.RMSprop(net.parameters(), weight_decay=5)",
        "optim.AdamW([{'params': net.parameters(), 'weight_decay': 0.95}])",
        "DECAY = 0.99\noptim.Adam(net.parameters(), weight_decay=DECAY)",
        "from torch.optim import AdamW\nAdamW(params=net.parameters(), weight_decay=1e0)",
        "class C:\n    weight_decay: float = 0.9\ncfg = C()\noptim.AdamW(net.parameters(), weight_decay=cfg.weight_decay)",
    ],
)
def test_a_decay_of_a_half_or_more_is_found_wherever_it_is_told(lines, source):
    assert len(lines(RULE, HEAD + source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "optim.AdamW(net.parameters(), weight_decay=0.3)",
        "optim.AdamW(net.parameters(), weight_decay=0.05)",
        "optim.AdamW(net.parameters())",
        "optim.SGD(net.parameters(), lr=0.1, momentum=0.9)",
        "optim.AdamW(net.parameters(), weight_decay=args.wd)",
        "optim.AdamW([embedding], weight_decay=1.0)",
        "from mine import AdamW\nAdamW(net.parameters(), weight_decay=1.0)",
        "opt = optim.AdamW(net.parameters(), weight_decay=1.0)\nfor g in opt.param_groups:\n    g['weight_decay'] = 0.1",
        "grokking = True\noptim.AdamW(net.parameters(), weight_decay=1.0)",
    ],
)
def test_usual_unknown_scheduled_and_meant_decays_are_fine(lines, source):
    assert lines(RULE, HEAD + source) == []


def test_a_test_may_use_what_it_likes(lines):
    source = HEAD + "optim.AdamW(net.parameters(), weight_decay=1.0)"
    assert lines(RULE, source, path="test_it.py") == []


def test_the_limit_can_be_set(lines):
    source = HEAD + "optim.AdamW(net.parameters(), weight_decay=0.2)"
    assert lines(RULE, source, limit=0.15) == [4]


def test_the_place_where_the_number_is_written_is_shown(diagnoses):
    (found,) = diagnoses(RULE, HEAD + "WD = 0.9\noptim.AdamW(net.parameters(), weight_decay=WD)")
    assert "`WD` (0.9)" in found.message
    assert [one.span.line for one in found.related] == [4]
