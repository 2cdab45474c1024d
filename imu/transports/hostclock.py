"""The host's clock, as whoever runs the event loop hands it in.

An event loop's own time is the host's monotonic clock, so stamps and waits go by one clock. A loop
whose time is made (tests) makes all of the collector run in that time, with nothing else changed.
"""

from __future__ import annotations

import asyncio


def now() -> float:
    """Seconds of the running event loop's clock."""
    return asyncio.get_running_loop().time()
