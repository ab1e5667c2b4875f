"""What watching costs under frameworks and over ranks, side by side with the same training unwatched.

How to run: python bench/integrations_overhead.py [--kinds lightning,trainer,ddp,fsdp] [--steps 200]
[--rounds 3]. Lightning and transformers are measured where they are installed; DDP and FSDP have two
ranks of this machine (gloo). Each process has one thread.

The same multilayer perceptron is trained in turns, unwatched and watched with what holds by default, in
one process (of each rank), so that both see the same machine. Printed are the median step of both, the
ratio of the time of whole runs, that of their second halves, when the start with its first measured steps
is over, and the share that the monitor says that it has used.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import itertools
import logging
import os
import statistics
import tempfile
import time
import warnings
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import distributed, multiprocessing, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import trainlint

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[int, bool], tuple[list[float], float]]
    """A training of so many steps, watched or not: when each was over, and the monitor's share."""

WIDTH: Final = 512
BATCH: Final = 256
NEEDS: Final = {"lightning": "lightning", "trainer": "transformers"}
QUIET: Final[dict[str, Any]] = {"recording": None, "live": False}


class Net(nn.Module):
    """A multilayer perceptron that returns its loss, as transformers' Trainer wants it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        layers = [nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU()) for _ in range(5)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, inputs: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the loss and the logits."""
        logits = self.head(self.body(inputs))
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def rows(count: int) -> list[dict[str, torch.Tensor]]:
    """Return examples whose label is their largest element of the first ten."""
    inputs = torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(1))
    return [{"inputs": one, "labels": one[:10].argmax()} for one in inputs]


DATA: Final = rows(8 * BATCH)


def share(monitor: trainlint.Monitor | None) -> float:
    """Return the share of the time that a monitor has used."""
    return 0.0 if monitor is None else monitor.own_share


def lightning(steps: int, watched: bool) -> tuple[list[float], float]:  # noqa: FBT001 - one of two
    """Train with Lightning."""
    import lightning.pytorch as pl  # noqa: PLC0415 - where it is installed

    from trainlint.integrations.lightning import TrainHealth  # noqa: PLC0415

    base: Any = pl.LightningModule
    callback: Any = pl.Callback

    class Module(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = Net()

        def training_step(self, batch: dict[str, torch.Tensor], _: int) -> torch.Tensor:
            return self.net(**batch)["loss"]  # type: ignore[no-any-return]

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.05)

    class Clock(callback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.times: list[float] = []

        def on_train_batch_end(self, *_: Any) -> None:
            self.times.append(time.perf_counter())

    clock, health = Clock(), TrainHealth(**QUIET)
    pl.Trainer(
        callbacks=[clock, health] if watched else [clock],
        max_steps=steps,
        max_epochs=-1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(Module(), torch.utils.data.DataLoader(DATA, BATCH))  # type: ignore[arg-type]
    return clock.times, share(health.monitor)


def trainer(steps: int, watched: bool) -> tuple[list[float], float]:  # noqa: FBT001
    """Train with the Trainer of transformers."""
    import transformers  # noqa: PLC0415 - where it is installed

    from trainlint.integrations.transformers import TrainHealth  # noqa: PLC0415

    base: Any = transformers.TrainerCallback

    class Clock(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self.times: list[float] = []

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.times.append(time.perf_counter())

    clock, health = Clock(), TrainHealth(**QUIET)
    arguments = transformers.TrainingArguments(
        output_dir="out",
        per_device_train_batch_size=BATCH,
        max_steps=steps,
        learning_rate=1e-3,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        save_strategy="no",
        logging_strategy="no",
    )
    made = transformers.Trainer(
        model=Net(),
        args=arguments,
        train_dataset=DATA,
        callbacks=[clock, health] if watched else [clock],
    )
    made.remove_callback(transformers.PrinterCallback)
    made.train()
    return clock.times, share(health.monitor)


def plain(
    steps: int,
    watched: bool,  # noqa: FBT001
    parallel: Callable[[nn.Module], nn.Module],
) -> tuple[list[float], float]:
    """Train over ranks in a loop as the tutorials have it."""
    model = parallel(Net())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    monitor = trainlint.watch(model, optimizer, **QUIET) if watched else None
    loader: Any = torch.utils.data.DataLoader(DATA, BATCH // 2)  # type: ignore[arg-type]
    times: list[float] = []
    while len(times) < steps:
        for batch in loader:
            loss = model(**batch)["loss"]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            times.append(time.perf_counter())
            if len(times) == steps:
                break
    if monitor is not None:
        monitor.close()
    return times, share(monitor)


def sharded(model: nn.Module) -> nn.Module:
    """Shard a model's blocks and then itself over all ranks."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    for block in model.body:  # type: ignore[union-attr]
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return model


def of_rank(rank: int, kind: str, steps: int, rounds: int, place: str) -> None:
    """Train as one of two ranks; rank 0 prints the row."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{place}", rank=rank, world_size=2)
    parallel = sharded if kind == "fsdp" else DistributedDataParallel
    row = compared(kind, functools.partial(plain, parallel=parallel), steps, rounds)
    if rank == 0:
        print(row, flush=True)
    distributed.destroy_process_group()


def compared(kind: str, run: Run, steps: int, rounds: int) -> str:
    """Train in turns, and return a row of the table."""
    run(10, False)  # noqa: FBT003 - what is made once is made now
    run(10, True)  # noqa: FBT003
    whole: dict[bool, list[float]] = {False: [], True: []}
    late: dict[bool, list[float]] = {False: [], True: []}
    each: dict[bool, list[float]] = {False: [], True: []}
    own = 0.0
    for number in range(rounds):
        for watched in (False, True) if number % 2 == 0 else (True, False):
            times, used = run(steps, watched)
            own = max(own, used)
            half = len(times) // 2
            whole[watched].append(times[-1] - times[0])
            late[watched].append(times[-1] - times[half])
            each[watched] += [after - before for before, after in itertools.pairwise(times)]
    first, second = (statistics.median(each[watched]) * 1e3 for watched in (False, True))
    all_of, end = (sum(one[True]) / sum(one[False]) for one in (whole, late))
    return (
        f"| {kind} | {rounds} x {steps} | {first:.2f} | {second:.2f} | {all_of:.4f} | {end:.4f} |"
        f" {own:.2%} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kinds", default="lightning,trainer,ddp,fsdp")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.set_num_threads(1)  # several wait for each other where something else wants a core
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, one thread each")
    print("| kind | steps | median ms | watched ms | whole run | second half | own share |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for kind in options.kinds.split(","):
            if kind in {"ddp", "fsdp"}:
                place = os.path.join(folder, kind)
                multiprocessing.spawn(  # type: ignore[attr-defined, no-untyped-call]
                    of_rank, (kind, options.steps, options.rounds, place), nprocs=2
                )
            elif importlib.util.find_spec(NEEDS[kind]) is None:
                print(f"| {kind} | {NEEDS[kind]} is not installed | | | | | |")
            else:
                run = lightning if kind == "lightning" else trainer
                print(compared(kind, run, options.steps, options.rounds), flush=True)


if __name__ == "__main__":
    main()
