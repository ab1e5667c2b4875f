"""What a meeting of the ranks costs: the one collective of a measured step, by ranks and layers.

How to run: python bench/rank_meetings.py [--ranks 2,4,8] [--layers 20,200,1000] [--rounds 20]

Each rank is a process of this machine (gloo). Printed are the bytes that each gives to a meeting and the
median time of one, beside a bare `all_reduce` of four bytes in the same run, which is what meeting costs
at least.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time

import torch
from torch import distributed, multiprocessing

from trainlint.runtime.ranks import OF_LAYERS, OF_PARAMETERS, Own, Ranks


def meet(rank: int, ranks: int, layers: int, rounds: int, place: str) -> None:
    """Meet some times as one of the ranks; rank 0 prints the row."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{place}", rank=rank, world_size=ranks)
    parameters = [f"{at}.{one}" for at in range(layers) for one in ("weight", "bias")]
    meeting = Ranks(parameters, [str(at) for at in range(layers)], frozenset(), {})
    values = {
        **{str(signal): dict.fromkeys(parameters, 1.0) for signal in OF_PARAMETERS},
        **{str(signal): dict.fromkeys(map(str, range(layers)), 1.0) for signal in OF_LAYERS},
    }
    tiny = torch.ones(1)
    bare, full = [], []
    for _ in range(rounds + 2):
        distributed.barrier()
        start = time.perf_counter()
        distributed.all_reduce(tiny)
        bare.append(time.perf_counter() - start)
        distributed.barrier()
        start = time.perf_counter()
        meeting.meet(values, Own(), 1)
        full.append(time.perf_counter() - start)
    if rank == 0:
        first, second = (statistics.median(one[2:]) * 1e3 for one in (bare, full))
        print(
            f"| {ranks} | {layers} | {meeting.length * 8:,} | {first:.2f} | {second:.2f} |"
            f" {second / first:.1f} |",
            flush=True,
        )
    distributed.destroy_process_group()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ranks", default="2,4,8")
    parser.add_argument("--layers", default="20,200,1000")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, gloo")
    print("| ranks | layers | bytes of each | bare all_reduce, ms | meeting, ms | ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for ranks in map(int, options.ranks.split(",")):
        for layers in map(int, options.layers.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                place = os.path.join(folder, "meeting")
                multiprocessing.spawn(  # type: ignore[attr-defined, no-untyped-call]
                    meet, (ranks, layers, options.rounds, place), nprocs=ranks
                )


if __name__ == "__main__":
    main()
