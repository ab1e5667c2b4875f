"""Run one training program for a while and note its losses; `fix_trains.py` starts this where torch is.

    python run_program.py OUTCOME STEPS SECONDS PROGRAM NAME

Every `backward` of a scalar is a step; after so many steps, or seconds of the processor since the first
one, the program is stopped. What it would download is made up, and a graphics card is not needed
(`made_up.py`).
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any


class _EnoughError(BaseException):
    """The program has made all the steps that are asked for."""


def main() -> None:
    """Run the program; write how it ended, and its losses."""
    outcome, steps, seconds, program, name = sys.argv[1:]
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
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
        if len(losses) >= int(steps) or started[-1] > started[0] + float(seconds):
            raise _EnoughError
        return done

    torch.Tensor.backward = noted
    made_up: Any = importlib.import_module("made_up")
    made_up.stand_in()
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
    Path(outcome).write_text(json.dumps({"end": end, "losses": losses}))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
