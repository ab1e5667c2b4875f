"""Transforms, data sets, seeds and checkpoints, and what a loader is told."""

from __future__ import annotations

import pytest

from trainlint.static.model import Purpose

HEAD = """
import random
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset
from torchvision import datasets, transforms as T
"""


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("T.Compose([T.Resize(3), T.ToTensor()])", ["Resize", "ToTensor"]),
        (
            "steps = [T.Resize(3)]\nsteps.append(T.ToTensor())\nT.Compose(steps)",
            ["Resize", "ToTensor"],
        ),
        ("T.Compose([T.Compose([T.Resize(3)]), T.ToTensor()])", ["Resize", "ToTensor"]),
        ("r = T.Resize(3)\nT.Compose(transforms=(r, mine))", ["Resize", None]),
        ("T.Compose([T.Resize(3) if big else T.Pad(1)])", [None]),
        ("T.Compose(steps)", [None]),
        ("T.Compose([T.Resize(3), *rest])", [None]),
    ],
)
def test_a_pipeline_is_read_step_by_step(model, source, kinds):
    (pipeline,) = model(HEAD + source).pipelines()
    assert [step.kind for step in pipeline.steps] == kinds


def test_a_step_says_where_it_is_made_and_of_which_version(model):
    file = model(
        "from torchvision.transforms import v2\nn = v2.Normalize([0.5], [0.5])\nv2.Compose([n])"
    )
    ((step,),) = (pipeline.steps for pipeline in file.pipelines())
    assert (step.span.line, step.is_v2, step.at.text) == (2, True, "n")
    assert step.argument(0, "mean").literal() == (0.5,)


CLASSES = """
class Indexed(Dataset):
    def __init__(self):
        self.rng = random.Random(0)
        self.other = np.random.default_rng(0)
    def __getitem__(self, i):
        return self._read(i)
    def _read(self, i):
        return open(self.paths[i]), self.rng.random()
    def reset(self):
        self.other = np.random.default_rng(1)
class Stream(IterableDataset):
    def __iter__(self):
        yield 1
"""


@pytest.mark.parametrize(
    ("expression", "indexed", "decodes"),
    [
        ("Indexed()", True, True),
        ("Subset(Indexed(), range(3))", True, True),
        ("Stream()", False, False),
        ("TensorDataset(x, y)", True, False),
        ("datasets.MNIST('.')", True, True),
        ("load_dataset('x')", False, False),
    ],
)
def test_a_data_set_says_how_it_is_read(model, expression, indexed, decodes):
    file = model(f"{HEAD}{CLASSES}\nloader = DataLoader({expression})")
    (loader,) = file.loaders()
    data = loader.argument("dataset")
    assert (file.is_indexed(data), file.decodes(data)) == (indexed, decodes)


def test_a_part_of_a_split_is_of_the_class_of_the_whole(model):
    file = model(
        f"{HEAD}{CLASSES}\na, b = torch.utils.data.random_split(Indexed(), [1, 2])\nDataLoader(b)"
    )
    (loader,) = file.loaders()
    assert file.data_set_class(loader.argument("dataset")).name == "Indexed"


def test_a_generator_is_kept_if_nothing_replaces_it(model):
    file = model(f"{HEAD}{CLASSES}\nDataLoader(Indexed())")
    (loader,) = file.loaders()
    (kept,) = file.data_set_class(loader.argument("dataset")).generators()
    assert kept.name == "rng"
    assert [draw.text for draw in kept.draws] == ["self.rng"]


@pytest.mark.parametrize(
    ("source", "purpose"),
    [
        ("train_loader = DataLoader(data)", Purpose.TRAINING),
        ("loader = DataLoader(val_set)", Purpose.EVALUATION),
        ("test_loader = DataLoader(train_set)", Purpose.BOTH),
        ("loader = DataLoader(data)", None),
    ],
)
def test_a_loader_says_what_it_is_for(model, source, purpose):
    (loader,) = model(HEAD + source).loaders()
    assert loader.purpose is purpose


@pytest.mark.parametrize(
    ("arguments", "flag", "given"),
    [
        ("shuffle=True, sampler=Sampler(d)", True, True),
        ("shuffle=False, sampler=None", False, False),
        ("", False, False),
        ("**options", None, None),
        ("shuffle=x, sampler=y", None, None),
    ],
)
def test_a_loader_says_what_it_is_told(model, arguments, flag, given):
    (loader,) = model(f"{HEAD}DataLoader(d, {arguments})").loaders()
    assert loader.flag("shuffle") is flag
    assert loader.is_given("sampler") is given


def test_a_dict_of_arguments_that_grows_leaves_a_loader_open(model):
    source = "o = {'batch_size': 3}\n%s\nDataLoader(d, **o)"
    for grows in ("o.update(more)", "o['shuffle'] = True"):
        (loader,) = model(HEAD + source % grows).loaders()
        assert loader.is_open
    (loader,) = model(HEAD + source % "print(o)").loaders()
    assert not loader.is_open


