from __future__ import annotations

import asyncio

import pytest

from imu.codecs.dialogue import Ask, Pause, Read, Subscribe, Unsubscribe, Write
from imu.collector.exchange import Inbox, converse
from imu.errors import FrameError, LinkError
from imu.frames import Frame


class HandLink:
    """A link that writes down what was done, and answers from a table."""

    def __init__(self, values=None, answers=None):
        self.values = values or {}
        self.answers = answers or {}
        self.done = []
        self.lost = False
        self.inbox = None

    def has(self, uuid):
        return uuid in self.values

    async def read(self, characteristic):
        self.done.append(("read", characteristic))
        value = self.values[characteristic]
        if isinstance(value, Exception):
            raise value
        return value

    async def write(self, characteristic, data, response):
        self.done.append(("write", characteristic, data, response))
        for payload in self.answers.get(data, []):
            asyncio.get_running_loop().call_later(
                0.01, self.inbox.receive, Frame("out", 1.0, payload)
            )

    async def subscribe(self, characteristic):
        self.done.append(("subscribe", characteristic))

    async def unsubscribe(self, characteristic):
        self.done.append(("unsubscribe", characteristic))


def run(link, dialogue):
    forwarded = []

    async def go():
        link.inbox = Inbox(forwarded.append)
        return await converse(link, link.inbox, dialogue)

    return asyncio.run(go()), forwarded


def test_steps_are_carried_out_in_order_and_answered():
    def dialogue():
        yield Write("in", b"\x01")
        yield Pause(0.0)
        value = yield Read("info")
        yield Subscribe("out")
        yield Unsubscribe("out")
        yield Write("in", value, response=False)
        return value[::-1]

    link = HandLink({"info": b"ab", "out": b""})
    result, _ = run(link, dialogue())
    assert result == b"ba"
    assert link.done == [
        ("write", "in", b"\x01", True),
        ("read", "info"),
        ("subscribe", "out"),
        ("unsubscribe", "out"),
        ("write", "in", b"ab", False),
    ]


def test_what_is_optional_may_be_missing_or_refused():
    def dialogue():
        missing = yield Read("missing", optional=True)
        refused = yield Read("refused", optional=True)
        yield Subscribe("missing", optional=True)
        return missing, refused

    link = HandLink({"refused": LinkError("no")})
    result, _ = run(link, dialogue())
    assert result == (b"", b"")
    assert ("subscribe", "missing") not in link.done


def test_what_is_needed_may_not():
    def dialogue():
        yield Read("refused")

    with pytest.raises(LinkError, match="no"):
        run(HandLink({"refused": LinkError("no")}), dialogue())


def test_an_answer_is_picked_out_and_everything_is_passed_on():
    def dialogue():
        return (yield Ask("in", b"?", "out", lambda payload: payload[0] == 7))

    link = HandLink(answers={b"?": [b"", b"\x01x", b"\x07y", b"\x07z"]})
    result, forwarded = run(link, dialogue())
    assert result == b"\x07y"  # the empty payload made the test of the match fail, and no more
    assert [frame.payload for frame in forwarded][:3] == [b"", b"\x01x", b"\x07y"]


def test_no_answer_fails_the_link_unless_it_is_optional():
    def dialogue(optional):
        return (yield Ask("in", b"?", "out", bool, timeout_s=0.02, optional=optional))

    assert run(HandLink(), dialogue(optional=True))[0] == b""
    with pytest.raises(LinkError, match="no answer to 3f within"):
        run(HandLink(), dialogue(optional=False))


def test_an_answer_the_protocol_does_not_have_fails_the_link():
    def dialogue():
        yield Pause(0.0)
        raise FrameError("Movella DOT", "34 bytes of device info", b"\x00")

    with pytest.raises(LinkError, match="34 bytes of device info"):
        run(HandLink(), dialogue())


def test_a_dialogue_that_fails_is_closed():
    closed = []

    def dialogue():
        try:
            yield Read("refused")
        finally:
            closed.append(True)

    with pytest.raises(LinkError):
        run(HandLink({"refused": LinkError("no")}), dialogue())
    assert closed == [True]
