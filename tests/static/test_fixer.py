"""Fixes are made in several rounds, written whole, and keep what they do not touch to the byte."""

from __future__ import annotations

import codecs
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from trainlint.core.catalogue import Catalogue, load_catalogue
from trainlint.core.config import Config, Selection, resolve
from trainlint.core.diagnosis import Severity
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static import fixer
from trainlint.static.engine import lint_files, lint_source
from trainlint.static.fixer import fix_bytes, fix_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trainlint.core.config import Settings
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.static.model import FileModel

ALL = resolve(
    load_catalogue(("trainlint.rules",)),
    Config(),
    Selection("this test", select=("softmax-before-cross-entropy", "missing-zero-grad", "TL807")),
)

BAD = """\
# näive
import torch.nn.functional as F


def train(net, optimizer, loader):
    for inputs, targets in loader:   # odd  spacing
        loss = F.cross_entropy(F.softmax(net(inputs), dim=1), targets) ; n = 'ü'
        loss.backward()
        optimizer.step()
"""
GOOD = BAD.replace("F.softmax(net(inputs), dim=1)", "net(inputs)").replace(
    "        loss.backward()\n", "        optimizer.zero_grad()\n        loss.backward()\n"
)


def fixed(folder, files: dict[str, bytes], settings: Settings = ALL, *, write=True, unsafe=True):
    """Write files, fix them, and return the outcome with what the folder then holds."""
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(data)
    paths = [str(folder / name) for name in files]
    reports = list(lint_files(paths, settings))
    outcome = fix_files(paths, settings, reports, unsafe=unsafe, write=write)
    return outcome, {name: (folder / name).read_bytes() for name in files}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
def test_line_ends_byte_order_mark_comments_and_spacing_are_kept(tmp_path, end, bom):
    data = bom + BAD.replace("\n", end).encode()
    outcome, now = fixed(tmp_path, {"a.py": data})
    assert now == {"a.py": bom + GOOD.replace("\n", end).encode()}
    assert outcome.made == 2
    assert outcome.reports[0].diagnoses == []


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "iso-8859-15", "utf-8"])
def test_the_encoding_of_the_coding_line_is_kept(tmp_path, encoding):
    cookie = f"# -*- coding: {encoding} -*-\n"
    _, now = fixed(tmp_path, {"a.py": (cookie + BAD).encode(encoding)})
    assert now == {"a.py": (cookie + GOOD).encode(encoding)}


def test_mixed_line_ends_are_kept(tmp_path):
    lines = BAD.splitlines()
    ends = ["\r\n", "\n", "\r"] * 3
    data = "".join(line + end for line, end in zip(lines, ends, strict=True)).encode()
    _, now = fixed(tmp_path, {"a.py": data})
    expected = data.replace(b"F.softmax(net(inputs), dim=1)", b"net(inputs)")
    before = expected.index(b"        loss.backward()")
    new = b"        optimizer.zero_grad()" + ends[7].encode()
    assert now["a.py"] == expected[:before] + new + expected[before:]


def test_a_file_without_a_last_line_end_gets_none(tmp_path):
    _, now = fixed(tmp_path, {"a.py": BAD.rstrip("\n").encode()})
    assert now["a.py"] == GOOD.rstrip("\n").encode()


def test_an_encoding_that_does_not_give_the_bytes_back_is_left_alone(tmp_path):
    # Two ways to write a plus sign in UTF-7, of which encoding takes the other one.
    data = ("# coding: utf-7\n" + BAD.replace("ä", "").replace("ü", "")).encode("utf-7")
    data = data.replace(b"# odd", b"# +ACM-odd")
    outcome, now = fixed(tmp_path, {"a.py": data})
    assert now == {"a.py": data}
    assert [str(one) for one in outcome.reports[0].failures] == [
        f"{tmp_path / 'a.py'}: is not changed: `utf-7` does not give the same bytes back"
    ]


def test_without_unsafe_fixes_only_the_safe_ones_are_made(tmp_path):
    data = (
        b"from torch.cuda.amp import autocast\n\n" + BAD.encode() + b"\nwith autocast():\n    x\n"
    )
    outcome, now = fixed(tmp_path, {"a.py": data}, unsafe=False)
    assert now["a.py"] == data.replace(b"torch.cuda.amp", b"torch.amp").replace(
        b"autocast()", b'autocast("cuda")'
    )
    assert [one.rule for one in outcome.mended[0].made] == ["deprecated-cuda-amp"]
    assert len(outcome.reports[0].diagnoses) == 2


