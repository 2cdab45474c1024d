"""The newest state, and the viewers that take it, each at its own pace.

A socket that nobody reads takes minutes of messages into the system's buffers before sending
blocks. So a viewer acknowledges what it has drawn, and is sent nothing new while two messages are
on their way; then it gets the newest of each kind, and what lay between is never sent.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

MOST_ON_THEIR_WAY = 2
PLAIN_S = 1 / 40  # between two messages to a viewer that never acknowledges
# What tells where things stand is sent first, what moves last.
ORDER = ("error", "state", "table", "note", "setup", "sensors", "motion")
KEPT = ("state", "table", "sensors", "setup", "motion")  # a new viewer gets these
MAX_ERRORS = 20

SendText = Callable[[str], Awaitable[None]]


class Viewer:
    """One page that watches."""

    def __init__(self) -> None:
        self._newest: dict[str, Mapping[str, Any]] = {}
        self._errors: deque[Mapping[str, Any]] = deque(maxlen=MAX_ERRORS)
        self._unseen: deque[int] = deque()
        self._seq = 0
        self._acknowledges = False
        self._wake = asyncio.Event()

    def offer(self, message: Mapping[str, Any]) -> None:
        """Put down the newest of its kind; returns at once."""
        if message["type"] == "error":
            self._errors.append(message)
        else:
            self._newest[message["type"]] = message
        self._wake.set()

    def acknowledge(self, seq: float) -> None:
        """All up to a message is drawn."""
        self._acknowledges = True
        while self._unseen and self._unseen[0] <= seq:
            self._unseen.popleft()
        self._wake.set()

    async def pump(self, send: SendText) -> None:
        """Send for as long as the viewer is there."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._may_send():
                message = self._take()
                if message is None:
                    break
                self._seq += 1
                if self._acknowledges or not self._unseen:
                    self._unseen.append(self._seq)
                await send(json.dumps({**message, "seq": self._seq}, allow_nan=False))
                if not self._acknowledges:
                    await asyncio.sleep(PLAIN_S)

    def _may_send(self) -> bool:
        return not self._acknowledges or len(self._unseen) < MOST_ON_THEIR_WAY

    def _take(self) -> Mapping[str, Any] | None:
        if self._errors:
            return self._errors.popleft()
        kind = next((one for one in ORDER if one in self._newest), None)
        return None if kind is None else self._newest.pop(kind)


class Hub:
    """What every viewer is to know."""

    def __init__(self) -> None:
        self.newest: dict[str, Mapping[str, Any]] = {}
        self._viewers: set[Viewer] = set()

    def publish(self, message: Mapping[str, Any]) -> None:
        """Tell all viewers; returns at once."""
        if message["type"] in KEPT:
            self.newest[message["type"]] = message
        for viewer in self._viewers:
            viewer.offer(message)

    def forget(self, *kinds: str) -> None:
        """No longer tell new viewers what is over."""
        for kind in kinds:
            self.newest.pop(kind, None)

    def join(self) -> Viewer:
        """Let one more watch; it is told how things stand."""
        viewer = Viewer()
        for message in self.newest.values():
            viewer.offer(message)
        self._viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """One watches no longer."""
        self._viewers.discard(viewer)
