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
