"""A file of the user is replaced whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from textwrap import dedent

import pytest

from trainlint.core import atomic
from trainlint.core.atomic import ReplaceError, create_file, remove_left_over, replace_file

BEFORE, AFTER = b"before\n", b"after, and longer\r\n"


HOLDS = pytest.mark.skipif(sys.platform == "win32", reason="no file is held by a lock there")


@pytest.fixture
def path(tmp_path):
    """Return a file that holds BEFORE, alone in its folder."""
    path = tmp_path / "train.py"
    path.write_bytes(BEFORE)
    return path


def test_the_file_holds_the_new_bytes_and_nothing_lies_beside_it(path):
    replace_file(str(path), BEFORE, AFTER)
    assert path.read_bytes() == AFTER
    assert os.listdir(path.parent) == ["train.py"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o664])
def test_permissions_are_kept(path, mode):
    path.chmod(mode)
    replace_file(str(path), BEFORE, AFTER)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="no extended attributes on this system")
def test_extended_attributes_are_kept(path):
    try:
        os.setxattr(path, "user.note", b"mine")
    except OSError:
        pytest.skip("no extended attributes in this file system")
    replace_file(str(path), BEFORE, AFTER)
    assert os.getxattr(path, "user.note") == b"mine"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
def test_the_owner_is_kept(path):
    os.chown(path, 1234, 4321)
    path.chmod(0o2755)
    replace_file(str(path), BEFORE, AFTER)
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (1234, 4321)
    assert stat.S_IMODE(status.st_mode) == 0o2755


def test_an_owner_that_cannot_be_kept_lets_the_file_be_written_in_place(path, monkeypatch):
    node = path.stat().st_ino
    monkeypatch.setattr(atomic, "_keep_attributes", lambda *_: False)
    replace_file(str(path), BEFORE, AFTER)
    assert path.read_bytes() == AFTER
    assert path.stat().st_ino == node
    assert os.listdir(path.parent) == ["train.py"]


def test_a_symbolic_link_stays_one(path, tmp_path):
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "one.py").symlink_to(path)
    (folder / "two.py").symlink_to("one.py")
    replace_file(str(folder / "two.py"), BEFORE, AFTER)
    assert path.read_bytes() == AFTER
    assert os.readlink(folder / "one.py") == str(path)
    assert os.readlink(folder / "two.py") == "one.py"
    assert sorted(os.listdir(folder)) == ["one.py", "two.py"]


def test_the_other_names_of_a_file_still_name_it(path, tmp_path):
    os.link(path, tmp_path / "other.py")
    shorter = b"x"
    replace_file(str(path), BEFORE, shorter)
    assert (tmp_path / "other.py").read_bytes() == shorter
    assert path.samefile(tmp_path / "other.py")
    assert sorted(os.listdir(tmp_path)) == ["other.py", "train.py"]


@pytest.mark.parametrize("what", ["it", "its folder"])
def test_what_is_read_only_is_left_alone_even_by_root(path, what):
    place = path if what == "it" else path.parent
    mode = stat.S_IMODE(place.stat().st_mode)
    place.chmod(mode & ~0o222)
    try:
        with pytest.raises(ReplaceError) as caught:
            replace_file(str(path), BEFORE, AFTER)
    finally:
        place.chmod(mode)
    assert str(caught.value) == f"{path}: cannot be written: {what} is read-only"
    assert path.read_bytes() == BEFORE
    assert os.listdir(path.parent) == ["train.py"]


def test_a_file_that_has_vanished_is_not_made_anew(path):
    path.unlink()
    with pytest.raises(ReplaceError, match=r"train\.py: cannot be written: No such file"):
        replace_file(str(path), BEFORE, AFTER)
    assert os.listdir(path.parent) == []


def test_what_somebody_else_has_written_meanwhile_is_not_overwritten(path):
    path.write_bytes(b"mine\n")
    with pytest.raises(ReplaceError, match="changed by somebody else"):
        replace_file(str(path), BEFORE, AFTER)
    assert path.read_bytes() == b"mine\n"


def test_what_is_written_in_the_last_moment_is_not_overwritten(path, monkeypatch):
    keep = atomic._keep_attributes

    def and_then_somebody_saves(*arguments):
        path.write_bytes(b"mine, just now\n")
        return keep(*arguments)

    monkeypatch.setattr(atomic, "_keep_attributes", and_then_somebody_saves)
    with pytest.raises(ReplaceError, match="changed by somebody else"):
        replace_file(str(path), BEFORE, AFTER)
    assert path.read_bytes() == b"mine, just now\n"
    assert os.listdir(path.parent) == ["train.py"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_an_error_of_the_system_leaves_the_file_and_nothing_beside_it(path, monkeypatch, call):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(
        ReplaceError, match=r"train\.py: cannot be written: No space left on device"
    ):
        replace_file(str(path), BEFORE, AFTER)
    assert path.read_bytes() == BEFORE
    assert os.listdir(path.parent) == ["train.py"]


def test_an_error_while_a_file_with_two_names_is_written_tells_where_the_old_text_is(
    path, tmp_path, monkeypatch
):
    os.link(path, tmp_path / "other.py")
    sync, calls = os.fsync, []

    def refuse_the_third(handle):
        calls.append(handle)
        if len(calls) == 3:
            raise OSError(5, "Input/output error")
        sync(handle)

    monkeypatch.setattr(os, "fsync", refuse_the_third)
    with pytest.raises(ReplaceError, match="what it held is in ") as caught:
        replace_file(str(path), BEFORE, AFTER)
    kept = str(caught.value).rpartition("what it held is in ")[2]
    with open(kept, "rb") as stream:
        assert stream.read() == BEFORE


ENOUGH = 6
"""So many kills, and more if none of them came in the middle."""

LOOP = """
import sys
from trainlint.core.atomic import replace_file
path, size = sys.argv[1], int(sys.argv[2])
texts = [b"0" * size, b"1" * (size // 2)]
print("ready", flush=True)
while True:
    replace_file(path, texts[0], texts[1])
    texts.reverse()
"""


@pytest.mark.parametrize("names", [1, 2])
def test_a_kill_in_the_middle_loses_nothing(path, names):
    size = 2_000_000
    whole = {b"0" * size, b"1" * (size // 2)}
    path.write_bytes(b"0" * size)
    if names == 2:
        os.link(path, path.parent / "other.py")
    torn = 0
    for attempt in range(40):
        if torn and attempt >= ENOUGH:
            break
        if path.read_bytes() != b"0" * size:
            with open(path, "r+b") as stream:  # keeps both names
                stream.write(b"0" * size)
        child = subprocess.Popen(
            [sys.executable, "-c", dedent(LOOP), str(path), str(size)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        rounds = attempt // ENOUGH  # where the machine is busy a child may not have begun by then
        time.sleep(0.004 * (attempt % ENOUGH) * (1 + rounds))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        left = {one.read_bytes() for one in path.parent.glob(".trainlint-*")}
        if names == 1:
            assert path.read_bytes() in whole
        else:
            # Torn it may be, but then what it held lies whole beside it.
            assert path.read_bytes() in whole or left & whole
        torn += bool(left)
        for one in path.parent.glob(".trainlint-*"):
            one.unlink()
    assert torn, "no kill came in the middle"


def left(folder, name=".trainlint-abcd_123.tmp", age=3600.0):
    """Leave a file in a folder, as old as is said."""
    path = folder / name
    path.write_bytes(b"left")
    os.utime(path, (time.time() - age,) * 2)
    return path


@HOLDS
def test_what_a_killed_process_left_is_gone_after_the_next_fix_in_its_folder(path):
    left(path.parent)
    replace_file(str(path), BEFORE, AFTER)
    assert path.read_bytes() == AFTER
    assert os.listdir(path.parent) == ["train.py"]


@pytest.mark.parametrize(
    "name",
    [
        "trainlint-abcd_123.tmp",
        ".trainlint-abcd.tmp",
        ".trainlint-abcd_1234.tmp",
        ".trainlint-abcd_123.py",
        ".trainlint-abcd_123.tmp.py",
        ".trainlint-ABCD_123.tmp",
        ".trainlint-abcd_123.before",
    ],
)
def test_a_file_of_another_name_is_left_alone(tmp_path, name):
    path = left(tmp_path, name)
    assert remove_left_over(str(tmp_path)) == []
    assert path.exists()


def test_what_was_just_written_or_is_no_plain_file_is_left_alone(tmp_path):
    new = left(tmp_path, age=1.0)
    (tmp_path / ".trainlint-link_123.tmp").symlink_to(new)
    (tmp_path / ".trainlint-folder_1.tmp").mkdir()
    assert remove_left_over(str(tmp_path)) == []
    assert len(os.listdir(tmp_path)) == 3
    assert remove_left_over(str(tmp_path / "nowhere")) == []


@HOLDS
def test_what_a_process_still_holds_is_left_alone_until_that_is_killed(tmp_path):
    code = """
        import sys, time
        from trainlint.core.atomic import _written
        temporary, stream = _written(sys.argv[1], b"new", ".tmp")
        print(temporary, flush=True)
        time.sleep(60)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", dedent(code), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    held = child.stdout.readline().strip()
    os.utime(held, (time.time() - 3600,) * 2)
    assert remove_left_over(str(tmp_path)) == []
    child.kill()
    child.wait()
    child.stdout.close()
    assert remove_left_over(str(tmp_path)) == [held]
    assert os.listdir(tmp_path) == []


def test_a_new_file_is_whole_and_has_the_usual_permissions(tmp_path):
    path = tmp_path / "new" / "deep" / "a.json"
    mask = os.umask(0o027)
    try:
        create_file(str(path), AFTER)
    finally:
        os.umask(mask)
    assert path.read_bytes() == AFTER
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(path.parent) == ["a.json"]


def test_of_a_new_file_that_fails_nothing_is_left(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReplaceError, match=r"a\.json: cannot be written: No space left on device"):
        create_file(str(tmp_path / "a.json"), AFTER)
    assert os.listdir(tmp_path) == []
