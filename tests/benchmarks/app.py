"""What the app costs and how late it is: ``python -m tests.benchmarks.app [--seconds 60]``.

Two simulated Movesense sensors in real time, asked for 120 samples a second or more (they give
208); one coached set, with one viewer and with ten. A row each:

- ``median``, ``99 %``: from the arrival of the newest sample in a motion message to its arrival at
  a viewer, so more than to its sending [ms];
- ``a second``: motion messages that the viewer got;
- ``CPU``: share of one core that the app took, the simulated person and the analyses included [%];
- ``memory``: how much more the app held at the set's end than a third into it [MB].
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.live.test_app import call, new_session, socket

RATE_HZ = 120.0
PROGRAM = f"""
import functools
from imu.transports import simulated
simulated.SimulatedRadio = functools.partial(simulated.SimulatedRadio, rate_hz={RATE_HZ})
from analysis.commands import main
main()
"""
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


def used(pid: int) -> tuple[float, float]:
    """Processor time [s] and memory [MB] of a process so far."""
    cells = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return (int(cells[11]) + int(cells[12])) / TICKS, pages * PAGE_BYTES / 1e6


async def view(
    base: str, token: str, late_ms: list[float], start: dict[str, object] | None
) -> None:
    """Watch a set to its end."""
    async with socket(base, token) as opened:
        if start is not None:
            await opened.send(json.dumps(start))
        recording = False
        async for text in opened:
            message = json.loads(text)
            await opened.send(json.dumps({"type": "ack", "seq": message["seq"]}))
            if message["type"] == "motion":
                late_ms.append(1e3 * (time.monotonic() - message["taken_monotonic_s"]))
            elif message["type"] == "state":
                if message["error"]:
                    raise RuntimeError(message["error"])
                recording = recording or message["state"] == "recording"
                if recording and message["state"] == "done":
                    return


async def measure(viewers: int, seconds: float, folder: str) -> str:
    """Coach one set; one row."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, "app", folder, "--port", "0"),
        *("--no-browser", "--simulate", "--family", "movesense"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    try:
        base, token = (await program.stdout.readline()).decode().strip().split("/?token=")
        session = await new_session(base, token)
        start = {"type": "start", "person": "P01", "session": session, "side": "left"}
        late_ms: list[float] = []
        tasks = [asyncio.create_task(view(base, token, [], None)) for _ in range(viewers - 1)]
        tasks.append(asyncio.create_task(view(base, token, late_ms, start)))
        await asyncio.sleep(seconds / 3)
        (before_s, before_mb), began_s = used(program.pid), time.monotonic()
        await asyncio.sleep(2 * seconds / 3)
        (after_s, after_mb), lasted_s = used(program.pid), time.monotonic() - began_s
        async with socket(base, token) as opened:
            await opened.send('{"type": "stop"}')
            await asyncio.gather(*tasks)
        await asyncio.to_thread(call, base, token, "/api/state")
    finally:
        program.kill()
        await program.wait()
    median, late = np.percentile(late_ms, [50, 99])
    share = 100 * (after_s - before_s) / lasted_s
    return (
        f"{viewers:7d} {median:7.1f} {late:7.1f} {len(late_ms) / seconds:9.0f} "
        f"{share:5.0f} {after_mb - before_mb:7.1f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    print("viewers  median    99 %  a second   CPU  memory")
    for viewers in (1, 10):
        with tempfile.TemporaryDirectory() as folder:
            print(asyncio.run(measure(viewers, options.seconds, folder)), flush=True)


if __name__ == "__main__":
    main()
