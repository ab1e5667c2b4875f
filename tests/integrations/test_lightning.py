"""The callback for Lightning, against the real package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from textwrap import dedent
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trainlint
from trainlint.runtime.recordings.recording import Recording

pytest.importorskip("lightning")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import lightning.pytorch as pl

    from trainlint.integrations.lightning import TrainHealth

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


class Classifier(pl.LightningModule):
    def __init__(self, net, lr=0.1):
        super().__init__()
        self.net = net
        self.lr = lr

    def training_step(self, batch, _):
        inputs, labels = batch
        return nn.functional.cross_entropy(self.net(inputs), labels)

    def validation_step(self, batch, _):
        inputs, labels = batch
        self.log("val_loss", nn.functional.cross_entropy(self.net(inputs), labels))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


class Adversarial(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.critic = nn.Linear(4, 8), nn.Linear(8, 1)

    def training_step(self, batch, _):
        first, second = self.optimizers()
        fake = self.generator(torch.randn(len(batch[0]), 4))
        second.zero_grad()
        self.manual_backward(self.critic(fake.detach()).mean())
        second.step()
        first.zero_grad()
        self.manual_backward(-self.critic(fake).mean())
        first.step()

    def configure_optimizers(self):
        return [torch.optim.Adam(one.parameters()) for one in (self.generator, self.critic)]


def fit(module, data, *callbacks, checkpoint=None, **options):
    loader = DataLoader(TensorDataset(*data), batch_size=128, shuffle=True)
    trainer = pl.Trainer(
        callbacks=list(callbacks),
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **{"max_epochs": 2, "enable_checkpointing": False, **options},
    )
    trainer.fit(module, loader, loader, ckpt_path=checkpoint, weights_only=False)
    return trainer


def test_a_sick_module_is_diagnosed(model, data):
    health = TrainHealth(every=1)
    fit(Classifier(model(-30.0)), data, health)
    assert health.monitor.step == 16
    assert "dead-relu" in [one.rule for one in health.monitor.diagnoses]
    assert {"net.0.weight"} <= set(health.monitor.signals["gradient_rms"])
    assert health.monitor.facts.run.path.endswith("test_lightning.py")


def test_validation_metrics_arrive(model, data):
    health = TrainHealth(every=1)
    fit(Classifier(model()), data, health, max_epochs=4)
    assert len(health.monitor.signals["val_loss"][""].values) == 3
    assert health.monitor.diagnoses == ()


def test_the_weights_are_those_of_an_unwatched_run(model, data):
    ends = []
    for callbacks in ([], [TrainHealth(every=2)]):
        torch.manual_seed(1)
        module = Classifier(model())
        fit(module, data, *callbacks)
        ends.append(module.state_dict())
    for name, one in ends[0].items():
        assert torch.equal(one, ends[1][name])


@pytest.mark.parametrize(
    "options",
    [
        {"accumulate_grad_batches": 4},
        {"precision": "bf16-mixed"},
        {"gradient_clip_val": 0.1},
        {"fast_dev_run": True},
    ],
    ids=str,
)
def test_the_trainer_may_accumulate_clip_and_use_half_precision(options, model, data):
    health = TrainHealth(every=1)
    fit(Classifier(model()), data, health, **options)
    steps = 1 if "fast_dev_run" in options else 4 if "accumulate_grad_batches" in options else 16
    assert health.monitor.step == steps
    assert health.monitor.diagnoses == ()
    if "gradient_clip_val" in options:
        assert max(health.monitor.signals["total_norm"][""].values) <= 0.1001


def test_a_dev_run_keeps_nothing(model, data, monkeypatch):
    monkeypatch.delenv("TRAINLINT_RECORDING")
    health = TrainHealth()
    fit(Classifier(model()), data, health, fast_dev_run=True)
    assert health.monitor.step == 1
    assert health.monitor.recording is None
    fit(Classifier(model()), data, health, max_steps=1)
    assert os.path.exists(str(health.monitor.recording))


def test_several_optimizers_are_one_step(data):
    health = TrainHealth(every=1)
    fit(Adversarial(), data, health)
    assert health.monitor.step == 16
    assert health.monitor.facts.alternates


@pytest.mark.parametrize("name", ["lightning.pytorch", "pytorch_lightning"])
def test_it_is_a_callback_under_both_names(name, model, data):
    package = pytest.importorskip(name)
    base: Any = package.LightningModule

    class Module(base):
        def __init__(self, net):
            super().__init__()
            self.net = net

        training_step = Classifier.training_step

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    health = TrainHealth(every=1)
    assert isinstance(health, package.Callback)
    trainer = package.Trainer(
        callbacks=[health], max_steps=5, accelerator="cpu", logger=False, enable_checkpointing=False
    )
    trainer.fit(Module(model()), DataLoader(TensorDataset(*data), batch_size=128))
    assert health.monitor.step == 5
    assert health.monitor.signals["rms"]["net.1"].steps == [1, 2, 3, 4, 5]


def test_a_diagnosis_may_halt_the_trainer(model, data):
    health = TrainHealth(every=1, halt_on="dead-relu")
    with pytest.raises(trainlint.TrainingHalted):
        fit(Classifier(model(-30.0)), data, health, max_epochs=20)
    assert health.monitor._is_closed
    assert health.monitor.step in {10, 11}


RANKS = """
    import sys
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset
    import lightning.pytorch as pl
    from trainlint.integrations.lightning import TrainHealth

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))

        def training_step(self, batch, _):
            return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    pl.seed_everything(0)
    inputs = torch.randn(256, 8)
    health = TrainHealth(every=1, recording="run.tlr")
    trainer = pl.Trainer(
        callbacks=[health], accelerator="cpu", devices=2, strategy="ddp", max_epochs=2, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )
    trainer.fit(Module(), DataLoader(TensorDataset(inputs, inputs[:, :3].argmax(1)), batch_size=32))
    print("END", trainer.global_rank, health.monitor.step, health.monitor.facts.ranks)
"""


def test_its_ranks_are_watched_together(tmp_path):
    (tmp_path / "train.py").write_text(dedent(RANKS))
    environment = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
    done = subprocess.run(
        [sys.executable, "train.py"],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**environment, "OMP_NUM_THREADS": "1"},
    )
    assert sorted(re.findall(r"END .*", done.stdout)) == ["END 0 8 2", "END 1 8 2"], done.stderr
    assert len(re.findall("8 steps", done.stderr)) == 1
    assert [one.number for one in Recording("run.tlr").steps()] == list(range(1, 9))


@pytest.mark.parametrize("named", [False, True])
def test_a_resumed_run_continues_its_recording(named, model, data, tmp_path):
    path = tmp_path / "run.tlr"
    first = TrainHealth(every=1, recording=path)
    trainer = fit(Classifier(model()), data, first, enable_checkpointing=True)
    trainer.save_checkpoint(tmp_path / "end.ckpt")
    second = TrainHealth(every=1, recording=path) if named else TrainHealth(every=1)
    fit(Classifier(model()), data, second, checkpoint=tmp_path / "end.ckpt", max_epochs=3)
    assert second.monitor.recording == str(path)
    recording = Recording(path)
    made = [
        # What is validated after the last step is told as that step once more.
        list(dict.fromkeys(step.number for step in recording.steps(one.number)))
        for one in recording.sessions
    ]
    assert made == [list(range(1, 17)), list(range(1, 9))]
