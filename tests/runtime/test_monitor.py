"""What a monitor sees, that it leaves nothing behind, and that it never breaks the run it watches."""

from __future__ import annotations

import copy
import io
import logging
import os
import pickle
import subprocess
import sys
import warnings
from textwrap import dedent
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef

import trainlint
from trainlint.core.config import ConfigError
from trainlint.runtime import ears
from trainlint.runtime.collectors.activations import Activations
from trainlint.runtime.collectors.inputs import Inputs
from trainlint.runtime.collectors.noise import Noise
from trainlint.runtime.collectors.parameters import Parameters
from trainlint.runtime.gathering import Gathering
from trainlint.runtime.judge import Judge
from trainlint.runtime.recordings.recording import Recording
from trainlint.runtime.schedule import Schedule


def multilayer():
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))


def batch(size=16):
    return torch.randn(size, 8), torch.randint(0, 3, (size,))


def train(model, optimizer, steps=3, accumulate=1):
    for _ in range(steps):
        for _ in range(accumulate):
            inputs, labels = batch()
            nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
        optimizer.zero_grad()


@pytest.fixture
def model():
    torch.manual_seed(0)
    return multilayer()


@pytest.fixture
def optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


def state_of(thing):
    """Return what pickling would keep, and which hooks lie about."""
    return {
        key: (len(value) if "hooks" in key else str(value)) for key, value in vars(thing).items()
    }


def test_steps_are_learned_from_the_optimizer(model, optimizer):
    with trainlint.watch(model, optimizer, every=1) as monitor:
        train(model, optimizer, 4)
    assert monitor.step == 4
    assert monitor.signals["loss"][""].steps == [1, 2, 3, 4]
    assert set(monitor.signals["gradient_rms"]) == {name for name, _ in model.named_parameters()}


def test_only_every_so_manieth_step_is_measured(model, optimizer):
    with trainlint.watch(model, optimizer, every=3) as monitor:
        train(model, optimizer, 10)
    assert monitor.signals["gradient_rms"]["0.weight"].steps == [1, 3, 6, 9]


def test_an_accumulated_step_is_one_step(model, optimizer):
    with trainlint.watch(model, optimizer, every=1) as monitor:
        train(model, optimizer, 3, accumulate=4)
    assert monitor.step == 3
    assert monitor.signals["micro_batches"][""].values == [4, 4, 4]


def test_gradients_are_seen_before_and_after_clipping(model, optimizer):
    with trainlint.watch(model, optimizer, every=1) as monitor:
        inputs, labels = batch()
        (100 * nn.functional.cross_entropy(model(inputs), labels)).backward()
        before = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    assert monitor.signals["total_norm_before"][""].values == [pytest.approx(float(before))]
    assert monitor.signals["total_norm"][""].values == [pytest.approx(1.0, rel=1e-4)]
    assert monitor.signals["clipped"][""].values == [1]


def test_signals_are_what_torch_computes(model, optimizer):
    with trainlint.watch(model, optimizer, every=1) as monitor:
        inputs, labels = batch()
        hidden = model[1](model[0](inputs))
        monitor._looking.inputs._print = None
        loss = nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        weight, gradient = model[0].weight.detach().clone(), model[0].weight.grad.clone()
        optimizer.step()
    last = monitor.signals.last
    assert last["gradient_rms"]["0.weight"] == pytest.approx(float(gradient.square().mean().sqrt()))
    assert last["gradient_max"]["0.weight"] == pytest.approx(float(gradient.abs().max()))
    assert last["weight_rms"]["0.weight"] == pytest.approx(float(weight.square().mean().sqrt()))
    ratio = 0.1 * gradient.square().mean().sqrt() / weight.square().mean().sqrt()
    assert last["update_ratio"]["0.weight"] == pytest.approx(float(ratio), rel=1e-3)
    assert last["rms"]["1"] == pytest.approx(hidden.square().mean().sqrt().item(), rel=1e-3)
    assert last["zero"]["1"] == pytest.approx((hidden == 0).float().mean().item(), rel=1e-3)
    assert last["class_loss"][""] == pytest.approx(loss.item(), rel=1e-5)
    assert last["classes"][""] == 3


