"""The app in real time: a whole set driven over the socket, watched by viewers of every kind."""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.error
import urllib.request
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import quote

import pytest
from websockets.asyncio.client import connect

from analysis.results import analyse
from imu.storage.session import read_session

PROGRAM = (sys.executable, "-c", "from analysis.commands import main; main()")
SET_S = 22.0  # so long the simulated person is recorded


@asynccontextmanager
async def running(folder):
    """The app, on a free port."""
    program = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *("app", str(folder), "--port", "0", "--no-browser", "--simulate"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    try:
        address = (await program.stdout.readline()).decode().strip()
        yield program, *address.split("/?token=")
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()


def call(base, token, path, body=None):
    """Make one call; the status where it is refused."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Origin": base, "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{base}{path}?token={token}", data, headers)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code
    return json.loads(text) if path.startswith("/api/") else text


def socket(base, token):
    return connect(f"ws{base[4:]}/live?token={token}", origin=base, max_queue=1)


class Page:
    """A page that draws at once and keeps what it was told."""

    def __init__(self, opened):
        self._opened = opened
        self.told = []

    async def send(self, **message):
        await self._opened.send(json.dumps(message))

    async def until(self, state):
        """Draw until a state comes."""
        async for text in self._opened:
            message = json.loads(text)
            self.told.append(message)
            await self.send(type="ack", seq=message["seq"])
            if message["type"] == "state" and message["state"] == state:
                return

    def of(self, kind):
        return [one for one in self.told if one["type"] == kind]


async def flood(base, token, seconds):
    """A viewer that sends nonsense as fast as it can and reads nothing."""
    async with socket(base, token) as opened:
        end_s = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end_s:
            await opened.send("nonsense" * 50)
            await asyncio.sleep(0.001)


async def new_session(base, token):
    """Make a person and a session by the calls a page makes."""
    made = partial(asyncio.to_thread, call, base, token)
    assert (await made("/api/people", {"name": "P01"})) == {"name": "P01"}
    return (await made("/api/people/P01/sessions", {}))["session"]


def test_a_set_is_coached_recorded_and_reported_the_same_whoever_watches(tmp_path):
    async def go():
        async with running(tmp_path) as (_, base, token):
            session = await new_session(base, token)
            async with socket(base, token) as opened, socket(base, token):
                page = Page(opened)
                start = {"person": "P01", "session": session, "side": "left", "mode": "train"}
                await page.send(type="start", **start)
                await page.until("recording")
                flooding = asyncio.create_task(flood(base, token, 5.0))
                await page.send(type="start", **start)  # refused: one runs
                await page.send(type="mark", kind="pain", score=2, text="")
                stopping = asyncio.create_task(_stop(page, SET_S))
                await page.until("done")
                await asyncio.gather(flooding, stopping)
                await page.send(type="scan")  # what comes next comes behind the table
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(page.until("connecting"), 1.0)
            place = f"/report/P01/{quote(session)}/report.html"
            return session, page, await asyncio.to_thread(call, base, token, place)

    session, page, report = asyncio.run(go())
    states = [one["state"] for one in page.of("state")]
    assert [one for one in dict.fromkeys(states) if one != "idle"] == [
        "connecting",
        "setup",
        "settling",
        "recording",
        "analysing",
        "done",
    ]
    assert any("under way" in one["text"] for one in page.of("error"))
    motions = page.of("motion")
    assert len(motions) > 15 * SET_S
    assert max(one["ir_deg"] for one in motions) > 15
    folder = tmp_path / "P01" / session
    recorded = read_session(folder)
    assert recorded.info.modes == {"left": "train"}
    assert [one.kind for one in recorded.events] == ["pain"]
    found = analyse(recorded)
    (table,) = page.of("table")
    assert [one["rom_deg"] for one in table["reps"]] == pytest.approx(list(found.reps["rom_deg"]))
    assert motions[-1]["reps"] <= len(table["reps"])
    assert "Hip internal rotation" in report
    lost = [one["lost"] for one in page.of("sensors")[-2]["sensors"] if "lost" in one]
    assert not any(lost)


async def _stop(page, seconds):
    await asyncio.sleep(seconds)
    await page.send(type="stop")


def test_pain_ends_the_set_and_a_killed_app_leaves_the_set_whole(tmp_path):
    async def go():
        async with running(tmp_path) as (program, base, token):
            session = await new_session(base, token)
            async with socket(base, token) as opened:
                page = Page(opened)
                start = {"person": "P01", "session": session, "side": "right"}
                await page.send(type="start", **start)
                await page.until("recording")
                await asyncio.sleep(6.0)
                await page.send(type="mark", kind="pain", score=6, text="")
                await page.until("done")
                await page.send(type="start", **{**start, "side": "left"})
                await page.until("recording")
                await asyncio.sleep(4.0)
                program.kill()
                await program.wait()
        async with running(tmp_path) as (_, base, token):
            place = f"/api/people/P01/sessions/{quote(session)}"
            return session, await asyncio.to_thread(call, base, token, place)

    session, again = asyncio.run(go())
    recorded = read_session(tmp_path / "P01" / session)
    assert [one.name for one in recorded.recordings] == ["left", "right"]
    assert [(one.kind, one.score) for one in recorded.events] == [("pain", 6.0)]
    left = recorded.recordings[0].streams["thigh"]
    assert left.time_s[-1] - left.time_s[0] > 4.0
    assert again["session"] == session


def test_wrong_tokens_and_origins_are_shut_out(tmp_path):
    async def go():
        async with running(tmp_path) as (_, base, token):
            refused = []
            for origin, given in ((base, "wrong"), ("http://evil.example", token)):
                try:
                    async with connect(f"ws{base[4:]}/live?token={given}", origin=origin):
                        pass
                except Exception as error:
                    refused.append(type(error).__name__)
            codes = [
                await asyncio.to_thread(call, base, given, path)
                for given, path in (("wrong", "/"), (token, "/api/people/%2e%2e"))
            ]
            return refused, codes

    refused, codes = asyncio.run(go())
    assert len(refused) == 2
    assert codes == [403, 404]
