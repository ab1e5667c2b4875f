"""Which code of a distributed training runs in every process."""

from __future__ import annotations

import pytest

HEAD = "import torch\nimport torch.distributed as dist\n"


def every(model, source):
    file = model(HEAD + source)
    (call,) = file.method_calls("ask")
    return file.runs_in_every_process(call)


@pytest.mark.parametrize(
    "source",
    [
        "ask()",
        "def main(rank):\n    dist.init_process_group()\n    ask()",
        "def main():\n    dist.init_process_group()\n    save()\ndef save():\n    ask()",
        "def fit(loader):\n    for x in loader:\n        net(x).backward()\n        optimizer.step()\n    ask()",
        "if epoch % 2 == 0 and not args.dry:\n    ask()",
        "if score > best:\n    ask()",
    ],
)
def test_what_nothing_keeps_to_one_process_runs_in_all(model, source):
    assert every(model, source)


@pytest.mark.parametrize(
    "source",
    [
        "if rank == 0:\n    ask()",
        "if flag:\n    ask()",
        "first = dist.get_rank() == 0\nif first:\n    ask()",
        "def main(rank):\n    dist.init_process_group()\n    if rank:\n        return\n    ask()",
        "def main(rank):\n    dist.init_process_group()\n    if not rank:\n        save()\ndef save():\n    ask()",
        "def helper():\n    ask()",
        "@only_first\ndef main():\n    dist.init_process_group()\n    ask()",
    ],
)
def test_what_may_run_in_one_process_is_not_said_to_run_in_all(model, source):
    assert not every(model, source)


def test_a_value_that_has_to_do_with_the_rank_is_known_by_what_made_it(asked):
    expr = asked("path = f'{get_rank()}.pt'\nask(path)")
    assert expr.model.speaks_of_rank(expr)
    expr = asked("path = 'net.pt'\nask(path)")
    assert not expr.model.speaks_of_rank(expr)