def test_functions_are_seen_and_belong_to_the_module_whose_forward_calls_them():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 8)

        def forward(self, inputs):
            return torch.relu(self.fc(inputs)).tanh() + nn.functional.gelu(inputs).sigmoid_()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = Block()
            self.head = nn.Linear(8, 3)

        def forward(self, inputs):
            return self.head(nn.functional.elu(self.block(inputs)))

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with trainlint.watch(model, optimizer, every=1) as monitor:
        train(model, optimizer, 2)
    names = [layer.name for layer in monitor.facts.layers]
    assert names == [
        "block.fc",
        "block:relu",
        "block:tanh",
        "block:gelu",
        "block:sigmoid",
        "elu",
        "head",
    ]
    assert monitor.facts.layer["block:relu"].path.endswith("test_monitor.py")
    assert monitor.facts.layer["block.fc"].followed_by == "relu"


def test_what_a_loop_calls_follows_each_of_its_layers():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(3))
            self.shared = nn.Linear(8, 8)
            self.act = nn.Tanh()

        def forward(self, inputs):
            for layer in self.layers:
                inputs = nn.functional.relu(layer(inputs))
            for _ in range(3):  # as over time: one layer
                inputs = self.act(self.shared(inputs)).sigmoid()
            return inputs

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with trainlint.watch(model, optimizer, every=1) as monitor:
        train(model, optimizer, 3)
    assert {one.name: one.followed_by for one in monitor.facts.layers} == {
        "layers.0": "relu",
        "relu": None,
        "layers.1": "relu",
        "relu_2": None,
        "layers.2": "relu",
        "relu_3": None,
        "shared": "tanh",
        "act": None,
        "sigmoid": None,
    }
    assert monitor.signals["calls"]["sigmoid"].values == [3, 3, 3]


def test_a_program_that_imports_an_environment_learns_from_rewards(model, optimizer, monkeypatch):
    with trainlint.watch(model, optimizer) as monitor:
        assert not monitor.facts.need_not_fall
    monkeypatch.setitem(sys.modules, "gymnasium", ModuleType("gymnasium"))
    with trainlint.watch(model, optimizer) as monitor:
        assert monitor.facts.need_not_fall


def test_an_attention_shows_its_entropy():
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with trainlint.watch(model, optimizer, every=1) as monitor:
        model(torch.randn(4, 10, 8)).square().mean().backward()
        optimizer.step()
    ((name, series),) = monitor.signals["attention_entropy"].items()
    assert name == "self_attn:multi_head_attention"
    assert 0.9 < series.values[0] <= 1.001


def test_several_optimizers_and_models_make_one_step_together():
    generator, critic = nn.Linear(4, 8), nn.Linear(8, 1)
    first, second = (torch.optim.Adam(one.parameters()) for one in (generator, critic))
    models = {"generator": generator, "critic": critic}
    with trainlint.watch(models, [first, second], every=1) as monitor:
        for _ in range(4):
            fake = generator(torch.randn(16, 4))
            second.zero_grad()
            critic(fake.detach()).mean().backward()
            second.step()
            first.zero_grad()
            (-critic(fake).mean()).backward()
            first.step()
    assert monitor.step == 4
    assert monitor.facts.alternates
    assert set(monitor.signals["update_ratio"]) >= {"generator.weight", "critic.weight"}


def test_one_optimizer_that_steps_more_often_than_the_other():
    one, other = nn.Linear(8, 1), nn.Linear(8, 1)
    first, second = (torch.optim.SGD(net.parameters(), lr=0.1) for net in (one, other))
    with trainlint.watch([one, other], [first, second], every=1) as monitor:
        for step in range(6):
            one(batch()[0]).mean().backward()
            first.step()
            if step % 3 == 2:
                other(batch()[0]).mean().backward()
                second.step()
    assert monitor.step >= 6
    assert len(monitor.signals["update_ratio"]["Linear_2.weight"]) == 2