@pytest.mark.parametrize(
    ("loop", "feeds"),
    [
        ("for x in loader:\n    loss = f(x)\n    loss.backward()", True),
        ("for i, x in enumerate(tqdm(loader)):\n    loss = f(x)\n    loss.backward()", True),
        (
            "def run(it):\n    for x in it:\n        loss = f(x)\n        loss.backward()\nrun(loader)",
            True,
        ),
        ("trainer.fit(net, loader)", True),
        ("train_one_epoch(net, loader)", True),
        ("Trainer(net, train_loader=loader)", True),
        ("strain(net, loader)", False),
        ("for x in loader:\n    print(f(x))", False),
        ("for x in other:\n    loss = f(x)\n    loss.backward()", False),
    ],
)
def test_a_loader_feeds_the_training_that_goes_over_it(model, loop, feeds):
    (loader,) = model(f"{HEAD}loader = DataLoader(d)\n{loop}").loaders()
    assert loader.feeds_training is feeds


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("torch.manual_seed(3)", [("3", True)]),
        ("np.random.seed(seed=3)", [("3", False)]),
        ("from x import set_seed\nset_seed(3)", [("3", True)]),
        ("def set_seed(s):\n    torch.manual_seed(s)\nset_seed(3)", [("s", True)]),
        ("env.set_seed(3)", []),
        ("generator.manual_seed(3)", []),
    ],
)
def test_a_seeding_says_what_it_is_given(model, source, found):
    seedings = model(HEAD + source).seedings()
    assert [(one.seed.text, one.of_torch) for one in seedings] == found


def test_what_may_seed_has_the_word_in_its_name(model):
    file = model(f"{HEAD}torch.manual_seed(1)\nenv.seed(2)\nreseed_all(3)\nprint(seed)")
    assert [call.text for call in file.may_seed()] == ["env.seed(2)", "reseed_all(3)"]


@pytest.mark.parametrize(
    ("source", "loops"),
    [
        ("for epoch in range(3):\n    torch.manual_seed(0)\n    train(net)", 1),
        ("for epoch in range(3):\n    if epoch:\n        torch.manual_seed(0)\n    train(net)", 0),
        (
            "for epoch in range(3):\n    if epoch:\n        continue\n    torch.manual_seed(0)\n    train(net)",
            0,
        ),
        ("for run in range(3):\n    torch.manual_seed(0)\n    train(net)", 0),
        ("for epoch in range(3):\n    torch.manual_seed(0)\n    net.train()", 0),
        ("def s():\n    torch.manual_seed(0)\nfor epoch in range(3):\n    s()\n    fit(net)", 1),
    ],
)
def test_a_seeding_knows_the_training_that_repeats_it(model, source, loops):
    (seeding,) = model(HEAD + source).seedings()
    assert len(seeding.training_loops) == loops


def test_a_seeding_starts_where_the_file_calls_its_helper(model):
    file = model(f"{HEAD}def a():\n    torch.manual_seed(0)\ndef b():\n    a()\nb()\n")
    (seeding,) = file.seedings()
    assert [call.text for call in seeding.entries(None)] == ["b()"]


def test_a_seeding_starts_in_the_function_from_which_it_is_seen(model):
    file = model(
        f"{HEAD}def seed():\n    torch.manual_seed(0)\ndef run():\n    seed()\ndef other():\n"
        "    pass\nrun()\nother()\n"
    )
    (seeding,) = file.seedings()
    run, other = (
        next(one for one in file.functions if one.name == name) for name in ("run", "other")
    )
    assert [call.text for call in seeding.entries(run)] == ["seed()"]
    assert [call.text for call in seeding.entries(other)] == ["run()"]


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        ("torch.save({'a': 1}, p)", ["a"]),
        ("torch.save(dict(a=1), p)", ["a"]),
        ("s = {'a': 1}\ntorch.save(s, p)", ["a"]),
        ("def save(s):\n    torch.save(s, p)\nsave({'a': 1})", ["a"]),
        ("s = {'a': 1}\ns['b'] = 2\ntorch.save(s, p)", None),
        ("s = {'a': 1}\ns.update(b=2)\ntorch.save(s, p)", None),
        ("torch.save({'a': 1, **more}, p)", None),
        ("torch.save(net, p)", None),
    ],
)
def test_a_checkpoint_is_a_saved_dict_whose_keys_are_all_known(model, source, keys):
    found = [list(one.entries) for one in model(HEAD + source).checkpoints()]
    assert found == ([] if keys is None else [keys])


def test_the_states_of_a_checkpoint_are_told_by_what_they_are_of(model):
    file = model(
        f"{HEAD}torch.save({{'m': model.state_dict(), 'o': optimizer.state_dict(), 'e': 3}}, p)"
    )
    (checkpoint,) = file.checkpoints()
    assert [one.text for one in checkpoint.states("model")] == ["model.state_dict()"]
    assert [one.text for one in checkpoint.states("optimizer")] == ["optimizer.state_dict()"]


def test_a_run_resumes_where_an_entry_of_a_loaded_dict_is_kept(model):
    file = model(
        f"{HEAD}c = torch.load(p)\nstart = c['epoch'] + 1\nprint(c['epoch'])\nx = args['epoch']"
    )
    assert [one.line for one in file.resumed("epoch")] == [8]
