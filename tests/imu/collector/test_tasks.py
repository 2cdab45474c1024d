from __future__ import annotations

import asyncio

from imu.collector import tasks
from imu.collector.tasks import end_tasks


def test_a_task_that_loses_a_cancellation_is_ended_all_the_same(monkeypatch):
    monkeypatch.setattr(tasks, "AGAIN_S", 0.01)
    cancelled = []

    async def stubborn():
        for _ in range(3):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(True)
        await asyncio.sleep(60)

    async def go():
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        await end_tasks([task])
        return task.cancelled()

    assert asyncio.run(go())
    assert len(cancelled) == 3


def test_what_tasks_end_with_is_no_matter():
    async def failing():
        raise ValueError("no matter")

    async def go():
        await end_tasks([asyncio.create_task(failing()), asyncio.create_task(asyncio.sleep(0))])
        await end_tasks([])

    asyncio.run(go())
