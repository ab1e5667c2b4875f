"""Configurations of training are judged, what only looks like one is not."""

from __future__ import annotations

import json

import pytest

HYDRA = """\
defaults:
  - _self_
model:
  _target_: src.models.Classifier
  dropout: 0.8
  optimizer:
    _target_: torch.optim.Adam
    _partial_: true
    lr: 0.5
    betas: [0.999, 0.9]
    weight_decay: 0.05
"""


def test_what_hydra_constructs_is_judged_wherever_it_stands(said):
    assert said(HYDRA) == ["5 TL211", "9 TL402", "10 TL404", "11 TL416"]


def test_the_class_path_and_init_args_of_lightning_are_judged(said):
    text = """\
        optimizer:
          class_path: torch.optim.SGD
          init_args:
            lr: 30
            momentum: 1.5
        model:
          class_path: nets.Net
          init_args:
            attention_dropout: 0.9
        trainer:
          max_epochs: 3
          devices: 2
          gradient_clip_val: 0
          gradient_clip_algorithm: value
        """
    assert said(text) == ["4 TL401", "5 TL403", "9 TL211"]


def test_lightning_takes_the_last_part_of_a_name_for_optimizers_and_schedulers(said):
    text = """\
        optimizer: {class_path: AdamW, init_args: {lr: 0.5}}
        lr_scheduler: {class_path: NAME, init_args: {max_lr: 0.1}}
        """
    assert said(text.replace("NAME", "StepLR")) == ["1 TL402"]
    assert said(text.replace("NAME", "OneCycleLR")) == []
    assert said(text.replace("optimizer", "reader").replace("NAME", "StepLR")) == []


def test_the_fields_of_training_arguments_are_judged(said):
    text = """\
        model_name_or_path: x
        output_dir: out
        num_train_epochs: 3
        per_device_train_batch_size: 64
        learning_rate: 0.3
        weight_decay: 2
        adam_beta1: 0.9
        adam_beta2: 1.5
        """
    assert said(text) == ["4 TL702", "5 TL402", "6 TL418", "8 TL403"]
    assert said("optim: adamw_torch\n" + text.replace("        ", ""))[1] == "6 TL402"


@pytest.mark.parametrize("line", ["optim: adafactor", "optimizer: prodigy", "optim: ${name}", ""])
def test_training_arguments_with_an_optimizer_that_is_not_known_are_left_alone(said, line):
    text = f"learning_rate: 1.0\noutput_dir: x\nnum_train_epochs: 3\nsave_steps: 5\n{line}\n"
    assert said(text) == ([] if line else ["1 TL402"])


def test_clipping_lets_plain_sgd_bear_a_large_rate(said):
    text = "optim: sgd\nlearning_rate: 5\noutput_dir: x\nnum_train_epochs: 3\n"
    assert said(text) == []
    assert said(text + "max_grad_norm: 0\n") == ["2 TL401"]


def deepspeed(**changes):
    """Return a configuration of DeepSpeed."""
    optimizer = {"type": "AdamW", "params": {"lr": 0.5, "betas": [0.9, 1.5], "weight_decay": 3}}
    return json.dumps({"zero_optimization": {}, "optimizer": optimizer} | changes, indent=1)


def test_deepspeed_is_judged(said):
    found = said(deepspeed(train_micro_batch_size_per_gpu=64), "ds.json")
    assert found == ["6 TL402", "7 TL403", "11 TL418", "14 TL702"]


def test_the_adam_of_deepspeed_is_adamw_unless_it_is_told_otherwise(said):
    params = {"lr": 1e-3, "weight_decay": 0.01}
    adam = {"type": "Adam", "params": params}
    assert said(deepspeed(optimizer=adam), "ds.json") == []
    coupled = {"type": "Adam", "params": params | {"adam_w_mode": False}}
    assert said(deepspeed(optimizer=coupled), "ds.json") == ["7 TL416"]


def test_the_schedule_of_deepspeed_says_the_rate_that_is_reached(said):
    def scheduler(kind, peak):
        return {"type": kind, "params": {"warmup_max_lr": peak}}

    small = {"type": "Adam", "params": {"lr": 0.5}}
    text = deepspeed(optimizer=small, scheduler=scheduler("WarmupLR", 1e-4))
    assert said(text, "ds.json") == []
    text = deepspeed(optimizer=small, scheduler=scheduler("WarmupDecayLR", 0.7))
    assert said(text, "ds.json") == ["12 TL402"]
    text = deepspeed(optimizer=small, scheduler={"type": "OneCycle", "params": {}})
    assert said(text, "ds.json") == []


@pytest.mark.parametrize("name", ["Lamb", "OneBitAdam", "auto"])
def test_other_optimizers_of_deepspeed_are_left_alone(said, name):
    other = {"type": name, "params": {"lr": 11, "weight_decay": 5, "betas": [2, 3]}}
    assert said(deepspeed(optimizer=other), "ds.json") == []