def test_a_closure_is_seen(model):
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3)
    inputs, labels = batch()

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        return loss

    with trainlint.watch(model, optimizer, every=1) as monitor:
        for _ in range(3):
            optimizer.step(closure)
    assert monitor.step == 3
    assert len(monitor.signals["gradient_rms"]["0.weight"]) == 3
    assert len(monitor.signals["update_ratio"]["0.weight"]) == 3


def test_steps_that_a_scaler_skips_are_counted_and_losses_are_unscaled(model, optimizer):
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with trainlint.watch(model, optimizer, every=1) as monitor:
        for step in range(4):
            inputs, labels = batch()
            loss = nn.functional.cross_entropy(model(inputs), labels)
            if step == 1:
                loss = loss * float("inf")
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    assert monitor.step == 3
    assert monitor.signals["skipped"][""].values == [0, 1, 1]
    assert max(monitor.signals["loss"][""].values) < 3
    assert max(monitor.signals["total_norm"][""].values) < 10
    assert max(monitor.signals["total_norm_before"][""].values) < 10


def test_an_exception_in_the_middle_of_a_step_leaves_the_monitor_working(model, optimizer):
    class Sometimes(nn.Module):
        fails = True

        def forward(self, inputs):
            if self.fails:
                raise LookupError
            return torch.relu(inputs)

    sometimes = Sometimes()
    model = nn.Sequential(model[0], sometimes, model[2])
    with trainlint.watch(model, optimizer, every=1) as monitor:
        with pytest.raises(LookupError):
            model(batch()[0])
        sometimes.fails = False
        train(model, optimizer, 2)
        assert monitor.step == 2
        assert "1:relu" in monitor.facts.layer
    assert not torch._C._len_torch_function_stack()


def test_parameters_may_be_frozen_and_replaced_midway(model, optimizer):
    with trainlint.watch(model, optimizer, every=1) as monitor:
        train(model, optimizer, 2)
        model[0].weight.requires_grad_(False)  # noqa: FBT003
        model[2] = nn.Linear(16, 3)
        optimizer.add_param_group({"params": model[2].parameters()})
        train(model, optimizer, 2)
    assert not monitor.facts.parameter["0.weight"].trainable
    assert monitor.signals["update_ratio"]["2.weight"].steps[-1] == 4


def test_evaluation_between_steps_is_not_measured(model, optimizer):
    with trainlint.watch(model, optimizer, every=1) as monitor:
        for _ in range(3):
            train(model, optimizer, 1)
            with torch.no_grad():
                model(torch.randn(500, 8))
    assert monitor.signals["batch_size"][""].values == [16, 16, 16]


def test_what_is_logged_belongs_to_the_next_step(model, optimizer):
    with trainlint.watch(model, optimizer, every=1) as monitor:
        monitor.log(val_loss=torch.tensor(2.0), accuracy=0.5)
        train(model, optimizer, 1)
        monitor.log(loss=7.0)
        train(model, optimizer, 1)
    assert monitor.signals["val_loss"][""].values == [2.0]
    assert monitor.signals["metric/accuracy"][""].values == [0.5]
    assert monitor.signals["loss"][""].values[1] == 7.0


def test_a_criterion_that_is_named_is_the_loss(model, optimizer):
    criterion = nn.CrossEntropyLoss()
    with trainlint.watch(model, optimizer, every=1, loss=criterion) as monitor:
        inputs, labels = batch()
        loss = criterion(model(inputs), labels)
        (loss * 50).backward()
        optimizer.step()
    assert monitor.signals["loss"][""].values == [pytest.approx(loss.item())]
    assert not criterion._forward_hooks


# --- it leaves nothing behind


