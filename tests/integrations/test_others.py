"""Accelerate, Fabric, Ignite, Optuna and Ray Tune, against the real packages."""

from __future__ import annotations

import math
import os
import re
import socket
import subprocess
import sys
import warnings
from textwrap import dedent

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trainlint
from trainlint.runtime.recordings.recording import Recording

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


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


PREPARED = """
    import sys
    import torch
    from accelerate import Accelerator
    from torch import nn

    accelerator = Accelerator(cpu=True)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 3))
    nn.init.constant_(model[0].bias, float(sys.argv[1]))
    model, optimizer = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.1))
    for _ in range(12):
        inputs = torch.randn(64, 8)
        loss = nn.functional.cross_entropy(model(inputs), inputs[:, :3].argmax(1))
        optimizer.zero_grad()
        accelerator.backward(loss)
        optimizer.step()
    print("END", accelerator.process_index, accelerator.num_processes)
    accelerator.end_training()
"""


def accelerated(folder, bias, *options):
    """Train on two ranks that Accelerate launches, watched by `trainlint run`."""
    pytest.importorskip("accelerate")
    (folder / "train.py").write_text(dedent(PREPARED))
    environment = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
    launch = ["accelerate.commands.launch", "--multi_gpu", "--num_processes=2", "--num_machines=1"]
    launch += ["--mixed_precision=no", "--dynamo_backend=no", f"--main_process_port={free_port()}"]
    run = ["trainlint", "run", "--every=1", "--recording=run.tlr", *options, "train.py", bias]
    return subprocess.run(
        [sys.executable, "-m", *launch, "-m", *run],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**environment, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"},
    )


def test_what_accelerate_launches_is_watched_together(tmp_path):
    done = accelerated(tmp_path, "0")
    assert sorted(re.findall(r"END .*", done.stdout)) == ["END 0 2", "END 1 2"], done.stderr
    assert done.returncode == 0
    assert len(re.findall("12 steps", done.stderr)) == 1
    recording = Recording("run.tlr")
    steps = list(recording.steps())
    assert [one.number for one in steps] == list(range(1, 13))
    assert steps[-1].facts.ranks == 2


def test_halting_ends_all_ranks_that_accelerate_launches(tmp_path):
    done = accelerated(tmp_path, "-30", "--halt-on=error")
    assert done.returncode == 1
    assert "END" not in done.stdout
    assert done.stderr.count("trainlint halted the training at step 11: TL250") == 1
    with Recording("run.tlr") as recording:
        assert [one.number for one in recording.steps()] == list(range(1, 13))
        assert recording.sessions[0].is_finished


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
        with pruning(trial, net, optimizer, every=1) as monitor:
            assert monitor.facts.run.path.endswith("test_others.py")
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


def trainable(config):
    """Train a small network, as a trial of Ray Tune."""
    from ray import tune  # noqa: PLC0415 - where it is installed

    from trainlint.integrations.ray import stopping  # noqa: PLC0415 - where it is installed

    torch.manual_seed(0)
    first = nn.Linear(8, 64)
    nn.init.constant_(first.bias, config["bias"])
    net = nn.Sequential(first, nn.ReLU(), nn.Linear(64, 3))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with stopping(net, optimizer, report={"loss": math.inf}, every=1):
        for _ in range(3):
            for _ in range(8):
                inputs = torch.randn(128, 8)
                loss = nn.functional.cross_entropy(net(inputs), inputs[:, :3].argmax(1))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            tune.report({"loss": loss.item()})


def test_a_trial_of_ray_that_is_beyond_help_is_stopped(tmp_path):
    ray = pytest.importorskip("ray")
    tune = pytest.importorskip("ray.tune")
    cloudpickle = pytest.importorskip("ray.cloudpickle")
    cloudpickle.register_pickle_by_value(
        sys.modules[__name__]
    )  # its workers cannot import the tests
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="error")
    try:
        results = tune.Tuner(
            trainable,
            param_space={"bias": tune.grid_search([-30.0, 0.0])},
            tune_config=tune.TuneConfig(metric="loss", mode="min"),
            run_config=tune.RunConfig(storage_path=str(tmp_path), verbose=0),
        ).fit()
    finally:
        ray.shutdown()
    by_bias = {one.config["bias"]: one for one in results}
    assert not results.errors
    assert "dead-relu" in by_bias[-30.0].metrics["trainlint"]
    assert by_bias[-30.0].metrics["training_iteration"] == 2
    assert by_bias[0.0].metrics["training_iteration"] == 3
    assert results.get_best_result().config["bias"] == 0.0