def test_nothing_is_written_where_that_is_not_asked_for(tmp_path):
    outcome, now = fixed(tmp_path, {"a.py": BAD.encode()}, write=False)
    assert now == {"a.py": BAD.encode()}
    assert outcome.mended[0].before.text == BAD
    assert outcome.mended[0].after.text == GOOD
    assert outcome.reports[0].diagnoses == []


def test_a_file_without_a_fix_is_not_touched(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(GOOD.encode())
    os.utime(path, (1, 1))
    outcome, _ = fixed(tmp_path, {"b.py": BAD.encode()})
    outcome = fix_files(
        [str(path)], ALL, list(lint_files([str(path)], ALL)), unsafe=True, write=True
    )
    assert outcome.mended == []
    assert path.stat().st_mtime == 1


def test_a_fix_needs_two_files_to_be_seen_and_changes_one_of_them(tmp_path):
    net = (
        b"from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n"
        b"        super().__init__()\n        self.fc = nn.Linear(4, 2)\n\n"
        b"    def forward(self, x):\n        return self.fc(x)\n"
    )
    loop = (
        b"import torch\nimport torch.nn.functional as F\nfrom net import Net\n\n\n"
        b"def main(loader):\n    net = Net()\n"
        b"    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        b"    for x, y in loader:\n"
        b"        loss = F.cross_entropy(torch.softmax(net(x), 1), y)\n"
        b"        loss.backward()\n        optimizer.step()\n"
    )
    outcome, now = fixed(tmp_path, {"loop.py": loop, "net.py": net})
    assert now["net.py"] == net
    assert b"F.cross_entropy(net(x), y)" in now["loop.py"]
    assert [one.path for one in outcome.mended] == [str(tmp_path / "loop.py")]


@pytest.mark.parametrize("write", [True, False])
def test_after_a_fix_the_files_that_hang_on_it_are_linted_again_and_no_others(
    tmp_path, monkeypatch: pytest.MonkeyPatch, write
):
    net = (
        b"import torch.nn.functional as F\nfrom torch import nn\n\n\nclass Net(nn.Module):\n"
        b"    def forward(self, x):\n        return F.softmax(x, dim=1)\n\n\n"
        b"loss = F.cross_entropy(Net()(x), y)\n"
    )
    train = (
        b"import torch\nfrom net import Net\n\nloss = torch.nn.CrossEntropyLoss()(Net()(x), y)\n"
    )
    again = []

    def linted(paths, *arguments, **options):
        again.append([os.path.basename(path) for path in paths])
        return lint_files(paths, *arguments, **options)

    monkeypatch.setattr(fixer, "lint_files", linted)
    files = {"net.py": net, "other.py": b"import torch\n", "train.py": train}
    outcome, _ = fixed(tmp_path, files, write=write)
    assert [len(one.diagnoses) for one in outcome.reports] == [0, 0, 0]
    assert [os.path.basename(one.path) for one in outcome.mended] == ["net.py"]
    assert again == [["train.py"]]


def test_a_defect_whose_mend_is_in_another_file_is_left_for_a_person(tmp_path):
    net = (
        b"import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n"
        b"        super().__init__()\n        self.fc = nn.Linear(4, 2)\n\n"
        b"    def forward(self, x):\n        return torch.softmax(self.fc(x), 1)\n"
    )
    loop = (
        b"import torch\nfrom torch import nn\nfrom net import Net\n\n\n"
        b"def main(loader):\n    net = Net()\n    criterion = nn.CrossEntropyLoss()\n"
        b"    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        b"    for x, y in loader:\n        optimizer.zero_grad()\n"
        b"        criterion(net(x), y).backward()\n        optimizer.step()\n"
    )
    files = {"loop.py": loop, "net.py": net}
    outcome, now = fixed(tmp_path, files)
    spoken = [one for report in outcome.reports for one in report.diagnoses]
    assert {one.rule for one in spoken} == {"softmax-before-cross-entropy"}
    # Each file may be mended by an edit of its own only, and then the other one is left as it is.
    assert sum(now[name] != files[name] for name in files) == len(outcome.mended) == 0


# -- rules of this test, which say of a text what they are told to ----------------------------------


def settings_of(*rules: Rule) -> Settings:
    """Return settings under which some rules run and no other."""
    catalogue = Catalogue({rule.name: rule for rule in rules})
    return resolve(catalogue, Config(), Selection("this test", select=("ALL",)))


def replacing(
    name: str, old: str, new: str, *, safety: Safety = Safety.UNSAFE, every: bool = True
) -> Rule:
    """Return a rule that finds a text and wants another in its place."""
    number = 900 + sum(map(ord, name)) % 100
    rule = Rule(f"others.loop.{name}", f"TL{number}", Severity.ERROR, fixable=safety)

    @rule.check
    def check(file: FileModel) -> Iterator[Diagnosis]:
        text, at = file.source.text, -1
        while (at := text.find(old, at + 1)) != -1:
            place = file.source.span_of_offsets(at, at + len(old))
            here = type("Here", (), {"path": file.source.path, "span": place})()
            fix = Fix(f"Write {new}", safety, (Edit(at, at + len(old), new),))
            yield rule.at(here, f"`{old}` is there", remedy="Change it.", fix=fix)
            if not every:
                break

    return rule


@pytest.fixture(autouse=True)
def _a_module_of_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rules of this test have a module each."""
    for name in ("one", "other", "broken"):
        module = ModuleType(f"others.loop.{name}", "A rule of this test.")
        monkeypatch.setitem(sys.modules, module.__name__, module)


def run(text: str, *rules: Rule) -> tuple[str, fixer.Outcome]:
    """Return a text with the fixes of some rules made."""
    data, outcome = fix_bytes("a.py", text.encode(), settings_of(*rules), unsafe=True)
    return data.decode(), outcome


def test_fixes_that_overlap_are_made_in_several_rounds():
    text, outcome = run("aaaaaa\n", replacing("one", "aa", "a"))
    assert text == "a\n"
    assert outcome.made == 5
    assert outcome.refused == []


def test_of_two_rules_that_want_to_mend_one_place_one_does():
    one, other = replacing("one", "f(x)", "g(x)"), replacing("other", "f(x)", "h(x)")
    text, outcome = run("f(x)\n", one, other)
    assert text in {"g(x)\n", "h(x)\n"}
    assert outcome.made == 1


def test_a_fix_may_make_another_one_possible():
    text, _ = run("a = 1\n", replacing("one", "1", "2"), replacing("other", "2", "3"))
    assert text == "a = 3\n"


def test_a_fix_that_would_break_the_file_is_not_made_and_the_others_are():
    text, outcome = run("a = 1\nb = 2\n", replacing("one", "1", "3"), replacing("broken", "2", ")"))
    assert text == "a = 3\nb = 2\n"
    assert [(one.rule, why) for one, why in outcome.refused] == [
        ("broken", "would break the file (syntax error: unmatched ')')")
    ]
    assert [one.rule for one in outcome.reports[0].diagnoses] == ["broken"]


def test_of_the_fixes_of_one_rule_those_that_break_nothing_are_made():
    # A second `in` is a call that is not closed.
    text, outcome = run("a = [1]\nb = '[1]'\nc = [[1], 2]\n", replacing("one", "[1]", "(1'"))
    assert text == "a = [1]\nb = '[1]'\nc = [[1], 2]\n"
    assert len(outcome.refused) == 3
    text, outcome = run("a = 1\nb = '1'\n", replacing("one", "1", "x y"))
    assert text == "a = 1\nb = 'x y'\n"
    assert [one.span.line for one, _ in outcome.refused] == [1]


def test_what_parses_and_does_not_compile_is_broken_too():
    rule = replacing("broken", "pass", "return")
    text, outcome = run("def f():\n    pass\n\n\nif a:\n    pass\n", rule)
    assert text == "def f():\n    return\n\n\nif a:\n    pass\n"
    assert "'return' outside function" in outcome.refused[0][1]
    # A file that did not compile before is not worse for it.
    assert run("return\npass\n", rule)[0] == "return\nreturn\n"


def test_a_character_that_the_encoding_lacks_is_not_written():
    data = "# coding: latin-1\na = 'x'\n".encode("latin-1")
    rules = settings_of(replacing("one", "x", "\u20ac"))
    now, outcome = fix_bytes("a.py", data, rules, unsafe=True)
    assert now == data
    assert outcome.refused[0][1] == "has a character that `latin-1` lacks"


def test_fixes_that_undo_each_other_leave_the_file_as_it_was():
    text, outcome = run("a = 1\n", replacing("one", "1", "2"), replacing("other", "2", "1"))
    assert text == "a = 1\n"
    assert outcome.mended == []
    assert {why for _, why in outcome.refused} == {"and the fixes of other rules undo each other"}


def test_a_fix_that_makes_itself_necessary_again_comes_to_an_end():
    text, outcome = run("a = 1\n", replacing("one", "1", "11", every=False))
    assert text.count("1") <= fixer.ROUNDS + 1
    assert outcome.made <= fixer.ROUNDS


def test_a_file_that_does_not_parse_comes_out_as_it_went_in():
    data, outcome = fix_bytes("a.py", b"def f(:\n", ALL, unsafe=True)
    assert data == b"def f(:\n"
    assert str(outcome.reports[0].failures[0]) == "a.py:1: syntax error: invalid syntax"


def test_a_file_that_cannot_be_written_keeps_its_diagnoses_and_the_others_are_fixed(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(BAD.encode())
    path.chmod(0o444)
    (tmp_path / "b.py").write_bytes(BAD.encode())
    paths = [str(path), str(tmp_path / "b.py")]
    outcome = fix_files(paths, ALL, list(lint_files(paths, ALL)), unsafe=True, write=True)
    assert path.read_bytes() == BAD.encode()
    assert (tmp_path / "b.py").read_bytes() == GOOD.encode()
    assert [len(report.diagnoses) for report in outcome.reports] == [2, 0]
    assert [one.reason for one in outcome.reports[0].failures] == [
        "cannot be written: it is read-only"
    ]


def test_a_file_of_two_names_is_fixed_once_and_clean_under_both(tmp_path):
    (tmp_path / "link.py").symlink_to("train.py")
    (tmp_path / "train.py").write_bytes(BAD.encode())
    paths = [str(tmp_path / name) for name in ("link.py", "train.py")]
    outcome = fix_files(paths, ALL, list(lint_files(paths, ALL)), unsafe=True, write=True)
    assert (tmp_path / "train.py").read_bytes() == GOOD.encode()
    assert [one.path for one in outcome.mended] == paths[:1]
    assert [(one.path, one.diagnoses) for one in outcome.reports] == [(path, []) for path in paths]


def test_a_file_that_vanishes_after_it_was_linted_is_one_line(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(BAD.encode())
    reports = list(lint_files([str(path)], ALL))
    path.unlink()
    outcome = fix_files([str(path)], ALL, reports, unsafe=True, write=True)
    assert not path.exists()
    assert [str(one) for one in outcome.reports[0].failures] == [
        f"{path}: cannot be read: No such file or directory"
    ]


def test_what_is_saved_while_fixes_are_made_is_kept(tmp_path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.py"
    path.write_bytes(BAD.encode())
    reports = list(lint_files([str(path)], ALL))
    mend: Callable[..., fixer.Mended] = fixer.mend

    def and_save(*arguments: object, **keywords: bool) -> fixer.Mended:
        result = mend(*arguments, **keywords)
        path.write_bytes(b"saved = True\n")
        return result

    monkeypatch.setattr(fixer, "mend", and_save)
    outcome = fix_files([str(path)], ALL, reports, unsafe=True, write=True)
    assert path.read_bytes() == b"saved = True\n"
    assert "changed by somebody else" in outcome.reports[0].failures[0].reason
    assert outcome.mended == []


def test_a_file_is_linted_once_after_the_fixes_of_each_rule(tmp_path, monkeypatch):
    linted: list[str] = []

    def counted(source, *given, **more):
        linted.append(source.text)
        return lint_source(source, *given, **more)

    monkeypatch.setattr(fixer, "lint_source", counted)
    _, now = fixed(tmp_path, {"a.py": BAD.encode()})
    assert len(linted) == 2
    assert linted[-1].encode() == now["a.py"] == GOOD.encode()


@pytest.mark.parametrize("moved", ["\n" + BAD, BAD.replace("näive", "naive, but longer"), GOOD])
def test_a_file_that_has_changed_since_it_was_linted_is_linted_anew(tmp_path, moved):
    path = tmp_path / "a.py"
    path.write_text(BAD)
    reports = list(lint_files([str(path)], ALL))
    path.write_text(moved)
    fix_files([str(path)], ALL, reports, unsafe=True, write=True)
    assert path.read_text().endswith(GOOD.partition("\n")[2])
