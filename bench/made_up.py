"""What the programs of the corpus would read, download or run on, made up for `fix_trains.py`.

    python made_up.py    # writes the files into the current folder

Everything can be learned a little, is small, and is the same each time. Started by a Python that has
torch and numpy, and used inside of it: what is for a graphics card runs on the processor, what is for
several processes in one.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import json
import os
import pickle
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

np: Any = importlib.import_module("numpy")
torch: Any = importlib.import_module("torch")

ARGUMENTS: Final = {
    "c1-anomaly-autoencoder": ["telemetry.npy"],
    "c1-churn-click": ["churn_train.csv", "churn_test.csv"],
    "c1-keypoints-ddp": ["--data", "crops"],
    "c1-spectral-forecast": ["load.csv"],
    "c2-anomaly-autoencoder": ["fabric"],
    "c2-click-house-prices": ["houses.csv"],
    "c2-ddp-retrieval-towers": ["--clicks", "clicks"],
    "c2-imagenet-dataparallel": ["imagenet"],
    "c2-intent-adapter": ["intents.pt"],
    "c2-patch-vit-accumulation": ["imagenet"],
    "c2-skipgram-words": ["corpus.txt"],
}
"""What programs are called with that need it."""

_WORDS: Final = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")


def write() -> None:
    """Write all files into the current folder."""
    for folder in ("data", "lists", "ml-100k", "results", "samples"):
        os.makedirs(folder, exist_ok=True)
    _arrays(np.random.default_rng(0))
    _tables(np.random.default_rng(1))
    _texts(random.Random(0))  # noqa: S311 - no secret
    _settings()


def _arrays(g: Any) -> None:
    """Write arrays of numbers."""

    def labelled(n: int, d: int, k: int) -> tuple[Any, Any]:
        c = g.normal(size=(k, d)).astype("f4")
        y = g.integers(k, size=n)
        return (c[y] + g.normal(size=(n, d)).astype("f4")), y

    np.save("telemetry.npy", (g.normal(size=(3000, 4)) @ g.normal(size=(4, 16))).astype("f4"))
    np.save("torsion_angles.npy", g.uniform(-3, 3, (3000, 8)).astype("f4"))
    x, y = labelled(2000, 120, 20)
    np.savez("character_trajectories.npz", x=x.reshape(2000, 40, 3), y=y)
    w = g.normal(size=(21, 6))
    for s in ("train", "valid", "val", "test"):
        x = g.normal(size=(2000, 21)).astype("f4")
        np.savez(f"sim_{s}.npz", x=x, y=g.poisson(np.exp(np.tanh(x @ w))))  # counts
    c, m, b = (g.normal(size=size) for size in ((30, 64), (5, 900), (5, 187)))
    gestures, fields = g.normal(size=(12, 9, 64)), (241, 8, 7, 3697, 4614, 25, 5481, 329, 31)
    for s in ("train", "valid", "val", "test"):
        y = g.integers(30, size=3000)
        np.savez(f"shops_{s}.npz", x=(c[y] + g.normal(size=(3000, 64))).astype("f4"), category=y)
        y = g.integers(5, size=600)
        table = np.column_stack([y, m[y] + g.normal(size=(600, 900))])
        np.savetxt(f"ftir_{s}.csv", table, delimiter=",", fmt="%.4f")
        np.savez(f"mitbih_{s}.npz", beats=b[y] + g.normal(size=(600, 187)), labels=y)
        u = g.normal(size=(3000, 32)).astype("f4")
        np.savez(f"{s}.npz", users=u, items=(u + 0.3 * g.normal(size=u.shape)).astype("f4"))
        y = g.integers(12, size=960)
        np.savez(
            f"gestures_{s}.npz", x=(gestures[y] + g.normal(size=(960, 9, 64))).astype("f4"), label=y
        )
        x = np.stack([g.integers(one, size=20_000) for one in fields], 1)
        np.savez(f"avazu_{s}.npz", fields=x, click=(x[:, 1] > x[:, 2]).astype("f4"))
        os.makedirs(f"cells/{s}", exist_ok=True)
        for number in range(64):
            image = g.integers(256, size=(64, 64)).astype("u1")
            image[16:40, 16:40] //= 3
            mask = np.zeros((64, 64), "u1")
            mask[16:40, 16:40] = 1
            np.savez(f"cells/{s}/{number}.npz", image=image, mask=mask)
        tokens = torch.from_numpy(g.integers(1, 30_000, (2000, 40)))
        torch.save({"tokens": tokens, "labels": tokens[:, 0] % 2}, f"{s}.pt")
    x = g.normal(size=(5000, 40)).astype("f4")
    for name in ("default_risk.npz", "loans.npz", "churn.npz"):
        y = (x[:, 0] + x[:, 1] > 0).astype("f4")
        np.savez(name, x=x, y=y, churned=y)
    for s in ("train", "val"):
        (np.cumsum(g.integers(1, 4, 60_000)) % 60).astype("u2").tofile(f"{s}.bin")
    n = 400
    adj = (g.random((n, n)) < 0.02).astype("f4")  # noqa: PLR2004 - the share of the edges
    adj = np.maximum(adj, adj.T)
    x, y = labelled(n, 100, 7)
    np.savez(
        "cora_dense.npz",
        features=x,
        adj=adj + np.eye(n, dtype="f4"),
        labels=y,
        train=np.arange(140),
        val=np.arange(140, 250),
        test=np.arange(250, 400),
    )
    x, y = labelled(1500, 100, 7)
    np.savez("cora.npz", features=x, labels=y, edges=g.integers(1500, size=(2, 4000)))
    ids = torch.from_numpy(g.integers(1, 50_000, (4000, 12)))
    torch.save({"ids": ids, "intent": ids[:, 0] % 77}, "intents.pt")


def _tables(g: Any) -> None:
    """Write tables that are texts."""
    for s in ("train", "test"):
        x = g.normal(size=(2000, 12))
        rows = (",".join(f"{one:.4f}" for one in row) + f",{int(row[0] > 0)}\n" for row in x)
        head = ",".join([*(f"x{number}" for number in range(12)), "churn"])
        Path(f"churn_{s}.csv").write_text(f"{head}\n" + "".join(rows))
    x = g.normal(size=(1200, 10))
    rows = (
        ",".join(f"{one:.4f}" for one in row) + f",{2e5 * np.exp(row[0] / 3):.0f}\n" for row in x
    )
    head = ",".join([*(f"x{number}" for number in range(10)), "SalePrice"])
    Path("houses.csv").write_text(f"{head}\n" + "".join(rows))
    t = np.arange(4000)
    hours = np.datetime64("2020-01-01T00") + t.astype("m8[h]")
    load = np.sin(t / 24 * 6.28) + 0.1 * g.normal(size=4000)
    lines = (f"{a},{b:.5f},{c}\n" for a, b, c in zip(hours, load, t % 24, strict=True))
    Path("load.csv").write_text("utc,load,hour\n" + "".join(lines))
    books = (f"{a};{b};{1 + (a + b) % 10}\n" for a, b in g.integers(500, size=(20_000, 2)))
    Path("BX-Book-Ratings.csv").write_text("user;book;rating\n" + "".join(books))
    clips = (f"clips/{number}.wav,{number % 50}|{number % 7}\n" for number in range(400))
    Path("lists/train.csv").write_text("path,tags\n" + "".join(clips))
    for place in (
        *(f"{s}/{word}" for s in ("train", "val") for word in _WORDS),
        "_background_noise_",
    ):
        os.makedirs(place, exist_ok=True)
        for number in range(30):
            Path(f"{place}/{number}.wav").touch()


def _texts(chance: random.Random) -> None:
    """Write texts to learn from, and ratings."""
    words = [f"{a}{b}{c}" for a in "bdgkl" for b in "aeiou" for c in "mnrst"]
    lines = []
    for _ in range(3000):
        at = chance.randrange(len(words))
        lines.append(" ".join(words[(at + 7 * step) % len(words)] for step in range(10)))
    text = "\n".join(lines) + "\n"
    for s in (
        "input",
        "shakespeare",
        "corpus",
        "train",
        "valid",
        "test",
        "data/train",
        "data/valid",
    ):
        Path(f"{s}.txt").write_text(text)
    tags = [f"T{number}" for number in range(9)]
    told = "\n".join(
        "".join(f"{word}\t{tags[ord(word[1]) % 9]}\n" for word in line.split())
        for line in lines[:600]
    )
    for name in ("train.conllu", "dev.conllu", "eng.train", "eng.testa"):
        Path(name).write_text(told + "\n")
    ids = {word: number + 2 for number, word in enumerate(words)}
    ends = {word[-3:]: number for word, number in ids.items()}
    known = {"word": ids, "suffix": ends, "tag": {tag: at for at, tag in enumerate(tags)}}
    Path("vocab.pkl").write_bytes(pickle.dumps(known))
    for name in ("train.jsonl", "dev.jsonl"):
        rows = ([chance.randrange(2, 5000) for _ in range(40)] for _ in range(1200))
        parts = (
            {"input_ids": row, "ids": row, "label": row[0] % 3, "stars": 1 + row[0] % 5}
            for row in rows
        )
        Path(name).write_text("".join(json.dumps(part) + "\n" for part in parts))
    pairs = ((chance.randint(1, 900), chance.randint(1, 1600)) for _ in range(20_000))
    ratings = "".join(f"{user}\t{item}\t{1 + (user + item) % 5}\t0\n" for user, item in pairs)
    for name in ("u.data", "ml-100k/u.data"):
        Path(name).write_text(ratings)


def _settings() -> None:
    """Write the settings that programs read, where they do not come with them."""
    Path("lesions.yaml").write_text(
        "seed: 0\ndevice: cpu\nout: lesions.pt\nmodel: {classes: 2, base: 16}\n"
        "optim: {lr: 0.001, epochs: 20}\ndata: {train: train, val: val, bs: 8}\n"
    )
    Path("config.yml").write_text(
        "seed: 0\ntrain_dir: train\nval_dir: val\nbatch: 8\nlr: 0.001\nepochs: 20\n"
    )


class _Nothing(dict):  # type: ignore[type-arg]
    """The weights of a model that nobody has trained: loading them changes nothing."""


def stand_in() -> None:
    """Put something made up in the place of what programs would load, download or run on."""
    sys.meta_path.append(_MadeUpModules())
    _one_process()
    _no_graphics_card()
    _no_weights()
    _data_sets()
    _sounds()
    _worlds()


def _sounds() -> None:
    """Let sounds be tones that tell which word is spoken."""
    try:
        audio: Any = importlib.import_module("torchaudio")
        sets: Any = importlib.import_module("torchaudio.datasets")
    except Exception:  # noqa: BLE001 - a build for other hardware may fail in any way
        return

    def load(path: Any, *_: Any, **__: Any) -> tuple[Any, int]:
        word, name = Path(path).parts[-2:]
        own = torch.Generator().manual_seed(sum(name.encode()))
        wave = torch.sin(torch.arange(16_000) * (0.02 + 0.003 * (sum(word.encode()) % 97)))
        return (wave + 0.3 * torch.randn(16_000, generator=own))[None], 16_000

    audio.load = load

    def spoken(g: Any) -> tuple[Any, int, str]:
        word = _WORDS[int(torch.randint(len(_WORDS), (), generator=g))]
        return *load(f"{word}/{g.initial_seed()}"), word

    sets.SPEECHCOMMANDS = _set_of(spoken, 2000)


def _worlds() -> None:
    """Let a world be the version of it that there is now."""
    try:
        gymnasium: Any = importlib.import_module("gymnasium")
    except ImportError:
        return
    make = gymnasium.make
    gymnasium.make = lambda name, *given, **more: make(
        name.replace("LunarLander-v2", "LunarLander-v3"), *given, **more
    )


def _one_process() -> None:
    """Let loaders load in this process, and let it be the only rank."""
    loader = torch.utils.data.DataLoader.__init__

    def plain(self: Any, *given: Any, **more: Any) -> None:
        for name in ("prefetch_factor", "persistent_workers", "pin_memory"):
            more.pop(name, None)
        loader(self, *given, **{**more, "num_workers": 0})

    torch.utils.data.DataLoader.__init__ = plain
    os.environ |= {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(20_000 + os.getpid() % 20_000)}
    start = torch.distributed.init_process_group
    torch.distributed.init_process_group = lambda *_, **__: start("gloo")
    parallel = torch.nn.parallel.DistributedDataParallel
    made = parallel.__init__

    def on_processor(self: Any, module: Any, *_: Any, **more: Any) -> None:
        more = {key: value for key, value in more.items() if key.startswith(("find", "broadcast"))}
        made(self, module, **more)

    parallel.__init__ = on_processor


def _no_graphics_card() -> None:
    """Let everything that is for a graphics card be on the processor."""
    modes: Any = importlib.import_module("torch.overrides")

    def moved(value: Any) -> Any:
        is_card = isinstance(value, torch.device) and value.type == "cuda"
        is_name = isinstance(value, str) and value.partition(":")[0] == "cuda"
        return torch.device("cpu") if is_card or is_name else value

    class OnProcessor(modes.TorchFunctionMode):  # type: ignore[misc]
        """Changes the devices that are asked for."""

        def __torch_function__(
            self, function: Any, _: Any, given: Any = (), more: Any = None
        ) -> Any:
            if function is torch.Tensor.cuda:
                return given[0]
            if function is torch.device:
                return moved(torch.device(*given, **(more or {})))
            more = {key: moved(value) for key, value in (more or {}).items()}
            return function(*map(moved, given), **more)

    OnProcessor().__enter__()
    torch.cuda.set_device = lambda *_: None


def _no_weights() -> None:
    """Let weights that are not there, or would be downloaded, leave a model as it is."""
    read, put = torch.load, torch.nn.Module.load_state_dict

    def load(path: Any, *given: Any, **more: Any) -> Any:
        is_there = not isinstance(path, str | Path) or os.path.exists(path)
        return read(path, *given, **more) if is_there else _Nothing()

    def load_state_dict(self: Any, state: Any, *given: Any, **more: Any) -> Any:
        return None if isinstance(state, _Nothing) else put(self, state, *given, **more)

    torch.load, torch.nn.Module.load_state_dict = load, load_state_dict
    torch.hub.load_state_dict_from_url = lambda *_, **__: _Nothing()


def _data_sets() -> None:
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
        weights = importlib.import_module("torchvision.models._api").WeightsEnum
        image = importlib.import_module("PIL.Image")
    except Exception:  # noqa: BLE001 - a build for other hardware may fail in any way
        return
    weights.get_state_dict = lambda *_, **__: _Nothing()

    def made_up(shape: tuple[int, ...], number: int = 2000) -> type:
        class Images(torch.utils.data.Dataset):  # type: ignore[misc]
            """Ten patterns in noise, of the size of the real ones."""

            classes = tuple("0123456789")

            def __init__(
                self, *given: Any, transform: Any = None, target_transform: Any = None, **__: Any
            ) -> None:
                own = torch.Generator().manual_seed(2)
                patterns = torch.rand(10, *shape, generator=own)
                self.targets = torch.randint(10, (number,), generator=own)
                noise = torch.rand(number, *shape, generator=own)
                self.data = ((patterns[self.targets] + noise) * 127).to(torch.uint8)
                self.transform = next(filter(callable, given), transform)
                self.target_transform = target_transform

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

    for name, shape in (
        ("MNIST", (28, 28)),
        ("FashionMNIST", (28, 28)),
        ("CIFAR10", (32, 32, 3)),
        ("CIFAR100", (32, 32, 3)),
    ):
        setattr(vision, name, made_up(shape))
    for name in ("ImageFolder", "Food101", "Flowers102"):
        setattr(vision, name, made_up((64, 64, 3), 500))


class _MadeUpModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of data that no program brings along."""

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        """Find a module that is made up."""
        return importlib.machinery.ModuleSpec(name, self) if name in _MODULES else None

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module."""
        vars(module).update(_MODULES[module.__name__]())


def _set_of(item: Callable[[Any], Any], number: int = 400, **more: Any) -> type:
    """Return a data set whose items are made by a function of a generator, the same each time."""

    def get(self: Any, at: int) -> Any:
        if not 0 <= at < number:
            raise IndexError(at)
        del self
        return item(torch.Generator().manual_seed(at))

    def start(self: Any, *_: Any, **__: Any) -> None:
        del self

    parts = {"__init__": start, "__len__": lambda _: number, "__getitem__": get, **more}
    return type("MadeUp", (torch.utils.data.Dataset,), parts)


def _picture(g: Any, *size: int) -> Any:
    """Return a picture with bright and dark places."""
    coarse = torch.rand(1, size[0], 4, 4, generator=g)
    whole = torch.nn.functional.interpolate(coarse, size[1:], mode="nearest")[0]
    return (whole + 0.2 * torch.rand(*size, generator=g)).clamp(0, 1)


def _with_mask(g: Any) -> tuple[Any, Any]:
    """Return a picture, and where it is bright."""
    picture = _picture(g, 3, 64, 64)
    return picture, (picture[0] > 0.5).long()  # noqa: PLR2004 - the middle


def _with_cells(g: Any) -> tuple[Any, Any]:
    """Return a picture, and for each cell of a grid whether and where something is."""
    picture = _picture(g, 3, 256, 256)
    bright = torch.nn.functional.avg_pool2d(picture[None], 16)[0]
    box = bright.repeat(2, 1, 1)[:4]
    return picture, {"obj": (bright[:1] > 0.5).float(), "box": box}  # noqa: PLR2004


def _with_points(g: Any) -> tuple[Any, Any]:
    """Return a picture with maps of 17 points."""
    picture = _picture(g, 3, 64, 64)
    grey = torch.nn.functional.avg_pool2d(picture[None], 2)[0, :1]
    return picture, (grey > torch.linspace(0.2, 0.8, 17)[:, None, None]).float()


def _with_boxes(g: Any) -> tuple[Any, Any, Any]:
    """Return a picture with a label and a box for each of its 16 cells."""
    picture = _picture(g, 3, 64, 64)
    bright = torch.nn.functional.avg_pool2d(picture[None], 16)[0].flatten(1)
    return picture, (bright[0] > 0.5).long(), bright.repeat(2, 1)[:4].T  # noqa: PLR2004


def _signatures(g: Any) -> tuple[Any, Any, Any]:
    """Return two pictures, and whether the second one is another one."""
    first = _picture(g, 1, 96, 96)
    forged = torch.randint(2, (), generator=g)
    return first, _picture(g, 1, 96, 96) if forged else first.clone(), forged


def _caption(g: Any) -> tuple[Any, Any]:
    """Return the features of a picture, and words that follow from them."""
    start = int(torch.randint(1, 90, (), generator=g))
    features = torch.zeros(2048)
    features[start] = 5.0
    return features, torch.arange(start, start + 8)


def _scaled(g: Any) -> tuple[Any, Any]:
    """Return a picture, small and large."""
    large = _picture(g, 3, 96, 96)
    return torch.nn.functional.avg_pool2d(large[None], 4)[0], large


def _x_ray(g: Any) -> dict[str, Any]:
    """Return a grey picture, and what is found in it."""
    picture = _picture(g, 1, 128, 128)
    return {"image": picture, "findings": (picture[0, ::9, 0][:14] > 0.5).float()}  # noqa: PLR2004


def _tags(g: Any) -> tuple[Any, Any]:
    """Return a picture with 17 tags."""
    picture = _picture(g, 3, 64, 64)
    return picture, (picture[0].flatten()[:: 64 * 4][:16].repeat(2)[:17] > 0.5).float()  # noqa: PLR2004


def _words_of_clicks(pairs: Any) -> list[Any]:
    """Return queries and items, each as all numbers and where each begins."""
    found = []
    for side in zip(*pairs, strict=True):
        starts = torch.cumsum(torch.tensor([0, *map(len, side)]), 0)[:-1]
        found += [torch.cat(side), starts]
    return found


def _clicks(g: Any) -> tuple[Any, Any]:
    """Return the words of a query, and those of the item that was chosen."""
    query = torch.randint(1000, (5,), generator=g)
    return query, (query * 7) % 1000


def _padded(rows: Any) -> tuple[Any, Any]:
    """Return features and words of several pictures."""
    features, tokens = zip(*rows, strict=True)
    return torch.stack(features), torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True)


_MODULES: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "amazon": lambda: {"AmazonTags": _set_of(_tags)},
    "boxes_data": lambda: {"BoxesDataset": _set_of(_with_boxes)},
    "cells": lambda: {"CellImages": _set_of(_with_cells)},
    "clicks": lambda: {
        "ClickPairs": _set_of(_clicks, 4000, n_query=1000, n_item=1000),
        "collate": _words_of_clicks,
    },
    "coco_crops": lambda: {"CropDataset": _set_of(_with_points)},
    "coco_features": lambda: {
        "CocoFeatures": _set_of(_caption, vocab=range(100)),
        "pad_collate": _padded,
    },
    "div2k": lambda: {"Div2k": _set_of(_scaled)},
    "lesions": lambda: {"LesionDataset": _set_of(_with_mask)},
    "pairs": lambda: {"SignaturePairs": _set_of(_signatures, labels=[0, 1] * 200)},
    "roads": lambda: {"RoadTiles": _set_of(_with_mask)},
    "xray_data": lambda: {"ChestFolder": _set_of(_x_ray)},
}


if __name__ == "__main__":
    write()