def test_automatic_values_are_unknown(said):
    auto = {"type": "AdamW", "params": {"lr": "auto", "betas": "auto", "weight_decay": "auto"}}
    assert said(deepspeed(optimizer=auto, train_micro_batch_size_per_gpu="auto"), "a.json") == []


def test_components_of_torchtune_and_tags_of_hyperpyyaml_are_judged(said):
    assert said("optimizer:\n  _component_: torch.optim.AdamW\n  lr: 0.2\n") == ["3 TL402"]
    text = "lr: 0.2\nopt_class: !name:torch.optim.AdamW\n  lr: !ref <lr>\n"
    assert said(text) == ["3 TL402"]
    noam = "sched: !new:speechbrain.nnet.schedulers.NoamScheduler\n  lr_initial: !ref <lr>\n"
    assert said(text + noam) == []


def test_toml_is_judged(said):
    text = """\
        [training]
        num_train_epochs = 3
        learning_rate = 0.3
        save_steps = 5
        output_dir = "x"
        [[optimizers]]
        _target_ = "torch.optim.SGD"
        momentum = 9
        """
    assert said(text, "conf.toml") == ["3 TL402", "8 TL403"]


def test_a_list_of_optimizers_is_judged_one_by_one(said):
    text = """\
        optimizers:
          - {_target_: torch.optim.Adam, lr: 2e-4, betas: [0.5, 0.999]}
          - {_target_: torch.optim.Adam, lr: 0.4, betas: [0.5, 0.999]}
        """
    assert said(text) == ["3 TL402"]


def test_each_document_of_a_file_is_judged(said):
    text = "_target_: torch.optim.Adam\nlr: 0.3\n---\n_target_: torch.optim.Adam\nlr: 0.4\n"
    assert said(text) == ["2 TL402", "5 TL402"]


def test_a_batch_normalisation_is_judged_only_beside_a_loader_for_training(said):
    loader = "{KEY}: {_target_: torch.utils.data.DataLoader, batch_size: 2}\n"
    norm = "norm: {_target_: torch.nn.BatchNorm2d, num_features: 8}\n"
    assert said(loader.replace("{KEY}", "train_loader") + norm) == ["1 TL604"]
    assert said(loader.replace("{KEY}", "val_loader") + norm) == []
    assert said(loader.replace("{KEY}", "train_loader")) == []


# -- references -------------------------------------------------------------------------------


def test_an_interpolation_is_followed_to_where_the_number_is_written(linted):
    (one,) = linted("lr: 0.3\nopt:\n  _target_: torch.optim.Adam\n  lr: ${lr}\n")
    assert (one.span.line, one.code) == (4, "TL402")
    assert "`${lr}` (0.3)" in one.message
    assert [(each.span.line, each.span.column) for each in one.related] == [(1, 5)]


@pytest.mark.parametrize(
    "reference",
    ["${optim.lr}", "${hyper.rates[1]}", "${hyper.rates.1}", "${again}", '"@hyper::lr"', "*anchor"],
)
def test_references_within_a_document_are_followed(said, reference):
    text = f"""\
        optim: {{lr: 0.3}}
        hyper: {{rates: [1e-3, 0.3], lr: &anchor 0.3}}
        again: ${{optim.lr}}
        opt:
          _target_: torch.optim.Adam
          lr: {reference}
        """
    assert said(text) == ["2 TL402" if reference[0] == "*" else "6 TL402"]


@pytest.mark.parametrize(
    "reference",
    [
        *("${elsewhere}", "${oc.env:LR}", "0${lr}", "${.lr}", "${eval:'${lr} * 2'}", "${opt.lr}"),
        *("!ref <lr> * 2", "$@lr * 2", "!tune [0.3]", "'0.3'", "${loop.a}", "[0.3]", "{a: 0.3}"),
    ],
)
def test_what_cannot_be_told_from_the_document_is_unknown(said, reference):
    loop = "loop: {a: '${loop.b}', b: '${loop.a}'}"
    text = f"lr: 0.3\n{loop}\nopt:\n  _target_: torch.optim.Adam\n  lr: {reference}\n"
    assert said(text) == []


def test_what_is_merged_in_is_judged_where_it_is_written(said):
    text = """\
        base: &base
          lr: 0.3
          weight_decay: 0.02
        opt:
          _target_: torch.optim.Adam
          <<: *base
          weight_decay: 0
        """
    assert said(text) == ["2 TL402"]


# -- rates that say nothing -------------------------------------------------------------------


@pytest.mark.parametrize(
    "schedule",
    [
        "scheduler: {_target_: torch.optim.lr_scheduler.OneCycleLR, max_lr: 1e-3}",
        "scheduler: {_target_: my.WarmupThing}",
        "lr_schedule: {name: noam, factor: 2}",
        "sched: inverse_sqrt",
        "warmup_steps_of_mine: 300",
    ],
)
def test_a_rate_is_left_alone_where_a_schedule_may_give_another(said, schedule):
    text = "opt:\n  _target_: torch.optim.Adam\n  lr: 0.5\n"
    assert said(text) == ["3 TL402"]
    assert said(f"{text}{schedule}\n") == []
    kept = "scheduler: {_target_: torch.optim.lr_scheduler.StepLR, step_size: 3}\n"
    assert said(text + kept + "old_schedule: null\n") == ["3 TL402"]


