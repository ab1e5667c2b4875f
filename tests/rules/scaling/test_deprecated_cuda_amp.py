"""Where deprecated-cuda-amp speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trainlint.core.diagnosis import Diagnosis
from trainlint.core.fix import apply_fixes

Lines = Callable[..., list[int]]
Diagnoses = Callable[..., list[Diagnosis]]

RULE = "deprecated-cuda-amp"


def fixed(diagnoses: Diagnoses, source: str) -> str:
    """Return a snippet after the fixes of the rule."""
    found = diagnoses(RULE, source)
    assert found
    assert all(one.fix is not None for one in found)
    text, refused = apply_fixes(source, [one.fix for one in found if one.fix is not None])
    assert not refused
    return text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("torch.cuda.amp.autocast()", 'torch.amp.autocast("cuda")'),
        ("torch.cuda.amp.autocast(amp)", 'torch.amp.autocast("cuda", enabled=amp)'),
        (
            "torch.cuda.amp.autocast(True, torch.bfloat16, False)",
            'torch.amp.autocast("cuda", enabled=True, dtype=torch.bfloat16, cache_enabled=False)',
        ),
        ("torch.cuda.amp.autocast(dtype=t)", 'torch.amp.autocast("cuda", dtype=t)'),
        ("torch.cuda.amp.autocast(**kw)", 'torch.amp.autocast("cuda", **kw)'),
        ("torch.cuda.amp.GradScaler()", 'torch.amp.GradScaler("cuda")'),
        ("torch.cuda.amp.GradScaler(1024.0)", 'torch.amp.GradScaler("cuda", 1024.0)'),
        ("torch.cuda.amp.GradScaler(enabled=a)", 'torch.amp.GradScaler("cuda", enabled=a)'),
    ],
)
def test_a_call_is_written_anew(diagnoses: Diagnoses, old: str, new: str) -> None:
    kw = "kw = {}\n"
    assert fixed(diagnoses, f"import torch\n{kw}x = {old}\n") == f"import torch\n{kw}x = {new}\n"


@pytest.mark.parametrize(
    ("brings", "name", "after"),
    [
        ("from torch.cuda.amp import autocast", "autocast", "from torch.amp import autocast"),
        ("from torch.cuda.amp import autocast as ac", "ac", "from torch.amp import autocast as ac"),
        ("from torch.cuda import amp", "amp.autocast", "from torch import amp"),
        ("import torch.cuda.amp as amp", "amp.autocast", "import torch.amp as amp"),
    ],
)
def test_an_import_changes_with_all_calls(
    diagnoses: Diagnoses, brings: str, name: str, after: str
) -> None:
    source = f"{brings}\nwith {name}():\n    pass\nwith {name}(on):\n    pass\n"
    expected = (
        f'{after}\nwith {name}("cuda"):\n    pass\nwith {name}("cuda", enabled=on):\n    pass\n'
    )
    assert fixed(diagnoses, source) == expected


def test_a_decorator_is_found(lines: Lines) -> None:
    source = "from torch.cuda.amp import autocast\n@autocast()\ndef f(x):\n    return x\n"
    assert lines(RULE, source) == [2]


def test_other_ways_to_write_the_package_are_found(lines: Lines) -> None:
    source = "from torch.cuda.amp.grad_scaler import GradScaler\ns = GradScaler()\n"
    assert lines(RULE, source + "import torch as t\na = t.cuda.amp.autocast()\n") == [2, 4]


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.amp.autocast('cuda')\ntorch.amp.GradScaler('cuda')\n",
        "import torch\ntorch.autocast('cuda')\n",
        "from apex.amp import autocast\nautocast()\n",
        "try:\n    from torch.amp import autocast\nexcept ImportError:\n    from torch.cuda.amp import autocast\nautocast()\n",
        "import torch\nif torch.__version__ < '2.4':\n    s = torch.cuda.amp.GradScaler()\n",
        "import torch\ns = torch.amp.GradScaler('cuda') if NEW else torch.cuda.amp.GradScaler()\n",
        "import torch\nif is_torch_version('>=', '2.3'):\n    f()\nelse:\n    s = torch.cuda.amp.GradScaler()\n",
        "import torch\ndef f(s: torch.cuda.amp.GradScaler) -> None:\n    pass\n",
    ],
)
def test_the_new_name_and_a_fallback_to_the_old_one_are_fine(lines: Lines, source: str) -> None:
    assert lines(RULE, source) == []


@pytest.mark.parametrize(
    "source",
    [
        "from torch.cuda.amp import autocast, custom_fwd\nautocast()\ncustom_fwd(f)\n",
        "from torch.cuda.amp import autocast\nautocast()\nkinds = [autocast]\n",
        "import torch\ns = torch.cuda.amp.GradScaler()\nisinstance(s, torch.cuda.amp.GradScaler)\n",
        "from torch.cuda import amp\namp.autocast()\namp.custom_bwd(f)\n",
        "from torch.cuda.amp import autocast\nautocast(*args)\n",
    ],
)
def test_there_is_no_fix_where_another_use_would_break(diagnoses: Diagnoses, source: str) -> None:
    found = diagnoses(RULE, source)
    assert found
    assert all(one.fix is None for one in found)


def test_the_edits_of_a_fix_are_in_the_order_of_the_file(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    calls = "".join(f"with autocast():\n    f{number}()\n" for number in range(9))
    for one in diagnoses(RULE, f"from torch.cuda.amp import autocast\n{calls}"):
        assert one.fix is not None
        starts = [edit.start for edit in one.fix.edits]
        assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("target", "found"),
    [(None, [3]), ((1, 13), []), ((2, 2), []), ((2, 3), [3]), ((2, 6), [3])],
)
def test_releases_without_the_new_name_are_left_alone(lines, target, found):
    scaler = """
        import torch
        scaler = torch.cuda.amp.GradScaler(init_scale=512.0)
    """
    assert lines(RULE, scaler, target_torch=target) == found
