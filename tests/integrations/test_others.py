"""Accelerate, Fabric, Ignite and Optuna, against the real packages."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trainlint

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def loader_of(data):
    return DataLoader(TensorDataset(*data), batch_size=128)


def test_what_accelerate_prepares_is_watched_as_what_the_user_wrote(model, data):
    accelerate = pytest.importorskip("accelerate")
    accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2)
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net, optimizer, loader = accelerator.prepare(net, optimizer, loader_of(data))
    with trainlint.watch(net, optimizer, every=1) as monitor:
        for inputs, labels in loader:
            with accelerator.accumulate(net):
                accelerator.backward(nn.functional.cross_entropy(net(inputs), labels))
                optimizer.step()
                optimizer.zero_grad()
    assert monitor.step == 4
    assert set(monitor.signals["gradient_rms"]) == {"0.weight", "0.bias", "2.weight", "2.bias"}


def test_what_fabric_sets_up_is_watched_as_what_the_user_wrote(model, data):
    pytest.importorskip("lightning")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lightning.fabric import Fabric  # noqa: PLC0415 - where it is installed
    fabric = Fabric(accelerator="cpu", devices=1)
    net = model()
    net, optimizer = fabric.setup(net, torch.optim.SGD(net.parameters(), lr=0.1))
    with trainlint.watch(net, optimizer, every=1) as monitor:
        for inputs, labels in loader_of(data):
            optimizer.zero_grad()
            fabric.backward(nn.functional.cross_entropy(net(inputs), labels))
            optimizer.step()
    assert monitor.step == 8
    assert set(monitor.signals["gradient_rms"]) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert monitor.signals["rms"]["1"]


def test_ignite_tells_of_epochs_and_evaluations(model, data):
    pytest.importorskip("ignite")
    from ignite.engine import Engine, Events  # noqa: PLC0415 - where it is installed

    from trainlint.integrations.ignite import attach  # noqa: PLC0415 - where it is installed

    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    monitor = trainlint.watch(net, optimizer, every=1)

    def update(_, batch):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(batch[0]), batch[1]).backward()
        optimizer.step()

    trainer, evaluator = Engine(update), Engine(lambda *_: None)
    attach(monitor, trainer, evaluator)

    @evaluator.on(Events.EPOCH_COMPLETED)
    def _metrics(engine):
        engine.state.metrics["loss"] = 0.5

    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda _: evaluator.run([0]))
    trainer.run(loader_of(data), max_epochs=3)
    assert monitor._is_closed
    assert monitor.signals["epoch"][""].values == [1, 2, 3]
    assert monitor.signals["val_loss"][""].values == [0.5, 0.5]


def test_a_trial_that_is_beyond_help_is_pruned(model, data):
    optuna = pytest.importorskip("optuna")
    from trainlint.integrations.optuna import pruning  # noqa: PLC0415 - where it is installed

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial):
        net = model(trial.suggest_categorical("bias", [-30.0, 0.0]))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        with pruning(trial, net, optimizer, every=1):
            for _ in range(3):
                for inputs, labels in loader_of(data):
                    loss = nn.functional.cross_entropy(net(inputs), labels)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
        return float(loss.detach())

    study = optuna.create_study(sampler=optuna.samplers.GridSampler({"bias": [-30.0, 0.0]}))
    study.optimize(objective, n_trials=2)
    by_bias = {trial.params["bias"]: trial for trial in study.trials}
    assert by_bias[-30.0].state == optuna.trial.TrialState.PRUNED
    assert "dead-relu" in by_bias[-30.0].user_attrs["trainlint"]
    assert by_bias[0.0].state == optuna.trial.TrialState.COMPLETE
