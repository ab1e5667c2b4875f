"""Runs what a user names on the command line: the factory of a model, a batch, a loss, a setup."""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import os
import re
import sys
import traceback
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Final

import torch

from trainlint.core.errors import UserError, nearest
from trainlint.runtime.program import is_module
from trainlint.runtime.source.user_code import is_user_code, shown
from trainlint.runtime.trials.feeding import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_INPUT: Final = re.compile(
    r"(?:(?P<name>[A-Za-z_]\w*)=)?(?:(?P<kind>float|int|bool):)?"
    r"(?P<shape>\d+(?:,\d+)*)(?::(?P<limit>\d+))?"
)

_OF_A_WORKER: Final = re.compile(r"Caught \w+ in \w+ worker process \d+\.\s+Original Traceback")
"""How the text begins of what failed in a worker of a DataLoader."""
_FRAME: Final = re.compile(r'^  File "([^"]+)", line (\d+), in ', re.MULTILINE)

_LONGEST: Final = 300
"""Of what an exception says so many characters are shown: torch lists all that it knows in some."""
_SAYS_WHERE: Final = re.compile(r"\S+:\d+: |loss: |--")
"""How a message begins that names a line, or the option that is wrong."""
_PARTS: Final = "model, optimizer, loss and loader"


@contextlib.contextmanager
def blaming(what: str, subject: Any = None) -> Iterator[None]:
    """Turn an exception of the user's code into one line that names the file and the line.

    Where what is wrong has no line of its own it is that of ``subject``.

    Raises:
        UserError: Whatever was raised, said in one line.

    """
    try:
        yield
    except UserError as error:
        place = "" if _SAYS_WHERE.match(str(error)) else place_of(subject)
        if not place:
            raise
        msg = f"{place}{error}"
        raise UserError(msg) from error
    except (Exception, SystemExit) as error:
        place = _place(error) or place_of(subject)
        text = str(error)
        if _OF_A_WORKER.match(text):  # it has the traceback in it, whose last line is what was said
            text = text.strip().rpartition("\n")[2].removeprefix(f"{type(error).__name__}: ")
        said = shorten(" ".join(text.split()), _LONGEST, placeholder=" …")
        msg = f"{place}{what} fails ({type(error).__name__}{f': {said}' if said else ''})"
        raise UserError(msg) from error


