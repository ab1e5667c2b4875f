"""The site builds without a warning, and the link that a diagnosis prints leads to its page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import trainlint

CHECKOUT = Path(trainlint.__file__).parents[1]
pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "mkdocs.yml").is_file(), reason="trainlint is installed from a wheel"
)

BROKEN = """\
import torch.nn.functional as F


def loss_of(net, inputs, targets):
    return F.cross_entropy(F.softmax(net(inputs), dim=1), targets)
"""


class _Silent(SimpleHTTPRequestHandler):
    """Serves a folder and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the site as CI does, and return its folder."""
    folder = tmp_path_factory.mktemp("built") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=CHECKOUT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def address(built):
    """Serve the site and return its address."""
    handler = partial(_Silent, directory=built)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_the_link_that_a_diagnosis_prints_leads_to_the_page_of_its_rule(address, tmp_path):
    (tmp_path / "train.py").write_text(BROKEN)
    done = subprocess.run(
        [sys.executable, "-m", "trainlint", "check", "train.py", "--isolated"],
        cwd=tmp_path,
        env={**os.environ, "TRAINLINT_SITE": address},
        capture_output=True,
        text=True,
        check=False,
    )
    (link,) = re.findall(r"read more: (\S+)$", done.stdout, re.MULTILINE)
    with urllib.request.urlopen(link) as answer:  # noqa: S310 - our own server
        page = answer.read().decode()
    assert re.search(r"<h1[^>]*>TL301 softmax-before-cross-entropy", page)


def test_nothing_on_the_site_is_loaded_from_elsewhere(built):
    foreign = re.compile(r"""<(?:script|link|img)\b[^>]*(?:src|href)=["']?(?:https?:)?//""")
    pages = list(built.rglob("*.html"))
    assert len(pages) > 150
    assert [str(page) for page in pages if foreign.search(page.read_text())] == []


def test_the_scripts_that_make_the_site_are_not_on_it(built):
    assert list(built.rglob("*.py")) == []
