"""What watching costs under frameworks and over ranks, side by side with the same training unwatched.

How to run: python bench/integrations_overhead.py [--kinds lightning,trainer,ddp,fsdp] [--steps 800].
Lightning and transformers are measured where they are installed; DDP and FSDP have two ranks of this
machine (gloo). Each process has one thread.

The same multilayer perceptron is trained unwatched in one process (of each rank) and watched, with what
holds by default, in another. They take turns every ten steps, and time is counted only while it is one's
turn: a machine may be half as fast a minute later, but hardly a quarter of a second later. Printed are the
median step of both, the ratio of the time of whole runs, that of their second halves, when the start with
its first measured steps is over, and the share that the monitor says that it has used.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import itertools
import logging
import multiprocessing
import os
import statistics
import tempfile
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import trainlint

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Semaphore

    Run = Callable[[int, bool, "Turns"], float]
    """A training of so many steps, watched or not, that says when each is over: the monitor's share."""

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
BLOCK: Final = 10
"""So many steps are one turn."""


@dataclass
class Turns:
    """Lets two processes train in turns, and counts the time of this one alone."""

    own: Semaphore
    other: Semaphore

    def __post_init__(self) -> None:
        """Begin with the time that the process has."""
        self.times: list[float] = []
        self.waited = 0.0
        self.clock = time.perf_counter
        time.perf_counter = self.now  # the monitor's, too: its budget is a share of this time

    def now(self) -> float:
        """Return the time without that of the other process."""
        return self.clock() - self.waited

    def wait(self) -> None:
        """Wait until it is this process's turn."""
        start = self.clock()
        self.own.acquire()
        self.waited += self.clock() - start

    def step(self) -> None:
        """Note that a step is over; the first comes behind the making of all that is needed."""
        if not self.times:
            self.wait()
        elif len(self.times) % BLOCK == 0:
            self.other.release()
            self.wait()
        self.times.append(self.now())


def share(monitor: trainlint.Monitor | None) -> float:
    """Return the share of the time that a monitor has used."""
    return 0.0 if monitor is None else monitor.own_share


def lightning(steps: int, watched: bool, turns: Turns) -> float:  # noqa: FBT001 - one of two
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
        def on_train_batch_end(self, *_: Any) -> None:
            turns.step()

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
    return share(health.monitor)


def trainer(steps: int, watched: bool, turns: Turns) -> float:  # noqa: FBT001
    """Train with the Trainer of transformers."""
    import transformers  # noqa: PLC0415 - where it is installed

    from trainlint.integrations.transformers import TrainHealth  # noqa: PLC0415

    base: Any = transformers.TrainerCallback

    class Clock(base):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            turns.step()

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
    return share(health.monitor)


def plain(
    steps: int,
    watched: bool,  # noqa: FBT001
    turns: Turns,
    *,
    parallel: Callable[[nn.Module], nn.Module],
) -> float:
    """Train over ranks in a loop as the tutorials have it."""
    model = parallel(Net())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    monitor = trainlint.watch(model, optimizer, **QUIET) if watched else None
    loader: Any = torch.utils.data.DataLoader(DATA, BATCH // 2)  # type: ignore[arg-type]
    for batch in itertools.islice(itertools.chain.from_iterable(itertools.repeat(loader)), steps):
        loss = model(**batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        turns.step()
    if monitor is not None:
        monitor.close()
    return share(monitor)


def sharded(model: nn.Module) -> nn.Module:
    """Shard a model's blocks and then itself over all ranks."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    for block in model.body:  # type: ignore[union-attr]
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return model


def run_of(kind: str) -> Run:
    """Return the training of a kind."""
    if kind in NEEDS:
        return lightning if kind == "lightning" else trainer
    parallel = sharded if kind == "fsdp" else DistributedDataParallel
    return functools.partial(plain, parallel=parallel)


def train(kind: str, place: str, steps: int, rank: int, watched: bool, given: Any) -> None:  # noqa: FBT001
    """Train in a process of its own; rank 0 hands on when each step was over, and the share."""
    own, other, told = given
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    os.chdir(place)
    torch.set_num_threads(1)  # several wait for each other where something else wants a core
    if kind not in NEEDS:
        meeting = f"file://{place}/{kind}-{watched}"
        distributed.init_process_group("gloo", meeting, rank=rank, world_size=2)
    turns = Turns(own, other)
    used = run_of(kind)(steps, watched, turns)
    other.release()
    if not watched:
        own.acquire()  # ending takes a core, too
    if rank == 0:
        told.put((watched, turns.times, used))
    if kind not in NEEDS:
        distributed.destroy_process_group()


def compared(kind: str, steps: int, place: str) -> str:
    """Train in turns, and return a row of the table."""
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    started = []
    turns = [  # named, for a semaphore that nobody holds is gone before a process has opened it
        (context.Semaphore(1), context.Semaphore(0)) for _ in range(1 if kind in NEEDS else 2)
    ]
    for rank, (begins, follows) in enumerate(turns):
        for watched, given in ((False, (begins, follows, told)), (True, (follows, begins, told))):
            arguments = (kind, place, steps, rank, watched, given)
            started.append(context.Process(target=train, args=arguments))
    for one in started:
        one.start()
    times, shares = {}, {}
    for _ in range(2):
        watched, times[watched], shares[watched] = told.get()
    for one in started:
        one.join()
    medians = [
        statistics.median(after - before for before, after in itertools.pairwise(times[watched]))
        for watched in (False, True)
    ]
    ratios = [
        (times[True][-1] - times[True][at]) / (times[False][-1] - times[False][at])
        for at in (0, steps // 2)
    ]
    first, second = (one * 1e3 for one in medians)
    return (
        f"| {kind} | {steps} | {first:.2f} | {second:.2f} | {ratios[0]:.4f} | {ratios[1]:.4f} |"
        f" {shares[True]:.2%} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kinds", default="lightning,trainer,ddp,fsdp")
    parser.add_argument("--steps", type=int, default=800)
    options = parser.parse_args()
    # Memory that is handed back to the system and asked for again costs a process half of its speed or
    # nothing, as chance lays out its heap.
    os.environ.update(MALLOC_TRIM_THRESHOLD_=str(2**30), MALLOC_MMAP_THRESHOLD_=str(2**25))
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, one thread each")
    print("| kind | steps | median ms | watched ms | whole run | second half | own share |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds.split(","):
            if kind in NEEDS and importlib.util.find_spec(NEEDS[kind]) is None:
                print(f"| {kind} | {NEEDS[kind]} is not installed | | | | | |")
            else:
                print(compared(kind, options.steps, folder), flush=True)


if __name__ == "__main__":
    main()
