"""Run one training program for a while and note its losses; `fix_trains.py` starts this where torch is.

    python run_program.py OUTCOME STEPS SECONDS PROGRAM [ARGUMENT...]

Every `backward` of a scalar is a step; after so many steps or seconds the program is stopped. Data sets
that it would download are made up: few images, and numbers that can be learned.
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
    outcome, steps, seconds, program, *arguments = sys.argv[1:]
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    importlib.import_module("random").seed(0)
    importlib.import_module("numpy").random.seed(0)
    losses: list[float] = []
    deadline = time.monotonic() + float(seconds)
    backward = torch.Tensor.backward

    def noted(loss: Any, *given: Any, **more: Any) -> Any:
        if loss.numel() == 1:
            losses.append(float(loss.detach()))
        done = backward(loss, *given, **more)
        if len(losses) >= int(steps) or time.monotonic() > deadline:
            raise _EnoughError
        return done

    torch.Tensor.backward = noted
    _make_up_data_sets(torch)
    sys.argv = [program, *arguments]
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


def _make_up_data_sets(torch: Any) -> None:
    """Put made-up data in the place of what would be downloaded."""
    generator = torch.Generator().manual_seed(1)
    sklearn: Any = importlib.import_module("sklearn.datasets")

    def housing(**_: Any) -> tuple[Any, Any]:
        x = torch.randn(2000, 8, generator=generator)
        y = 2 + x[:, 0] - 0.5 * x[:, 1] * x[:, 2]
        return x.numpy().astype("float64"), y.numpy().astype("float64")

    sklearn.fetch_california_housing = housing
    # A build for other hardware lacks its own operators, and its import asks for two of them.
    torch.made_up_operators = []
    for name in ("nms", "qnms"):
        try:
            operators = torch.library.Library("torchvision", "FRAGMENT")
            operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            torch.made_up_operators.append(operators)
        except RuntimeError:
            continue
    try:
        vision = importlib.import_module("torchvision.datasets")
        image = importlib.import_module("PIL.Image")
    except Exception:  # noqa: BLE001 - a build for other hardware may fail in any way
        return

    def made_up(shape: tuple[int, ...]) -> type:
        class Images(torch.utils.data.Dataset):  # type: ignore[misc]
            """Ten patterns in noise, of the size of the real ones."""

            classes = tuple("0123456789")

            def __init__(
                self, *_: Any, transform: Any = None, target_transform: Any = None, **__: Any
            ) -> None:
                own = torch.Generator().manual_seed(2)
                patterns = torch.rand(10, *shape, generator=own)
                self.targets = torch.randint(10, (2000,), generator=own)
                noise = torch.rand(2000, *shape, generator=own)
                self.data = ((patterns[self.targets] + noise) * 127).to(torch.uint8)
                self.transform, self.target_transform = transform, target_transform

            def __len__(self) -> int:
                return len(self.data)

            def __getitem__(self, at: int) -> tuple[Any, Any]:
                picture: Any = image.fromarray(self.data[at].numpy())
                target: Any = int(self.targets[at])
                if self.transform is not None:
                    picture = self.transform(picture)
                if self.target_transform is not None:
                    target = self.target_transform(target)
                return picture, target

        return Images

    for name, shape in (("MNIST", (28, 28)), ("FashionMNIST", (28, 28)), ("CIFAR10", (32, 32, 3))):
        setattr(vision, name, made_up(shape))


if __name__ == "__main__":
    main()