def _place(error: BaseException) -> str:
    """Return the innermost line of the user's code that an exception went through."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shown(error.filename)}:{error.lineno}: "
    frames = [(one.filename, one.lineno) for one in traceback.extract_tb(error.__traceback__)]
    if _OF_A_WORKER.match(str(error)):
        frames += [(file, int(line)) for file, line in _FRAME.findall(str(error))]
    for file, line in reversed(frames):
        if is_user_code(file) and os.path.isfile(file):
            return f"{shown(file)}:{line}: "
    return ""


def load(target: str, option: str = "") -> Any:
    """Import what `package.module:name` or `path/file.py:name` stands for.

    Raises:
        UserError: It is not of that form, or is not there, or its module fails.

    """
    before = f"{option}: " if option else ""
    module_name, colon, name = target.rpartition(":")
    if not (colon and module_name and name):
        msg = f"{before}expects package.module:name or path/file.py:name, not `{target}`"
        raise UserError(msg)
    module = _module(module_name, before)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            file = getattr(module, "__file__", None) or module_name
            known = [one for one in vars(found) if not one.startswith("_")]
            msg = f"{before}{shown(file)} has no `{part}`{nearest(part, known)}"
            raise UserError(msg)
        found = getattr(found, part)
    return found


def _module(name: str, before: str) -> Any:
    """Import a module by its name or by its file."""
    if not name.endswith(".py"):
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())
        if not is_module(name):
            msg = f"{before}no module is called `{name}`"
            raise UserError(msg)
        with blaming(f"importing `{name}`"):
            return importlib.import_module(name)
    if not os.path.isfile(name):
        msg = f"{before}{name}: no such file"
        raise UserError(msg)
    folder = os.path.dirname(os.path.abspath(name))
    if folder not in sys.path:
        sys.path.insert(0, folder)
    stem, path = os.path.splitext(os.path.basename(name))[0], os.path.abspath(name)
    known = sys.modules.get(stem)
    if getattr(known, "__file__", None) == path:
        return known  # a module runs once, though a model, a batch and a loss are asked of it
    spec = importlib.util.spec_from_file_location(stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[stem] = module
    try:
        with blaming("importing it"):
            spec.loader.exec_module(module)
    except UserError:
        del sys.modules[stem]
        raise
    return module


def setup_of(setup: Any, target: str) -> tuple[Any, ...]:
    """Call what a user names and return model, optimizer, loss and loader.

    Raises:
        UserError: It fails, or returns something else.

    """
    if not callable(setup):
        msg = f"{target} is of type `{type(setup).__name__}`, not a function that returns {_PARTS}"
        raise UserError(msg)
    with blaming("the setup", setup):
        made = setup()
    place = place_of(setup) or f"{target}: "
    if not isinstance(made, (tuple, list)) or len(made) != 4:  # noqa: PLR2004
        msg = f"{place}the setup returns {_kind(made)}, not {_PARTS}"
        raise UserError(msg)
    for one, kind, name in zip(
        made, (torch.nn.Module, torch.optim.Optimizer), ("model", "optimizer"), strict=False
    ):
        if not isinstance(one, kind):
            msg = f"{place}the setup returns {_kind(one)} as its {name}, not {_PARTS}"
            raise UserError(msg)
    return tuple(made)


def _kind(made: Any) -> str:
    """Return what a setup has returned."""
    if isinstance(made, (tuple, list)):
        return f"{len(made)} things"
    return f"an object of type `{type(made).__name__}`"


def arguments(given: tuple[str, ...]) -> dict[str, Any]:
    """Read `name=value` pairs; a value is what Python makes of it, else a text.

    Raises:
        UserError: One is no such pair.

    """
    found: dict[str, Any] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not (equals and name.isidentifier()):
            msg = f"--arg: expects name=value, not `{one}`"
            raise UserError(msg)
        try:
            found[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[name] = value
    return found


def device_of(name: str) -> torch.device:
    """Return a device by its name.

    Raises:
        UserError: There is no such device here.

    """
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        known = ["cpu", *(f"cuda:{at}" for at in range(torch.cuda.device_count()))]
        if torch.backends.mps.is_available():
            known.append("mps")
        why = shorten(" ".join(str(error).split()), _LONGEST // 3, placeholder=" …")
        msg = f"--device: `{name}` cannot be used here ({why}); there is {', '.join(known)}"
        raise UserError(msg) from error
    return device


def _drawn(match: re.Match[str], dtype: torch.dtype) -> torch.Tensor:
    """Draw an input of the kind and shape that were named."""
    shape = tuple(map(int, match["shape"].split(",")))
    match match["kind"]:
        case "int":
            return torch.randint(max(int(match["limit"] or 2), 1), shape)
        case "bool":
            return torch.ones(shape, dtype=torch.bool)
    return torch.randn(shape).to(dtype)


def random_inputs(given: tuple[str, ...], dtype: torch.dtype, device: torch.device) -> Any:
    """Draw the inputs of a model: `32,3,224,224`, `int:32,128:50257`, `mask=bool:32,128`.

    Raises:
        UserError: One is of another form.

    """
    places: list[torch.Tensor] = []
    names: dict[str, torch.Tensor] = {}
    for one in given:
        match = _INPUT.fullmatch(one.replace(" ", ""))
        if match is None or (match["limit"] and match["kind"] != "int"):
            msg = f"--input: expects a shape such as 32,3,224,224 or int:32,128:50257, not `{one}`"
            raise UserError(msg)
        try:
            drawn = _drawn(match, dtype).to(device)
        except (RuntimeError, ValueError, TypeError, OverflowError, MemoryError) as error:
            said = shorten(" ".join(str(error).split()), _LONGEST, placeholder=" …")
            msg = f"--input: `{one}` cannot be drawn ({said})"
            raise UserError(msg) from error
        if match["name"]:
            names[match["name"]] = drawn
        else:
            places.append(drawn)
    if names and places:
        msg = "--input: give all of them names, or none"
        raise UserError(msg)
    if names:
        return names
    return places[0] if len(places) == 1 else tuple(places)
