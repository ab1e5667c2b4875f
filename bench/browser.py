"""A headless Chromium, driven over its DevTools protocol: what tests, benchmarks and pictures look with.

It takes its commands from a pipe, so it needs no package and no port: enough for pages of our own.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

PROGRAM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None) or (
    shutil.which("google-chrome")
)
"""The browser of this machine, None where there is none."""
PATIENCE: Final = 60.0
"""For so many seconds an answer is waited for."""
_NEXT_FRAMES: Final = "new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))"
_KEYS: Final = {
    "Tab": ("Tab", 9, ""),
    "Enter": ("Enter", 13, "\r"),
    "Escape": ("Escape", 27, ""),
    "ArrowLeft": ("ArrowLeft", 37, ""),
    "ArrowUp": ("ArrowUp", 38, ""),
    "ArrowRight": ("ArrowRight", 39, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
}
_SHIFT: Final = 8


class BrowserError(Exception):
    """The browser does not answer, or a script of a page has failed."""


class Browser:
    """A browser without a window, closed at the end of a `with`."""

    def __init__(self) -> None:
        if PROGRAM is None:
            msg = "there is no chromium on this machine"
            raise BrowserError(msg)
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        options = (
            "--headless=new",
            "--remote-debugging-pipe",
            f"--user-data-dir={self._profile.name}",
            "--no-sandbox",  # it opens nothing but our own files, and as root there is none
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-extensions",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            "--lang=en-GB",
        )
        # The browser reads from 3 and writes to 4.
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null', PROGRAM, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._number = 0
        self._rest = b""
        self._told: deque[dict[str, Any]] = deque()
        self._pages: dict[str, Page] = {}

    def open(
        self, path: Path | str, *, width: int = 1440, height: int = 900, dark: bool = False
    ) -> Page:
        """Open a file in a window of a size and wait until it is loaded."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.ask(f"{domain}.enable")
        page.ask("Performance.enable", timeDomain="threadTicks")
        page.resize(width, height)
        page.emulate(dark=dark)
        page.ask("Page.navigate", url=Path(path).resolve().as_uri())
        page.wait("document.readyState === 'complete' && location.protocol === 'file:'")
        return page

    def ask(self, method: str, session: str = "", **given: Any) -> dict[str, Any]:
        """Give a command and return the answer to it."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": given}
        if session:
            message["sessionId"] = session
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\0")
        self._process.stdin.flush()
        deadline = time.monotonic() + PATIENCE
        while True:
            told = self._read(deadline)
            if told.get("id") == self._number:
                if "error" in told:
                    msg = f"{method}: {told['error']['message']}"
                    raise BrowserError(msg)
                found: dict[str, Any] = told["result"]
                return found
            if page := self._pages.get(told.get("sessionId", "")):
                page.hear(told["method"], told["params"])

    def _read(self, deadline: float) -> dict[str, Any]:
        """Return the next message."""
        assert self._process.stdout is not None
        place = self._process.stdout.fileno()
        while b"\0" not in self._rest:
            ready, _, _ = select.select([place], [], [], max(0.0, deadline - time.monotonic()))
            more = os.read(place, 1 << 20) if ready else b""
            if not more:
                msg = "the browser does not answer"
                raise BrowserError(msg)
            self._rest += more
        first, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(first)
        return found

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._profile.cleanup()

    def __enter__(self) -> Self:
        """Return the browser."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the browser."""
        self.close()


class Page:
    """A tab, and what went wrong in it."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser = browser
        self._session = session
        self._target = target
        self.complaints: list[str] = []
        """Errors and warnings of the console, and what was thrown."""
        self.requests: list[str] = []
        """The addresses that were asked for, besides those that carry their content themselves."""

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """Give a command to the tab."""
        return self._browser.ask(method, self._session, **given)

    def hear(self, method: str, told: dict[str, Any]) -> None:
        """Note what the tab tells by itself."""
        if method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.complaints.append(str(details.get("exception", {}).get("description", details)))
        elif method == "Runtime.consoleAPICalled" and told["type"] in {"error", "warning"}:
            self.complaints.append(" ".join(str(one.get("value")) for one in told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in {"error", "warning"}:
            self.complaints.append(told["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            address = told["request"]["url"]
            if not address.startswith(("data:", "blob:", "about:")):
                self.requests.append(address)

    def run(self, script: str) -> Any:
        """Return the value of an expression, awaited."""
        told = self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in told:
            raise BrowserError(str(told["exceptionDetails"]["exception"].get("description")))
        return told["result"].get("value")

    def work(self) -> float:
        """Return the seconds of CPU time that the main thread of the tab has worked."""
        told = self.ask("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in told if one["name"] == "TaskDuration"))

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + PATIENCE
        while not self.run(f"Boolean({condition})"):
            if time.monotonic() > deadline:
                msg = f"it never came to pass: {condition}; complaints: {self.complaints}"
                raise BrowserError(msg)
            time.sleep(0.02)

    def settle(self) -> None:
        """Wait until what was done has been drawn."""
        self.run(f"{_NEXT_FRAMES}.then(() => {_NEXT_FRAMES})")

    def resize(self, width: int, height: int) -> None:
        """Give the window a size; a narrow one is that of a phone."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,  # noqa: PLR2004 - pixels
        )

    def emulate(self, *, dark: bool = False, media: str = "") -> None:
        """Prefer dark or light; `print` as the medium shows what would be printed."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key by its name, or type a character."""
        name, code, text = _KEYS.get(key, (key, ord(key[0].upper()), key))
        given = {
            "key": name,
            "code": name if key in _KEYS else "",
            "windowsVirtualKeyCode": code,
            "modifiers": _SHIFT if shift else 0,
        }
        down = {"text": text} if text else {}
        self.ask(
            "Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **given, **down
        )
        self.ask("Input.dispatchKeyEvent", type="keyUp", **given)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """Move (`mouseMoved`), press (`mousePressed`) or release (`mouseReleased`) the mouse."""
        self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw the mouse from one place of the window to another."""
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, button="left", clickCount=1, buttons=1)
        for share in (0.3, 0.6, 1.0):
            between = (a + (b - a) * share for a, b in zip(start, end, strict=True))
            self.mouse("mouseMoved", *between, button="left", buttons=1)
        self.mouse("mouseReleased", *end, button="left", clickCount=1)

    def picture(self, path: Path | str, clip: tuple[int, int, int, int], scale: float = 1) -> None:
        """Write a part of the page as a PNG: x, y, width and height."""
        part = dict(zip(("x", "y", "width", "height"), clip, strict=True), scale=scale)
        told = self.ask(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=part
        )
        Path(path).write_bytes(b64decode(told["data"]))

    def pdf(self) -> bytes:
        """Return the page as it would be printed on A4."""
        told = self.ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        return b64decode(told["data"])

    def close(self) -> None:
        """Close the tab."""
        self._browser.ask("Target.closeTarget", targetId=self._target)
