"""A Chromium without a window, asked over its DevTools protocol: how long a page takes, what it measures, how it looks.

https://chromedevtools.github.io/devtools-protocol/ over aiohttp's WebSocket: no driver, no node, nothing that the lock does not hold.
"""

import asyncio
import base64
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_SECONDS = 120.0
MOST_BYTES = 64 << 20
"""Of one message: a picture of a long page."""
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--font-render-hinting=none",
    "--disable-lcd-text",
    "--force-color-profile=srgb",
    "--remote-debugging-port=0",
    "--no-first-run",
)


def program() -> str | None:
    """The Chromium of this machine, or that of the variable CHROMIUM; None where there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One page of it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._last = 0
        self._loads = 0

    async def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        """What the browser answers to *method*. Raises RuntimeError where it refuses."""
        self._last += 1
        await self._socket.send_json({"id": self._last, "method": method, "params": parameters})
        found = await self._until(lambda said: said.get("id") == self._last)
        if "error" in found:
            raise RuntimeError(f"{method}: {found['error']['message']}")
        return dict(found["result"])

    async def open(self, url: str) -> None:
        """Show *url*, whole."""
        await self.ask("Page.enable")
        before = self._loads
        await self.ask("Page.navigate", url=url)
        if self._loads == before:  # it may have come before the answer
            await self._until(lambda _: self._loads > before)

    async def screen(self, width: int, scheme: str, height: int = 900) -> None:
        """Be *width* and *height* points large, of a person who likes *scheme*, ``light`` or ``dark``; nothing moves."""
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        liked = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        await self.ask("Emulation.setEmulatedMedia", features=liked)

    async def value(self, expression: str) -> Any:
        """What *expression*, JavaScript, comes to in the page. Raises RuntimeError."""
        found = await self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(
                f"{expression[:80]}: {found['exceptionDetails'].get('exception', {}).get('description')}"
            )
        return found["result"].get("value")

    async def picture(self) -> bytes:
        """The whole page as PNG."""
        found = await self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, fromSurface=True)
        return base64.b64decode(found["data"])

    async def _until(self, wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                said = await self._socket.receive_json()
                self._loads += said.get("method") == "Page.loadEventFired"
                if wanted(said):
                    return dict(said)


@asynccontextmanager
async def tab(browser: str) -> AsyncIterator[Tab]:
    """A page of *browser*, a program started for it, which ends with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            browser,
            *OPTIONS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port = await _port(Path(profile) / "DevToolsActivePort", process)
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{port}/json/list") as answer,
            ):
                page = next(each for each in await answer.json() if each["type"] == "page")
                async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=MOST_BYTES) as socket:
                    yield Tab(socket)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _port(file: Path, process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"the browser ended with {process.returncode} before it listened")
            if file.is_file() and len(lines := file.read_text(encoding="ascii").splitlines()) == 2:
                return int(lines[0])
            await asyncio.sleep(0.05)
