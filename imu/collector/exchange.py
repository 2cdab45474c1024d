"""A codec's dialogue carried out on a link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from imu.codecs.dialogue import (
    Ask,
    Dialogue,
    Pause,
    Read,
    Result,
    Step,
    Subscribe,
    Unsubscribe,
    Write,
)
from imu.errors import FrameError, LinkError
from imu.frames import Frame
from imu.transports.links import Link


class Inbox:
    """Where the notifications of one link come in: all are passed on, and answers picked out.

    Parameters
    ----------
    forward : callable
        Takes every frame.
    """

    def __init__(self, forward: Callable[[Frame], None]) -> None:
        self._forward = forward
        self._question: Ask | None = None
        self._answer: asyncio.Future[bytes] | None = None

    def receive(self, frame: Frame) -> None:
        """Take a notification."""
        self._forward(frame)
        question, answer = self._question, self._answer
        if question is None or answer is None or answer.done():
            return
        if frame.characteristic == question.answers_on and _matches(question, frame.payload):
            answer.set_result(frame.payload)

    def expect(self, question: Ask) -> asyncio.Future[bytes]:
        """Look out for an answer, before the question is asked."""
        self._question = question
        self._answer = asyncio.get_running_loop().create_future()
        return self._answer

    def forget(self) -> None:
        """Look out no longer."""
        if self._answer is not None:
            self._answer.cancel()
        self._question = self._answer = None


def _matches(question: Ask, payload: bytes) -> bool:
    """Whether a payload, which may be anything, answers."""
    with suppress(Exception):  # garbage must not end the radio's callback
        return bool(question.matches(payload))
    return False


async def converse(link: Link, inbox: Inbox, dialogue: Dialogue[Result]) -> Result:
    """Carry out a dialogue and return its result.

    Raises
    ------
    LinkError
        The link fails, the sensor refuses, does not answer in time, or answers what its protocol
        does not have.
    """
    answer: bytes | None = None
    try:
        while True:
            step = next(dialogue) if answer is None else dialogue.send(answer)
            answer = await _carry_out(link, inbox, step)
    except StopIteration as end:
        result: Result = end.value
        return result
    except FrameError as error:
        raise LinkError(str(error)) from None
    finally:
        dialogue.close()


async def _carry_out(link: Link, inbox: Inbox, step: Step) -> bytes:
    """Carry out one step; its answer."""
    match step:
        case Pause():
            await asyncio.sleep(step.seconds)
        case Write():
            await link.write(step.characteristic, step.data, step.response)
        case Read():
            return await _read(link, step)
        case Subscribe():
            if not (step.optional and not link.has(step.characteristic)):
                await link.subscribe(step.characteristic)
        case Unsubscribe():
            await link.unsubscribe(step.characteristic)
        case Ask():
            return await _ask(link, inbox, step)
    return b""


async def _read(link: Link, step: Read) -> bytes:
    if not step.optional:
        return await link.read(step.characteristic)
    if not link.has(step.characteristic):
        return b""
    try:
        return await link.read(step.characteristic)
    except LinkError:
        if link.lost:
            raise
        return b""


async def _ask(link: Link, inbox: Inbox, step: Ask) -> bytes:
    answer = inbox.expect(step)
    try:
        await link.write(step.characteristic, step.data, step.response)
        async with asyncio.timeout(step.timeout_s):
            return await answer
    except TimeoutError:
        if step.optional and not link.lost:
            return b""
        what = f"no answer to {step.data.hex(' ')} within {step.timeout_s:g} s"
        raise LinkError(f"{what}. Switch the sensor off and on.") from None
    finally:
        inbox.forget()
