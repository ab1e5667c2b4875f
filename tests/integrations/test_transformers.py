"""The callback for transformers' Trainer, against the real package, with a model built here."""

from __future__ import annotations

import warnings

import pytest
import torch

import trainlint

pytest.importorskip("transformers")
pytest.importorskip("accelerate")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        Trainer,
        TrainingArguments,
    )

    from trainlint.integrations.transformers import TrainHealth

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def tiny():
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        num_labels=2,
    )
    return BertForSequenceClassification(config)


def rows(count=64):
    tokens = torch.randint(5, 50, (count, 12))
    return [
        {"input_ids": one, "attention_mask": torch.ones_like(one), "labels": int(one[0] > 27)}
        for one in tokens
    ]


def train(model, *callbacks, **options):
    arguments = TrainingArguments(
        output_dir="out",
        per_device_train_batch_size=16,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        save_strategy="no",
        logging_steps=1,
        **{"eval_strategy": "epoch", "learning_rate": 1e-3, "num_train_epochs": 2, **options},
    )
    data = rows()
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=data,
        eval_dataset=data,
        callbacks=list(callbacks),
    )
    trainer.train()
    return trainer


def test_a_training_is_watched_with_its_evaluations(capsys):
    health = TrainHealth(every=1, live=False)
    train(tiny(), health)
    capsys.readouterr()
    assert health.monitor.step == 8
    assert health.monitor.signals["val_loss"][""].values
    assert "classifier.weight" in health.monitor.signals["gradient_rms"]
    assert [one for one in health.monitor.diagnoses if one.severity != "advice"] == []


@pytest.mark.parametrize(
    "options",
    [{"gradient_accumulation_steps": 2}, {"bf16": True}, {"gradient_checkpointing": True}],
    ids=str,
)
def test_the_trainer_may_accumulate_checkpoint_and_use_half_precision(options):
    health = TrainHealth(every=1)
    train(tiny(), health, **options)
    assert health.monitor.step == (4 if "gradient_accumulation_steps" in options else 8)
    assert "bert.encoder.layer.0.output.dense" in health.monitor.signals["rms"]
    assert [one for one in health.monitor.diagnoses if one.severity != "advice"] == []


def test_a_diagnosis_may_halt_the_trainer():
    health = TrainHealth(every=1, halt_on="non-finite-activation")
    model = tiny()
    torch.nn.init.constant_(model.classifier.bias, float("nan"))
    with pytest.raises(trainlint.TrainingHalted):
        train(model, health)
    assert health.monitor._is_closed
    assert health.monitor.step < 8


def test_the_weights_are_those_of_an_unwatched_run():
    ends = []
    for callbacks in ([], [TrainHealth(every=2)]):
        model = tiny()
        torch.manual_seed(1)
        train(model, *callbacks)
        ends.append(model.state_dict())
    for name, one in ends[0].items():
        assert torch.equal(one, ends[1][name])


def test_frozen_weights_of_an_adapter_are_no_defect():
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(r=4, target_modules=["query", "value"], task_type="SEQ_CLS")
    health = TrainHealth(every=1)
    train(peft.get_peft_model(tiny(), config), health)
    rules = {one.rule for one in health.monitor.diagnoses if one.severity != "advice"}
    assert not rules & {"no-gradient", "unchanged-weights"}
    trained = set(health.monitor.signals["update_ratio"])
    assert any("lora_B" in name for name in trained)
    assert not any("base_layer" in name for name in trained)
