"""The error tree: everything raised on purpose, each with its exit status.

The command line prints such an error as one line on standard error, without a traceback.
"""

from __future__ import annotations


class HiprotError(Exception):
    """Base of all errors raised on purpose.

    Attributes
    ----------
    exit_status : int
        1 the machine or a sensor failed; 2 the call is wrong; 3 the recording cannot support
        the answer.
    """

    exit_status = 1

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickle by class, text and attributes, not by a call of the constructor.

        `Exception` would call it again with the finished text alone; a worker process that raised
        an error with more parameters then ended its whole pool.
        """
        return _unpickled, (type(self), self.args, self.__dict__)


def _unpickled(
    kind: type[HiprotError], args: tuple[object, ...], attributes: dict[str, object]
) -> HiprotError:
    """Make an error again as it was, without its constructor."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(attributes)
    return error


class MachineError(HiprotError):
    """The machine failed: a disk, a permission, a missing device."""


class CallError(HiprotError):
    """The call is wrong: a path that is not there, an option out of range."""

    exit_status = 2


class RecordingError(HiprotError):
    """The recording cannot support the answer.

    Parameters
    ----------
    where : str
        The file, and the line and column where there is one.
    what : str
        What is wrong: expected and found.
    remedy : str
        What to do.
    """

    exit_status = 3

    def __init__(self, where: str, what: str, remedy: str) -> None:
        self.where = where
        self.what = what
        self.remedy = remedy
        super().__init__(f"{where}: {what}. {remedy}")


class LinkError(MachineError):
    """A radio link failed: lost, refused, or no answer in time."""


class FrameError(HiprotError):
    """What a sensor sent cannot be decoded; keeps the bytes.

    Parameters
    ----------
    device : str
        The family, and the address where it is known.
    expected : str
        What the protocol has in this place.
    payload : bytes
        What came instead.
    """

    exit_status = 3

    def __init__(self, device: str, expected: str, payload: bytes) -> None:
        start = payload[:8].hex(" ") + (" ..." if len(payload) > 8 else "")
        found = f"{len(payload)} bytes" + (f" starting {start}" if payload else "")
        super().__init__(f"{device}: expected {expected}, got {found}. The bytes are kept.")
        self.payload = payload
