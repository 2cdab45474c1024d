"""Viewers: the newest only, at their own pace; nobody waits for them."""

from __future__ import annotations

import asyncio
import json

from analysis.app.hub import MOST_ON_THEIR_WAY, PLAIN_S, Hub


def motion(number: int) -> dict[str, object]:
    return {"type": "motion", "time_s": number}


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Page:
    """Takes what is sent; draws when told to."""

    def __init__(self, hub: Hub) -> None:
        self.got: list[dict[str, object]] = []
        self.drawn = False
        self.viewer = hub.join()
        self.task = asyncio.create_task(self.viewer.pump(self.send))

    async def send(self, text: str) -> None:
        self.got.append(json.loads(text))

    async def draw(self) -> None:
        # The first acknowledgement tells that this viewer gives any.
        await asyncio.sleep(0 if self.drawn else 2 * PLAIN_S)
        self.drawn = True
        await settle()
        self.viewer.acknowledge(float(self.got[-1]["seq"]) if self.got else 0.0)
        await settle()


def test_a_viewer_that_stops_drawing_gets_two_messages_and_then_the_newest():
    async def go() -> list[dict[str, object]]:
        hub = Hub()
        page = Page(hub)
        hub.publish({"type": "state", "state": "recording"})
        await page.draw()
        for number in range(1000):
            hub.publish(motion(number))
            await asyncio.sleep(0)
        await settle()
        assert len(page.got) == 1 + MOST_ON_THEIR_WAY
        await page.draw()
        page.task.cancel()
        return page.got

    got = asyncio.run(go())
    assert got[-1]["time_s"] == 999  # what lay between is never sent
    assert [one["seq"] for one in got] == list(range(1, len(got) + 1))


def test_states_and_errors_are_not_lost_among_motions():
    async def go() -> list[dict[str, object]]:
        hub = Hub()
        page = Page(hub)
        hub.publish(motion(0))
        await page.draw()
        page.got.clear()
        for number in range(1, 100):
            hub.publish(motion(number))
        hub.publish({"type": "state", "state": "done"})
        page.viewer.offer({"type": "error", "text": "a"})
        page.viewer.offer({"type": "error", "text": "b"})
        await settle()
        for _ in range(4):
            await page.draw()
        page.task.cancel()
        return page.got

    told = [(one["type"], one.get("text")) for one in asyncio.run(go())]
    assert told == [("error", "a"), ("error", "b"), ("state", None), ("motion", None)]


def test_who_joins_later_is_told_how_things_stand():
    async def go() -> set[object]:
        hub = Hub()
        hub.publish({"type": "state", "state": "recording"})
        hub.publish({"type": "note", "text": "over"})
        hub.publish(motion(7))
        page = Page(hub)
        for _ in range(3):
            await page.draw()
        page.task.cancel()
        return {one["type"] for one in page.got}

    assert asyncio.run(go()) == {"state", "motion"}


def test_a_viewer_that_blocks_delays_nobody():
    async def go() -> int:
        hub = Hub()

        async def never(_text: str) -> None:
            await asyncio.Event().wait()

        stuck = [asyncio.create_task(hub.join().pump(never)) for _ in range(10)]
        page = Page(hub)
        for number in range(50):
            hub.publish(motion(number))
            await page.draw()
        for one in [*stuck, page.task]:
            one.cancel()
        return len(page.got)

    assert asyncio.run(go()) >= 49
