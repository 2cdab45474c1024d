"""Tasks ended for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_S = 1.0


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they have ended, whatever they end with.

    Once is not enough: `asyncio.wait_for` before Python 3.12, which radio libraries use, loses a
    cancellation that comes together with the result.
    """
    every = list(tasks)
    waiting = {task for task in every if not task.done()}
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=AGAIN_S)
    await asyncio.gather(*every, return_exceptions=True)
