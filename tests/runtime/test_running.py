"""`trainlint run` runs a script as `python` would, and watches what trains in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from textwrap import dedent

import pytest

from trainlint.runtime.recordings.recording import Recording

TRAINING = """
    import sys
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 64)
            self.head = nn.Linear(64, 3)

        def forward(self, inputs):
            return self.head(torch.relu(self.fc(inputs)))

    torch.manual_seed(0)
    model = Net()
    nn.init.constant_(model.fc.bias, {bias})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(40):
        inputs = torch.randn(128, 8)
        loss = nn.functional.cross_entropy(model(inputs), inputs[:, :3].argmax(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(step, float(loss.detach()), model.fc.weight.sum().item())
"""


@pytest.fixture
def script(tmp_path):
    """Return a function that writes a script and returns its path."""

    def write(text, name="train.py", **values):
        path = tmp_path / name
        path.write_text(dedent(text.format(**values) if values else text))
        return path

    return write


def python(*arguments, cwd, **env):
    without_pytest = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={**without_pytest, "OMP_NUM_THREADS": "1", **env},
    )


def run(*arguments, cwd, **env):
    return python("-m", "trainlint", "run", "--no-recording", *arguments, cwd=cwd, **env)


@pytest.fixture
def watch(torched, tmp_path):
    """Return a function that does as `run`, in a process in which torch is there already."""

    def run_there(*arguments, recording=False):
        options = ["--no-recording"] if not recording else []
        return torched.run(["-m", "trainlint", "run", *options, *arguments], cwd=tmp_path)

    return run_there


ABOUT_ITSELF = """
    import atexit, inspect, pickle, sys, threading, __main__
    class Own: pass
    def typed(number: int): pass
    def late():
        assert type(pickle.loads(pickle.dumps(Own()))) is Own
        print("late", threading.current_thread() is threading.main_thread())
    names = sorted(set(vars(__main__)) - {"__annotations__"})
    print(sys.argv, sys.path, __name__, __file__, __spec__ and __spec__.name, __package__, names)
    print(__builtins__, type(__loader__), typed.__annotations__, inspect.getsource(Own))
    late()
    atexit.register(late)
    threading.Timer(0.2, late).start()
    print(input())
"""


@pytest.mark.parametrize("target", [("train.py",), ("-m", "train")], ids=" ".join)
def test_a_script_sees_what_it_would_see_with_python(target, script, tmp_path):
    script(ABOUT_ITSELF)
    command = os.path.join(os.path.dirname(sys.executable), "trainlint")
    starts = [[sys.executable], [sys.executable, "-m", "trainlint", "run"]]
    if os.path.exists(command):
        starts.append([command, "run"])
    done = [
        subprocess.run(
            [*start, *target, "--lr", "-m", "x"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            input="typed\n",
            check=True,
        ).stdout
        for start in starts
    ]
    assert [done[0].count(f"late {one}") for one in (True, False)] == [2, 1]
    assert done == [done[0]] * len(done)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_script_as_it_would_with_python(name, script, tmp_path):
    script(f"""
        import atexit, os, signal, time
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell
            signal.signal(signal.SIGINT, signal.default_int_handler)
        atexit.register(print, "exit")
        print("before", flush=True)
        os.kill(os.getpid(), signal.{name})
        time.sleep(5)
    """)
    plain, watched = python("train.py", cwd=tmp_path), run("train.py", cwd=tmp_path)
    assert plain.returncode == -getattr(signal, name)
    assert watched.returncode == plain.returncode
    assert watched.stdout == plain.stdout
    assert watched.stderr == plain.stderr


@pytest.mark.parametrize(
    "ending",
    ["raise SystemExit(7)", "raise SystemExit('why')", "import sys; sys.exit()", "1 / 0", "x ="],
)
def test_a_script_ends_as_it_would_with_python(ending, script, tmp_path):
    script(f"print('before')\n{ending}\n" if ending != "x =" else "x =\n")
    plain, watched = python("train.py", cwd=tmp_path), run("train.py", cwd=tmp_path)
    assert watched.returncode == plain.returncode
    assert watched.stdout == plain.stdout
    assert watched.stderr.startswith(plain.stderr)


def test_a_module_runs_with_m(script, watch, tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    script(
        "import sys, torch\nprint(sys.argv[1:], __name__, __package__)\n"
        "net = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.ReLU())\nfrom . import other\n",
        "package/train.py",
    )
    script("print('relative')\nraise ValueError('own')\n", "package/other.py")
    plain = python("-m", "package.train", "--every", "-m", cwd=tmp_path)
    watched = watch("--lint", "-m", "package.train", "--every", "-m")
    assert watched.stdout == plain.stdout == "['--every', '-m'] __main__ package\nrelative\n"
    assert watched.returncode == plain.returncode == 1
    assert "double-activation" in watched.stderr
    traces = [
        one.stderr.partition("Traceback")[2].partition('  File "' + str(tmp_path))[2]
        for one in (plain, watched)
    ]
    assert traces[0] == traces[1] != ""


def test_a_recording_is_whole_after_sigterm_and_holds_what_was_seen(script, watch, tmp_path):
    script(
        TRAINING.replace(
            "optimizer.step()",
            "optimizer.step()\n        if step == 19: import os; os.kill(os.getpid(), 15)",
        ),
        bias=0.0,
    )
    arguments = ["--every", "1", "--recording", "run.tlr", "train.py"]
    watched = watch(*arguments, recording=True)
    assert watched.returncode == -signal.SIGTERM
    assert [one.number for one in Recording(tmp_path / "run.tlr").steps()] == list(range(1, 21))


def test_the_traceback_of_an_error_in_a_measured_step_has_no_frame_of_trainlint(script, watch):
    script("""
        import torch
        from torch import nn

        class Wrong(torch.autograd.Function):
            @staticmethod
            def forward(ctx, values):
                return values.clone()

            @staticmethod
            def backward(ctx, gradient):
                raise RuntimeError("wrong backward")

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(4, 4)

            def forward(self, values, bad=False):
                return torch.nn.functional.gelu("no tensor") if bad else Wrong.apply(self.fc(values))

        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            net.fc(torch.randn(2, 4)).sum().backward()
            optimizer.step()
        try:
            net(torch.randn(2, 4), bad=True)
        except TypeError:
            net(torch.randn(2, 4)).sum().backward()
    """)
    watched = watch("-q", "--every", "1", "train.py")
    assert watched.returncode == 1
    assert "wrong backward" in watched.stderr
    assert "During handling of the above" in watched.stderr
    ours = os.path.join("trainlint", "runtime")
    assert ours not in watched.stderr


def test_a_training_is_watched_and_its_results_are_the_same(script, tmp_path):
    script(TRAINING, bias=-30.0)
    plain = python("train.py", cwd=tmp_path)
    watched = run("--every", "1", "train.py", cwd=tmp_path)
    assert watched.returncode == 0
    assert watched.stdout == plain.stdout
    assert "dead-relu" in watched.stderr
    assert "train.py:13" in watched.stderr


def test_a_healthy_training_has_no_diagnosis(script, watch):
    script(TRAINING, bias=0.0)
    watched = watch("--every", "1", "train.py")
    assert "TL" not in watched.stderr
    assert "40 steps" in watched.stderr


NOTEBOOK = """
    #!/usr/bin/env python
    # coding: utf-8

    # In[1]:


    import torch
    from torch import nn


    # ## The model

    # In[2]:


    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 3))
    nn.init.constant_(model[0].bias, -30.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


    # In[ ]:


    for step in range(40):
        inputs = torch.randn(128, 8)
        loss = nn.functional.cross_entropy(model(inputs), inputs[:, :3].argmax(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    loss.item()
"""


def test_halting_ends_a_notebook_that_was_made_a_script_with_1_and_says_why(script, watch):
    script(NOTEBOOK, "notebook.py")
    watched = watch("-q", "--every", "1", "--halt-on", "dead-relu", "notebook.py")
    assert watched.returncode == 1
    assert watched.stdout == ""
    (line,) = watched.stderr.splitlines()
    assert line.startswith("trainlint halted the training at step 11: TL250 dead-relu")


@pytest.mark.parametrize("how", ["over", "caught"])
def test_what_halts_a_training_that_is_over_ends_it_with_1_all_the_same(how, script, watch):
    if how == "over":
        text = (
            TRAINING
            + """
    from trainlint.runtime.monitor import monitor_of
    monitor_of(optimizer).log(loss=float("nan"))
"""
        )
    else:
        text = TRAINING.replace(
            "optimizer.step()", "try: optimizer.step()\n        except Exception: break"
        )
    halt_on, bias, step = {"over": ("TL920", 0.0, 40), "caught": ("TL250", -30.0, 11)}[how]
    script(text, bias=bias)
    watched = watch("-q", "--every", "1", "--halt-on", halt_on, "train.py")
    assert watched.returncode == 1
    assert watched.stdout.startswith(f"{step - 1} ")
    (line,) = watched.stderr.splitlines()
    assert line.startswith(f"trainlint ends with 1 because of step {step}: {halt_on} ")


def test_a_training_ends_after_so_many_steps(script, watch):
    script(TRAINING, bias=0.0)
    watched = watch("--max-steps", "5", "train.py")
    assert (watched.returncode, watched.stdout) == (0, "")
    assert "5 steps" in watched.stderr


def test_the_optimizers_of_a_gan_are_watched_together(script, watch):
    script("""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self, inputs, outputs):
                super().__init__()
                self.fc, self.head = nn.Linear(inputs, 16), nn.Linear(16, outputs)

            def forward(self, inputs):
                return self.head(torch.relu(self.fc(inputs)))

        torch.manual_seed(0)
        generator, critic = Net(4, 8), Net(8, 1)
        first = torch.optim.Adam(generator.parameters(), lr=1e-3)
        second = torch.optim.Adam(critic.parameters(), lr=1e-3)
        judge = nn.BCEWithLogitsLoss()
        real, no = torch.ones(32, 1), torch.zeros(32, 1)
        for _ in range(30):
            first.zero_grad()
            fake = generator(torch.randn(32, 4))
            judge(critic(fake), real).backward()
            first.step()
            second.zero_grad()
            (judge(critic(1 + torch.randn(32, 8)), real) + judge(critic(fake.detach()), no)).backward()
            second.step()
    """)
    watched = watch("--every", "1", "train.py")
    assert watched.returncode == 0
    said = watched.stderr.split("\n\n")
    # The first one joins alone, in a step of its own.
    assert said[0].startswith("The training looks healthy: no diagnoses in 31 steps")
    assert all(f"{net}.{layer} " in said[1] for net in ("Net", "Net_2") for layer in ("fc", "head"))


def test_a_script_may_watch_itself_and_fork(script, watch):
    text = TRAINING.replace(
        "for step",
        "import os, trainlint\n    trainlint.watch(model, optimizer, live=True)\n    for step",
    ).replace(
        "optimizer.step()", "optimizer.step()\n        if step == 20 and not os.fork(): sys.exit()"
    )
    script(text.replace("print(step,", "print(len(optimizer._optimizer_step_pre_hooks),"), bias=0.0)
    watched = watch("train.py")
    assert watched.returncode == 0
    assert watched.stdout.startswith("1 ")
    assert watched.stderr.count(" steps") == 1
    assert "40 steps" in watched.stderr


@pytest.mark.slow  # the compiler is imported
def test_an_optimizer_whose_step_is_compiled_is_watched(script, tmp_path):
    text = TRAINING.replace(
        "for step", "stepped = torch.compile(optimizer.step, backend='eager')\n    for step"
    )
    script(text.replace("        optimizer.step()", "        stepped()"), bias=0.0)
    watched = run("--every", "5", "train.py", cwd=tmp_path)
    assert watched.returncode == 0
    assert "does not watch" not in watched.stderr
    assert "40 steps" in watched.stderr


@pytest.mark.slow  # two workers import torch
def test_workers_that_are_spawned_find_the_classes_of_the_script(script, watch):
    script("""
        import torch
        from torch import nn
        from torch.utils.data import DataLoader, Dataset

        class Points(Dataset):
            def __len__(self):
                return 64

            def __getitem__(self, index):
                return torch.full((8,), index / 64), index % 3

        print("once", __name__)
        if __name__ == "__main__":
            model = nn.Linear(8, 3)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            loader = DataLoader(Points(), 16, num_workers=2, multiprocessing_context="spawn")
            for inputs, labels in loader:
                loss = nn.functional.cross_entropy(model(inputs), labels)
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
    """)
    watched = watch("--every", "1", "train.py")
    assert watched.returncode == 0, watched.stderr
    assert sorted(watched.stdout.split()) == sorted(
        ["once", "__main__", *["once", "__mp_main__"] * 2]
    )
    assert "4 steps" in watched.stderr


PARALLEL = """
    import torch
    from torch import nn
    from torch.distributed import init_process_group
    from torch.nn.parallel import DistributedDataParallel

    init_process_group("gloo")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 3))
    nn.init.constant_(net[0].bias, {bias})
    model = DistributedDataParallel(net)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(40):
        inputs = torch.randn(64, 8)
        loss = nn.functional.cross_entropy(model(inputs), inputs[:, :3].argmax(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("never reached")
"""
TORCHRUN = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", "-m"]


@pytest.mark.slow  # two ranks
def test_under_torchrun_halting_ends_all_ranks_and_the_first_says_why(script, tmp_path):
    script(PARALLEL, bias=-30.0)
    ours = ["trainlint", "run", "-q", "--every=1", "--halt-on=error", "--recording=run.tlr"]
    ours += ["--output-format=json", "--output-file=said.json"]
    halted = python(*TORCHRUN, *ours, "train.py", cwd=tmp_path)
    assert halted.returncode == 1
    assert halted.stdout == ""
    assert halted.stderr.count("trainlint halted the training at step 11: TL250 dead-relu") == 1
    said = json.loads((tmp_path / "said.json").read_text())
    assert [one["code"] for one in said["diagnoses"]] == ["TL250"]
    with Recording(tmp_path / "run.tlr") as recording:
        assert [one.number for one in recording.steps()] == list(range(1, 13))
        assert [one.code for one in recording.diagnoses()] == ["TL250"]
        assert recording.sessions[0].is_finished


@pytest.mark.slow  # two ranks
def test_under_torchrun_the_ranks_are_watched_together_and_rank_0_tells(script, tmp_path):
    script(PARALLEL, bias=0.0)
    ours = ["trainlint", "run", "--every", "1", "--max-steps", "12", "--recording", "run.tlr"]
    watched = python(*TORCHRUN, *ours, "train.py", cwd=tmp_path)
    assert watched.returncode == 0, watched.stderr
    assert watched.stdout == ""
    assert watched.stderr.count("12 steps") == 1
    recording = Recording(tmp_path / "run.tlr")
    assert [one.number for one in recording.steps()] == list(range(1, 13))
    assert recording.facts.ranks == 2


def test_a_script_without_torch_runs_and_is_told_that_nothing_was_watched(script, tmp_path):
    script("import sys\nprint('torch' in sys.modules)\n")
    watched = run("train.py", cwd=tmp_path)
    assert watched.stdout == "False\n"
    assert watched.stderr == (
        "trainlint: no optimizer of torch took a step in this program, so nothing was watched\n"
    )
    assert run("--quiet", "train.py", cwd=tmp_path).stderr == ""


def test_it_is_said_that_processes_that_are_spawned_are_not_watched(script, tmp_path):
    script("""
        import multiprocessing
        if __name__ == "__main__":
            child = multiprocessing.get_context("spawn").Process(target=print, args=["child"])
            child.start()
            child.join()
    """)
    watched = run("train.py", cwd=tmp_path)
    assert (watched.returncode, watched.stdout) == (0, "child\n")
    assert watched.stderr == (
        "trainlint: no optimizer of torch took a step in this process, and those that it spawns are not "
        "watched; `torchrun` starts such\n"
    )


def test_a_replay_heeds_what_the_run_was_told(script, watch, tmp_path):
    script(TRAINING, bias=-30.0)
    told = ("--every", "1", "--select", "dead-relu", "--config", "rules.dead-relu.samples = 10")
    watch("--recording", "run.tlr", *told, "train.py", recording=True)
    replayed = python("-m", "trainlint", "replay", "--statistics", "run.tlr", cwd=tmp_path)
    assert "dead-relu" in replayed.stdout
    with Recording(tmp_path / "run.tlr") as recording:
        assert recording.settings == {
            "select": ["dead-relu"],
            "ignore": [],
            "extend_select": [],
            "thresholds": {"dead-relu": {"samples": 10}},
        }


def test_a_script_is_linted_first_where_that_is_asked(script, watch):
    script(
        "import torch\nfrom torch import nn\nnet = nn.Sequential(nn.ReLU(), nn.ReLU())\nprint(1)\n"
    )
    watched = watch("--lint", "train.py")
    assert watched.stdout == "1\n"
    assert "double-activation" in watched.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.py"], "missing.py: cannot be read: No such file"),
        (["train.ipynb"], "train.ipynb: is a notebook; run what `jupyter nbconvert"),
        ([], "name a script"),
        (["-m", "no.such.module"], "'no.such.module' (ModuleNotFoundError: No module named 'no')"),
        (["--halt-on", "eror", "train.py"], "--halt-on: expects a severity or a rule"),
        (["--select", "dead-rleu", "train.py"], "dead-relu"),
        (["--max-steps", "0", "train.py"], "--max-steps"),
        (["--evry", "2", "train.py"], "--evry"),
    ],
)
def test_bad_input_is_one_line(arguments, words, script, tmp_path):
    script("print('ran')\n")
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
