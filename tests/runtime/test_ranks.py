"""Trainings that are parallel over ranks, run by torchrun with gloo."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest
import torch

pytestmark = pytest.mark.slow

SHARDS = hasattr(torch.cpu.Stream, "record_event")
"""Whether this torch shards on the CPU: 2.6 does not."""
needs_shards = pytest.mark.skipif(not SHARDS, reason="`fully_shard` of this torch needs a GPU")

TRAINING = """
import json, os, sys
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
import trainlint

dist.init_process_group("gloo")
rank = dist.get_rank()


def run(case, options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 3))
    if options.get("sick"):
        nn.init.constant_(model[0].bias, -30.0)
    if options["kind"] == "fsdp":
        from torch.distributed.fsdp import fully_shard
        from torch.distributed.device_mesh import init_device_mesh
        mesh = init_device_mesh("cpu", (dist.get_world_size(),))
        fully_shard(model[0], mesh=mesh)
        fully_shard(model, mesh=mesh)
        parallel = model
    else:
        wrapper = DistributedDataParallel(model)
        parallel = wrapper.module if options.get("diverges") else wrapper
    optimizer = torch.optim.SGD(parallel.parameters(), lr=0.1)
    monitor = None
    if options.get("watch", True):
        monitor = trainlint.watch(
            parallel,
            optimizer,
            recording=options.get("recording", False),
            live=False,
            **{"every": 1, **options.get("more", {})},
        )
    generator = torch.Generator().manual_seed(100 + rank)
    halted = None
    try:
        for step in range(options.get("steps", 20)):
            inputs = torch.randn(32, 8, generator=generator)
            labels = inputs[:, :3].argmax(1)
            if step == options.get("bad_step") and rank == 1:
                inputs[0, 0] = float("nan")
            if options.get("slow") and rank == 1:
                import time
                time.sleep(0.05)
            loss = nn.functional.cross_entropy(parallel(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            if step >= options.get("tells_from", 1000) and rank == 1:
                monitor.log(val_loss=0.0)
            if step == options.get("dies_at") and rank == 1:
                os._exit(9)
            optimizer.step()
    except trainlint.TrainingHalted as error:
        halted = str(error)
    weights = [
        (one.full_tensor() if hasattr(one, "full_tensor") else one).detach().double().sum().item()
        for one in model.parameters()
    ]
    told = {"case": case, "rank": rank, "weights": weights, "halted": halted, "step": monitor and monitor.step}
    if monitor is not None:
        monitor.close()
        last = monitor.signals.last
        told["halted_on"] = monitor.halting and [monitor.halting.rule, monitor.halting.moment.rank]
        told["rules"] = [one.rule for one in monitor.diagnoses]
        told["messages"] = [one.message for one in monitor.diagnoses]
        told["ranks"] = monitor.facts.ranks
        told["norms"] = last.get("weight_norm")
        told["samples"] = last.get("window_samples")
        told["measured"] = monitor.signals["total_norm"][""].steps
    print("TOLD" + json.dumps(told), flush=True)


for case, options in json.loads(sys.argv[1]).items():
    run(case, {"kind": "ddp", **options})
dist.destroy_process_group()
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


@pytest.fixture(scope="module")
def launch(torched):
    """Return a function that runs the training for each case, and returns what each rank has told of it."""

    def launched(folder, ranks, cases):
        (folder / "train.py").write_text(TRAINING)
        # As torchrun tells the ranks, each of which would import torch anew.
        known = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": str(ranks)}
        done = torched.run_together(
            ["train.py", json.dumps(cases)],
            [{**known, "RANK": str(one), "LOCAL_RANK": str(one)} for one in range(ranks)],
            cwd=folder,
        )
        told = [
            json.loads(line.removeprefix("TOLD"))
            for one in done
            for line in one.stdout.splitlines()
            if line.startswith("TOLD")
        ]
        # gloo may abort a process at its very end, when all has been told.
        well = not any(one.returncode for one in done)
        assert well or len(told) == ranks * len(cases), "\n".join(one.stderr for one in done)
        return {case: [one for one in told if one["case"] == case] for case in cases}

    return launched


SAME_BITS = {
    f"{kind} {how}": {"kind": kind, **options}
    for kind in ("ddp", *(["fsdp"] if SHARDS else []))
    for how, options in (("plain", {"watch": False}), ("watched", {"more": {"every": 3}}))
}


@pytest.fixture(scope="module")
def two(tmp_path_factory, launch):
    """Return what two ranks have told of many trainings, for starting ranks is what takes time."""
    halting = {"halt_on": "dead-relu", "thresholds": {"dead-relu": {"samples": 10}}}
    return launch(
        tmp_path_factory.mktemp("two"),
        2,
        {
            **SAME_BITS,
            "whole": {"steps": 5},
            **({"shards": {"steps": 5, "kind": "fsdp"}} if SHARDS else {}),
            "clocks": {"more": {"every": None, "budget": 0.05}, "slow": True, "steps": 60},
            "halting": {"sick": True, "steps": 60, "more": halting},
            "halting alone": {"tells_from": 11, "more": {"halt_on": "suspicious-perfection"}},
            "diverging": {"diverges": True},
            "bad": {"bad_step": 5},
            "slow": {"slow": True, "steps": 40},
        },
    )


@pytest.fixture(scope="module")
def four(tmp_path_factory, launch):
    """Return what four ranks have told."""
    return launch(tmp_path_factory.mktemp("four"), 4, SAME_BITS)


@pytest.mark.parametrize("kind", ["ddp", pytest.param("fsdp", marks=needs_shards)])
@pytest.mark.parametrize("ranks", [2, 4])
def test_a_watched_parallel_training_ends_in_the_same_bits(kind, ranks, request):
    told = request.getfixturevalue("two" if ranks == 2 else "four")
    plain, watched = told[f"{kind} plain"], told[f"{kind} watched"]
    assert len(plain) == ranks
    assert [one["weights"] for one in plain] == [one["weights"] for one in watched]
    assert {one["ranks"] for one in watched} == {ranks}
    assert [one["measured"] for one in watched] == [[1, 3, 6, 9, 12, 15, 18]] * ranks
    assert all(one["rules"] == [] for one in watched)


@needs_shards
def test_norms_of_shards_are_those_of_the_whole(two):
    whole, shards = two["whole"][0]["norms"], two["shards"][0]["norms"]
    assert whole.keys() == shards.keys()
    for name, norm in whole.items():
        assert shards[name] == pytest.approx(norm, rel=1e-4)


def test_counts_are_those_of_all_ranks(two):
    assert two["whole"][0]["samples"] == {"1": 2 * 32 * 5}


def test_ranks_that_measure_by_their_own_clocks_agree_on_the_steps(two):
    first, second = two["clocks"]
    assert first["measured"] == second["measured"]
    assert len(first["measured"]) >= 10


def test_a_diagnosis_halts_all_ranks_at_the_same_step(two):
    first, second = two["halting"]
    assert first["step"] == second["step"] < 60
    assert all("dead-relu" in one["halted"] for one in (first, second))


def test_a_diagnosis_of_one_rank_halts_all_of_them_and_is_told_by_the_first(two):
    first, second = two["halting alone"]
    assert first["step"] == second["step"] == 14
    assert first["halted"] == second["halted"]
    assert first["halted"].startswith("step 13: TL927 suspicious-perfection")
    assert first["halted_on"] == second["halted_on"] == ["suspicious-perfection", 1]
    assert first["rules"] == ["suspicious-perfection"]


def test_replicas_that_drift_apart_are_seen(two):
    assert two["diverging"][0]["rules"][:1] == ["rank-divergence"]


def test_the_rank_that_was_not_finite_first_is_named(two):
    told = two["bad"][0]
    assert "rank 1" in told["messages"][told["rules"].index("rank-non-finite")]


def test_a_rank_that_all_wait_for_is_seen(two):
    assert "straggler" in two["slow"][0]["rules"]


def test_a_rank_that_dies_leaves_a_recording_that_can_be_read(tmp_path):
    path = tmp_path / "run.tlr"
    cases = {"dying": {"dies_at": 12, "recording": str(path)}}
    (tmp_path / "train.py").write_text(TRAINING)
    # Only torchrun ends the other rank then.
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    done = subprocess.run(
        [*command, "train.py", json.dumps(cases)],
        capture_output=True,
        check=False,
        timeout=240,
        cwd=tmp_path,
    )
    assert done.returncode != 0
    from trainlint.runtime.recordings.recording import Recording  # noqa: PLC0415 - needs a recording

    numbers = [step.number for step in Recording(path).steps()]
    assert numbers in (list(range(1, 13)), list(range(1, 14)))  # rank 0 may have made one more
