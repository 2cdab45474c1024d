"""Conversations with a sensor, without a radio: generators that ask for one step at a time.

A dialogue yields a step, is sent the step's answer, and returns its result. Whoever holds the link
carries the steps out (`imu.collector.links`); tests answer them by hand. So a codec says in a few
lines what has to be written, read and awaited, in which order and how long apart, and stays pure.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Write:
    """Write bytes; answered by ``b""``.

    Attributes
    ----------
    characteristic : str
        UUID, 36 characters, lower case.
    data : bytes
        What to write.
    response : bool
        Whether the sensor acknowledges.
    """

    characteristic: str
    data: bytes
    response: bool = True


@dataclass(frozen=True, slots=True)
class Read:
    """Read a characteristic; answered by its bytes.

    Attributes
    ----------
    characteristic : str
        UUID.
    optional : bool
        Whether ``b""`` will do where the sensor lacks it or refuses.
    """

    characteristic: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Have notifications sent from now on; answered by ``b""``."""

    characteristic: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """End notifications; answered by ``b""``."""

    characteristic: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Write, then await a notification that answers; answered by its bytes.

    Attributes
    ----------
    characteristic, data, response
        As in `Write`.
    answers_on : str
        The characteristic, subscribed before, on which the answer comes.
    matches : callable
        Tells the answer from other notifications.
    timeout_s : float
        How long to wait.
    optional : bool
        Whether ``b""`` will do where none comes; else the link fails.
    """

    characteristic: str
    data: bytes
    answers_on: str
    matches: Callable[[bytes], bool]
    response: bool = True
    timeout_s: float = 3.0
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait; answered by ``b""``."""

    seconds: float


Step = Write | Read | Subscribe | Unsubscribe | Ask | Pause
Dialogue = Generator[Step, bytes, Result]