def test_a_closed_monitor_leaves_no_hook_mode_or_attribute(model, optimizer):
    originals = [getattr(owner, name) for owner, name, _ in ears._WRAPPED]
    before = [state_of(one) for one in (*model.modules(), optimizer)]
    with trainlint.watch(model, optimizer, every=1):
        train(model, optimizer)
        assert torch.autograd.backward is not originals[0]
    after = [state_of(one) for one in (*model.modules(), optimizer)]
    assert [{k: v for k, v in one.items() if "hooks" in k} for one in before] == [
        {k: v for k, v in one.items() if "hooks" in k} for one in after
    ]
    assert [one.keys() for one in before] == [one.keys() for one in after]
    assert [getattr(owner, name) for owner, name, _ in ears._WRAPPED] == originals
    assert not torch.nn.modules.module._global_forward_hooks
    assert not torch.nn.modules.module._global_forward_pre_hooks
    assert not torch._C._len_torch_function_stack()
    assert not ears._listeners


def test_a_watched_model_copies_pickles_and_saves_as_itself(model, optimizer):
    keys = set(model.state_dict())
    with trainlint.watch(model, optimizer, every=1):
        train(model, optimizer)
        copied = copy.deepcopy(model)
        copied_optimizer = copy.deepcopy(optimizer)
        data = pickle.dumps(model)
        stream = io.BytesIO()
        torch.save({"model": model, "optimizer": optimizer}, stream)
        assert b"trainlint" not in data
        assert b"trainlint" not in stream.getvalue()
        assert set(model.state_dict()) == keys
        assert set(copied.state_dict()) == keys
        assert not copied_optimizer._optimizer_step_pre_hooks
        pickle.loads(data)(torch.randn(2, 8))  # noqa: S301 - our own


def test_a_script_that_never_closes_its_monitor_ends_well(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        dedent("""
            import torch, trainlint
            from torch import nn
            model = nn.Linear(4, 2)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            trainlint.watch(model, optimizer, recording=False)
            for _ in range(3):
                model(torch.randn(8, 4)).square().mean().backward()
                optimizer.step()
                optimizer.zero_grad()
        """)
    )
    env = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, env=env
    )
    assert "3 steps" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


