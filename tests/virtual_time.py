"""An event loop whose time is made: waits cost nothing, and everything happens in its order."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


class _Inline(ThreadPoolExecutor):
    """Runs what is handed to it at once, so that no thread is left behind by the time."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class _Jumping(selectors.DefaultSelector):
    """Where nothing is ready, time goes on to the next thing to do."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing will ever happen any more")
        if not ready and timeout:
            self.loop.made_s += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that begins at 1000 s and jumps over every wait."""

    def __init__(self) -> None:
        self.made_s = 1000.0
        selector = _Jumping()
        selector.loop = self
        super().__init__(selector)
        self.set_default_executor(_Inline())

    def time(self) -> float:
        return self.made_s


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in made time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
