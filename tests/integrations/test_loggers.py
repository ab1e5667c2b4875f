"""Weights & Biases, MLflow and Lightning's loggers, against the real packages."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import pytest
import torch
from torch import nn

import trainlint

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def train(model, data, *, steps=12, after=None, **options):
    """Train a model whose first layer is dead and return its monitor."""
    inputs, labels = data
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    options = {"live": False, "every": 1, **options}
    with trainlint.watch(model, optimizer, **options) as monitor:
        for step in range(steps):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
            if after is not None:
                after(step)
    return monitor


# --- Weights & Biases


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """Return a function that begins a run which writes a file."""
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")

    def begin():
        return wandb.init(
            mode="offline", project="p", dir=str(tmp_path), settings=wandb.Settings(console="off")
        )

    yield begin
    wandb.teardown()


def records(folder):
    """Yield what the file of a run holds: records in blocks of 32 KiB, as in LevelDB's log."""
    import wandb  # noqa: PLC0415
    from wandb.proto import wandb_internal_pb2  # noqa: PLC0415

    wandb.teardown()  # what writes the file may be behind

    (path,) = Path(folder).glob("wandb/offline-run-*/*.wandb")
    data, at, whole = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        length, kind = struct.unpack("<HB", data[at + 4 : at + 7])
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in {1, 4}:
            record = wandb_internal_pb2.Record()
            record.ParseFromString(whole)
            yield record
            whole = b""


def history(folder):
    """Return the rows of the history."""
    return [
        {
            item.key or "/".join(item.nested_key): json.loads(item.value_json)
            for item in one.history.item
        }
        for one in records(folder)
        if one.WhichOneof("record_type") == "history"
    ]


def test_rows_of_wandb_stand_between_those_of_the_user(offline, model, data, tmp_path):
    run = offline()
    monitor = train(model(-30.0), data, loggers=run, after=lambda step: run.log({"mine": step}))
    summary = dict(run.summary)
    run.finish()
    rows = history(tmp_path)
    assert [one["mine"] for one in rows if "mine" in one] == list(range(12))
    ours = [one for one in rows if "trainlint/loss" in one]
    assert [one["trainlint/step"] for one in ours] == list(range(1, 13))
    assert [one["trainlint/loss"] for one in ours] == monitor.signals["loss"][""].values
    assert {"trainlint/gradient_rms/2.weight", "trainlint/dead_units/1"} <= ours[0].keys()
    assert "cannot work like this" in summary["trainlint/verdict"]
    assert summary["trainlint/diagnoses/TL250 dead-relu"].startswith("step ")
    alerts = [one.alert for one in records(tmp_path) if one.WhichOneof("record_type") == "alert"]
    assert ("trainlint: TL250 dead-relu", "ERROR") in [(one.title, one.level) for one in alerts]
    axes = {
        one.metric.glob_name: one.metric.step_metric
        for one in records(tmp_path)
        if one.WhichOneof("record_type") == "metric"
    }
    assert axes["trainlint/*"] == "trainlint/step"