# --- it never breaks a run


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Activations, "module"),
        (Activations, "end"),
        (Inputs, "given"),
        (Inputs, "made"),
        (Noise, "feed"),
        (Parameters, "before_backward"),
        (Parameters, "after_backward"),
        (Parameters, "before_step"),
        (Parameters, "after_step"),
        (Judge, "observe"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_part_that_raises_is_told_of_once_and_the_training_goes_on(
    owner, name, model, optimizer, monkeypatch, caplog
):
    def fails(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(owner, name, fails)
    with caplog.at_level(logging.WARNING), trainlint.watch(model, optimizer, every=1) as monitor:
        train(model, optimizer, 5)
    assert monitor.step == 5
    assert caplog.text.count("(ZeroDivisionError)") == 1


def test_a_detector_that_raises_is_told_of_once(model, optimizer, catalogue, monkeypatch, caplog):
    rule = catalogue.find("dead-relu")
    monkeypatch.setattr(type(rule.new_detector({})), "observe", lambda *_: 1 / 0)
    with caplog.at_level(logging.WARNING), trainlint.watch(model, optimizer, every=1):
        train(model, optimizer, 5)
    assert caplog.text.count("trainlint detects no dead-relu any more") == 1


def test_a_callback_that_raises_is_told_of_once(model, optimizer, caplog):
    nn.init.constant_(model[0].bias, -50.0)

    def callback(diagnosis):
        raise ValueError(diagnosis.rule)

    with (
        caplog.at_level(logging.WARNING),
        trainlint.watch(
            model,
            optimizer,
            every=1,
            select=["dead-relu"],
            thresholds={"dead-relu": {"samples": 10}},
            on_diagnosis=callback,
        ) as monitor,
    ):
        train(model, optimizer, 15)
    assert [one.rule for one in monitor.diagnoses] == ["dead-relu"]
    assert "ValueError: dead-relu" in caplog.text


def test_a_recording_that_cannot_be_written_costs_a_line(model, optimizer, tmp_path, caplog):
    place = tmp_path / "file"
    place.write_text("not a folder")
    with (
        caplog.at_level(logging.WARNING),
        trainlint.watch(model, optimizer, every=1, recording=place / "run.tlr") as monitor,
    ):
        train(model, optimizer)
    assert monitor.step == 3
    assert caplog.text.count("trainlint keeps no recording") == 1
    assert place.read_text() == "not a folder"


# --- what is asked of `watch`


@pytest.mark.parametrize("append", [False, True])
def test_a_recording_is_replaced_or_continued(append, model, optimizer, tmp_path):
    path = tmp_path / "run.tlr"
    for _ in range(2):
        with trainlint.watch(model, optimizer, every=1, recording=path, append=append):
            train(model, optimizer, 3)
    assert [one.is_finished for one in Recording(path).sessions] == [True] * (1 + append)


def test_halting_raises_after_the_step_in_which_the_diagnosis_was_made(model, optimizer):
    nn.init.constant_(model[0].bias, -50.0)
    monitor = trainlint.watch(
        model,
        optimizer,
        every=1,
        select=["dead-relu"],
        thresholds={"dead-relu": {"samples": 10}},
        halt_on="error",
    )
    with pytest.raises(trainlint.TrainingHalted, match="TL250 dead-relu"):
        train(model, optimizer, 100)
    assert monitor.step < 100
    assert not ears._listeners


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"model": 3}, TypeError, "expects a torch.nn.Module"),
        ({"model": []}, TypeError, "expects a torch.nn.Module"),
        ({"optimizer": None}, TypeError, "expects a torch.optim.Optimizer"),
        ({"optimizer": []}, TypeError, "at least one"),
        ({"every": 0}, ValueError, "every: expects"),
        ({"budget": 0}, ValueError, "budget: expects"),
        ({"loss": nn.functional.cross_entropy}, TypeError, "loss: expects a module"),
        ({"halt_on": "never"}, ValueError, "halt_on: expects"),
        ({"select": ["dead-rleu"]}, ConfigError, "dead-relu"),
        ({"thresholds": {"dead-relu": {"shrae": 1}}}, ConfigError, "share"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(model, optimizer, arguments, error, words):
    with pytest.raises(error, match=words):
        trainlint.watch(**{"model": model, "optimizer": optimizer, **arguments})
    assert not ears._listeners


def test_a_monitor_that_saw_no_step_says_so(model, optimizer, caplog):
    with caplog.at_level(logging.WARNING):
        trainlint.watch(model, optimizer).close()
    assert "`optimizer.step` was never called" in caplog.text


def test_signals_are_ready_for_numpy(model, optimizer):
    numpy = pytest.importorskip("numpy")
    with trainlint.watch(model, optimizer, every=1) as monitor:
        train(model, optimizer, 3)
    assert numpy.asarray(monitor.signals["loss"][""]).shape == (3,)


def test_epochs_are_those_of_the_loader_that_is_trained_from():
    data = torch.utils.data.TensorDataset(torch.randn(12, 8), torch.randint(0, 3, (12,)))
    other = torch.utils.data.TensorDataset(torch.randn(4, 8), torch.randint(0, 3, (4,)))
    loader = torch.utils.data.DataLoader(data, batch_size=4)
    model = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seen = []
    with trainlint.watch(model, optimizer, every=1) as monitor:
        for epoch in range(3):
            for inputs, targets in loader:
                nn.functional.cross_entropy(model(inputs), targets).backward()
                optimizer.step()
                optimizer.zero_grad()
                for given, _ in torch.utils.data.DataLoader(other):
                    model(given)
                seen.append(epoch)
            for given, _ in torch.utils.data.DataLoader(data):
                model(given)
        found = monitor.signals["epoch"][""]
    assert found.steps == list(range(4, 10))
    assert found.values == seen[3:]


def test_epochs_that_are_told_are_not_mixed_with_those_of_the_loader():
    data = torch.utils.data.TensorDataset(torch.randn(12, 8), torch.randint(0, 3, (12,)))
    model = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = torch.utils.data.DataLoader(data, batch_size=4)
    with trainlint.watch(model, optimizer, every=1) as monitor:
        for epoch in (1, 2, 3):
            monitor.log(epoch=epoch)
            for inputs, targets in loader:
                nn.functional.cross_entropy(model(inputs), targets).backward()
                optimizer.step()
                optimizer.zero_grad()
        found = monitor.signals["epoch"][""]
    assert (found.steps, found.values) == ([1, 4, 7], [1, 2, 3])


def test_what_is_logged_is_seen_on_steps_whose_loss_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(Schedule, "is_noted", lambda *_: False)
    monkeypatch.setattr(Schedule, "is_measured", lambda _, step: step == 1)
    model = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with trainlint.watch(model, optimizer, recording="run.tlr") as monitor:
        train(model, optimizer, 5)
        monitor.log(val_loss=2.0)
        train(model, optimizer, 5)
        assert monitor.step == 10
    with Recording("run.tlr") as recording:
        steps = list(recording.steps())
    assert [one.number for one in steps] == [1, 6]
    assert steps[1].run("val_loss") == 2.0
    assert steps[1].run("loss") is None


def test_a_gradient_that_lies_beside_the_sample_is_one():
    model = nn.Sequential(nn.Embedding(5000, 32), nn.Linear(32, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with trainlint.watch(model, optimizer, every=1, select=["no-gradient"]) as monitor:
        for _ in range(12):
            optimizer.zero_grad()
            model(torch.tensor([9])).sum().backward()
            optimizer.step()
    assert monitor.signals["gradient_max"]["0.weight"].values == [0.0] * 12
    assert min(monitor.signals["gradient_norm"]["0.weight"].values) > 0
    assert not monitor.diagnoses


def test_gradients_that_a_training_lets_go_are_not_kept_until_they_are_read():
    model = multilayer()
    for one in model.parameters():
        one.grad = torch.ones_like(one)
    named, gathering = dict(model.named_parameters()), Gathering()
    looker = Parameters()
    looker.begin()
    looker.before_step(0, named, None, gathering)
    memory = [StorageWeakRef(one.grad.untyped_storage()) for one in named.values()]
    model.zero_grad()
    assert all(one.expired() for one in memory)
    assert gathering.cross().read()["gradient_max"]["0.weight"] == 1


def test_how_many_workers_feed_a_training_is_known_and_recorded():
    data = torch.utils.data.TensorDataset(torch.randn(8, 8), torch.randint(0, 3, (8,)))
    model = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with trainlint.watch(model, optimizer, recording="run.tlr") as monitor:
        for workers in (2, 0):
            for inputs, targets in torch.utils.data.DataLoader(data, 4, num_workers=workers):
                nn.functional.cross_entropy(model(inputs), targets).backward()
                optimizer.step()
        assert monitor.facts.workers == 2
    with Recording("run.tlr") as recording:
        assert [one.facts.workers for one in recording.steps()][-1] == 2


def test_what_torch_warns_of_once_is_not_warned_of_at_each_measured_step():
    class Net(nn.Linear):
        def forward(self, inputs):
            warnings.warn("an old way", stacklevel=1)
            return super().forward(inputs)

    model = Net(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        with trainlint.watch(model, optimizer, every=1):
            train(model, optimizer, 5)
    assert [str(one.message) for one in seen] == ["an old way"]


def test_a_rank_that_closes_in_the_middle_of_a_step_meets_nobody(caplog):
    model = nn.ModuleList([nn.Linear(8, 3), nn.Linear(8, 3)])
    optimizers = [torch.optim.SGD(one.parameters(), lr=0.1) for one in model]
    monitor = trainlint.watch(model, optimizers, every=1, live=False)
    met = []

    def meet(values, own, interval):
        met.append(own)
        return values, interval, None

    ranks: Any = SimpleNamespace(meet=meet)
    monitor._ranks = ranks
    for step in range(3):
        for one, optimizer in zip(model, optimizers, strict=True):
            one(torch.randn(4, 8)).sum().backward()
            if step == 2 and one is model[1]:
                break
            optimizer.step()
    monitor.close()
    assert len(met) == 2
    assert monitor.step == 3
    assert monitor.signals["gradient_rms"]["0.weight"].steps == [1, 2]
    assert caplog.messages == []
