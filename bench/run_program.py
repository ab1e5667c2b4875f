"""Run training programs for a while and note their losses; `fix_trains.py` starts this where torch is.

    python run_program.py STEPS SECONDS

Each line of the standard input is one program, as JSON: where its outcome goes, the folder in which it
runs, its file, and the name of its pair; a line comes back when it has ended. Every `backward` of a
scalar is a step; after so many steps, or seconds of the processor since the first one, a program is
stopped. What it would download is made up, and a graphics card is not needed (`made_up.py`). Each
program is a fork of this process, which has imported what most of them need.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any, Final

torch: Any = importlib.import_module("torch")
made_up: Any = importlib.import_module("made_up")

_OFTEN: Final = ("sklearn.metrics", "torchvision.models", "torchvision.transforms", "pandas")


class _EnoughError(BaseException):
    """The program has made all the steps that are asked for."""


def main() -> None:
    """Run all programs, one after the other."""
    steps, seconds = int(sys.argv[1]), float(sys.argv[2])
    torch.set_num_threads(1)
    made_up.stand_in()
    for name in _OFTEN:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001, S112 - a program that needs it will say so
            continue
    for line in sys.stdin:
        outcome, folder, program, name = json.loads(line)
        child = os.fork()
        if not child:
            os.chdir(folder)
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(nothing, stream)
            said = _run(program, name, steps, seconds)
            Path(outcome).write_text(json.dumps(said))
            os._exit(0)
        _wait(child, 4 * seconds + 120)
        print(flush=True)


def _wait(child: int, seconds: float) -> None:
    """Wait until a process has ended; end it after some seconds."""
    deadline = time.monotonic() + seconds
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, 9)
            os.waitpid(child, 0)
            return
        time.sleep(0.05)


def _run(program: str, name: str, steps: int, seconds: float) -> dict[str, object]:
    """Run one program; return how it ended, and its losses."""
    torch.manual_seed(0)
    importlib.import_module("random").seed(0)
    importlib.import_module("numpy").random.seed(0)
    losses: list[float] = []
    started: list[float] = []
    under_way: list[bool] = []
    backward = torch.Tensor.backward

    def noted(loss: Any, *given: Any, **more: Any) -> Any:
        if under_way:
            return backward(loss, *given, **more)  # it calls itself where functions are looked at
        started.append(time.process_time())
        if loss.numel() == 1:
            losses.append(float(loss.detach()))
        under_way.append(True)
        done = backward(loss, *given, **more)
        under_way.clear()
        if len(losses) >= steps or started[-1] > started[0] + seconds:
            raise _EnoughError
        return done

    torch.Tensor.backward = noted
    sys.argv = [program, *made_up.ARGUMENTS.get(name, ())]
    sys.path.insert(0, str(Path(program).parent))
    try:
        runpy.run_path(program, run_name="__main__")
        end = "finished"
    except _EnoughError:
        end = "stopped"
    except SystemExit as error:
        end = "finished" if not error.code else f"exit {error.code}"
    except ModuleNotFoundError as error:
        end = f"needs {error.name}"
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the outcome
        end = f"{type(error).__name__}: {' '.join(str(error).split())[:90]}"
    return {"end": end, "losses": losses}


if __name__ == "__main__":
    main()