@pytest.mark.parametrize("rate", ["0", "0.0", "1", "1.0"])
def test_a_rate_of_0_or_1_waits_for_a_schedule_that_is_told_elsewhere(said, rate):
    assert said(f"_target_: torch.optim.Adam\nlr: {rate}\n") == []


# -- what only looks like one -----------------------------------------------------------------

ARGUMENTS = {
    "learning_rate": 5,
    "weight_decay": 9,
    "num_train_epochs": 3,
    "save_steps": 5,
    "output_dir": "x",
}


@pytest.mark.parametrize(
    "path",
    [
        *("package.json", "sub/package-lock.json", "tsconfig.json", "tsconfig.build.json"),
        *("pyproject.toml", "Cargo.toml", "trainlint.toml", "mkdocs.yml", "docker-compose.yml"),
        *(".github/workflows/train.yaml", "a/.github/x.json", ".vscode/settings.json"),
        *("trainer_state.json", "args.schema.json", "environment.yaml"),
    ],
)
def test_files_that_are_something_else_by_their_name_are_never_judged(said, path):
    as_toml = "\n".join(f"{key} = {value!r}" for key, value in ARGUMENTS.items())
    text = as_toml if path.endswith(".toml") else json.dumps(ARGUMENTS)
    assert said(text, path) == []
    assert said(text, f"conf.{path.rpartition('.')[2]}") != []


BERT = {
    "architectures": ["BertForMaskedLM"],
    "model_type": "bert",
    "hidden_dropout_prob": 0.9,
    "dropout": 0.9,
    "attention_probs_dropout_prob": 0.9,
    "num_train_epochs": 3,
    "per_device_train_batch_size": 999,
    "learning_rate": 7,
    "weight_decay": 8,
    "optimizer": {"type": "Adam", "lr": 9, "params": {"lr": 9}},
}


@pytest.mark.parametrize(
    "value",
    [
        BERT,
        {"log_history": [{"learning_rate": 5, "epoch": 1}], "global_step": 3, **ARGUMENTS},
        {"optimizer": {"type": "Adam", "params": {"lr": 11}}},
        {"optimizer": {"name": "Adam", "lr": 11}},
        {"learning_rate": 11, "weight_decay": 9, "batch_size": 9999, "momentum": 4},
        {"learning_rate": 11, "fp16": True, "seed": 3, "weight_decay": 4, "output_dir": "x"},
        {"properties": {key: {"type": "number", "default": 5} for key in ARGUMENTS}},
        {"parameters": {key: {"values": [5, 6]} for key in ARGUMENTS}},
        {"dropout": 0.9, "layers": 3},
        {"class_path": "torch.optim.Adam is a class", "init_args": {"lr": 11}},
        {"class_path": "Adam", "init_args": {"lr": 11}},
        {"_target_": ["torch.optim.Adam"], "lr": 11},
        {"_target_": "apex.optimizers.FusedAdam", "lr": 11, "weight_decay": 7, "betas": [2, 3]},
        {"_target_": "torch.optim", "lr": 11},
        {"handlers": {"file": {"class": "torch.optim.Adam", "lr": 11}}},
        {"trainer": {"gradient_clip_algorithm": "value", "gradient_clip_val": 1}},
        {"fp16": {"enabled": True}, "bf16": False, "optimizer": "adam", "lr": 11},
        {"train_batch_size": 4096, "gradient_accumulation_steps": 1},
        ["torch.optim.Adam", 11],
        "torch.optim.Adam",
        None,
        3,
    ],
)
@pytest.mark.parametrize("path", ["config.json", "conf.yaml"])
def test_what_only_looks_like_a_configuration_of_training_is_not_judged(said, value, path):
    assert said(json.dumps(value), path) == []


def test_the_last_of_two_equal_keys_counts_as_it_does_for_the_loaders(said):
    assert said("_target_: torch.optim.Adam\nlr: 0.5\nlr: 1e-3\n") == []
    assert said('{"_target_": "torch.optim.Adam",\n"lr": 1e-3,\n"lr": 0.5}', "a.json") == [
        "3 TL402"
    ]


def test_files_of_tests_are_not_judged_where_code_of_tests_is_not(said):
    text = "_target_: torch.optim.Adam\nlr: 0.5\n"
    assert said(text, "tests/conf.yaml") == []


def test_aliases_of_aliases_and_numbers_that_are_none_break_nothing(said):
    lines = ["a0: &a0 [1, 1]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 3000)]
    text = "opt:\n  _target_: torch.optim.Adam\n  lr: 0.5\n  betas: *a2999\n  eps: ${a2999}\n"
    assert said("\n".join([*lines, text])) == ["3003 TL402"]
    arguments = '"num_train_epochs": 1, "output_dir": "", "save_steps": 1, "seed": 1'
    assert said(f'{{{arguments}, "adam_beta1": NaN, "adam_beta2": Infinity}}', "a.json") == [
        "1 TL403"
    ]