def test_wandb_drops_nothing_of_a_user_who_counts_epochs(offline, model, data, tmp_path):
    run = offline()

    def after(step):
        if step % 4 == 3:
            run.log({"mine": step}, step=step // 4)

    train(model(), data, loggers=run, after=after)
    run.finish()
    rows = history(tmp_path)
    assert [(one["_step"], one["mine"]) for one in rows if "mine" in one] == [
        (0, 3),
        (1, 7),
        (2, 11),
    ]
    assert [one["trainlint/step"] for one in rows if "trainlint/step" in one][-1] == 12


def test_wandb_has_all_rows_where_nobody_else_logs_and_the_run_ends_first(
    offline, model, data, tmp_path
):
    import wandb  # noqa: PLC0415

    offline()
    train(model(), data, loggers=wandb, after=lambda step: step == 11 and wandb.finish())
    assert [one["trainlint/step"] for one in history(tmp_path)] == list(range(1, 13))


def test_a_disabled_run_of_wandb_takes_everything_and_says_nothing(model, data, caplog):
    wandb = pytest.importorskip("wandb")
    run = wandb.init(mode="disabled")
    train(model(-30.0), data, loggers=run)
    assert not [one for one in caplog.messages if "tells" in one]
    run.finish()


def test_wandb_without_a_run_is_refused(model, data):
    wandb = pytest.importorskip("wandb")
    with pytest.raises(ValueError, match=r"call wandb.init\(\) before"):
        train(model(), data, loggers=wandb)


# --- MLflow


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return MLflow with a store of its own."""
    mlflow = pytest.importorskip("mlflow")
    folder = tmp_path_factory.mktemp("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/runs.db")
    mlflow.create_experiment("one", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("one")
    return mlflow


def told(mlflow, run, name):
    """Return the steps and the values of a metric."""
    found = mlflow.MlflowClient().get_metric_history(run, name)
    return [(one.step, one.value) for one in sorted(found, key=lambda one: one.step)]


def test_mlflow_has_metrics_diagnoses_and_the_verdict(store, model, data):
    with store.start_run() as run:
        monitor = train(model(-30.0), data, loggers=store)
    norms = monitor.signals["total_norm"][""]
    identity = run.info.run_id
    assert told(store, identity, "trainlint/total_norm") == list(
        zip(norms.steps, norms.values, strict=True)
    )
    assert told(store, identity, "trainlint/gradient_rms/2.weight")
    tags = store.MlflowClient().get_run(identity).data.tags
    assert "cannot work like this" in tags["trainlint.verdict"]
    text = store.artifacts.load_text(f"runs:/{identity}/trainlint/diagnoses.md")
    assert text.startswith("**error TL250 dead-relu**, step ")


def test_mlflow_takes_a_client_with_a_run_and_names_of_any_letters(store, data):
    client = store.MlflowClient()
    run = client.create_run("1")
    odd = nn.ModuleDict({"<b>": nn.Linear(8, 64), "é": nn.Linear(64, 3)})
    odd.forward = lambda inputs: odd["é"](odd["<b>"](inputs).relu())
    train(odd, data, steps=2, loggers=(client, run.info.run_id))
    train(odd, data, steps=3, loggers=[client.get_run(run.info.run_id)])
    steps = [step for step, _ in told(store, run.info.run_id, "trainlint/gradient_rms/_b_.weight")]
    assert steps == [1, 1, 2, 2, 3]
    assert told(store, run.info.run_id, "trainlint/gradient_rms/é.weight")


def test_a_store_that_fails_or_hangs_does_not_hold_the_training_up(
    store, model, data, caplog, monkeypatch
):
    from trainlint.runtime.loggers import mlflow as ours  # noqa: PLC0415

    caplog.set_level("WARNING", "trainlint")
    client = store.MlflowClient()
    train(model(), data, loggers=(client, "nosuchrun"))
    (line,) = [one for one in caplog.messages if "tells" in one]
    assert line.startswith("trainlint tells MlflowClient nothing any more (MlflowException: ")
    assert "\n" not in line

    import threading  # noqa: PLC0415

    gate = threading.Event()
    monkeypatch.setattr(ours, "PATIENCE", 0.05)
    monkeypatch.setattr(client, "log_batch", lambda *_, **__: gate.wait(20))
    caplog.clear()
    monitor = train(model(), data, steps=100, loggers=(client, "run"))
    assert not gate.is_set()
    assert monitor.step == 100
    assert "TimeoutError" in caplog.text
    gate.set()


# --- Lightning


def test_loggers_of_a_lightning_trainer_are_told(model, data, tmp_path):
    pl = pytest.importorskip("lightning.pytorch")
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger  # noqa: PLC0415

    from trainlint.integrations.lightning import TrainHealth  # noqa: PLC0415

    class Classifier(pl.LightningModule):  # type: ignore[name-defined]
        def __init__(self):
            super().__init__()
            self.net = model(-30.0)

        def training_step(self, batch, _):
            inputs, labels = batch
            return nn.functional.cross_entropy(self.net(inputs), labels)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(*data), batch_size=128, shuffle=False
    )
    loggers = [TensorBoardLogger(tmp_path, "board"), CSVLogger(tmp_path, "table")]
    trainer = pl.Trainer(
        max_epochs=2,
        logger=loggers,
        callbacks=[TrainHealth(every=1, loggers=True)],
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Classifier(), loader)
    events = accumulators.EventAccumulator(loggers[0].log_dir)
    events.Reload()
    assert [one.step for one in events.Scalars("trainlint/total_norm")] == list(range(1, 17))
    assert "trainlint/diagnoses/TL250 dead-relu/text_summary" in events.Tags()["tensors"]
    table = Path(loggers[1].log_dir, "metrics.csv").read_text()
    assert "trainlint/total_norm" in table.splitlines()[0]
    assert not math.isnan(events.Scalars("trainlint/total_norm")[0].value)
