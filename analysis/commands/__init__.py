"""The command line: one file a command, loaded only when it is called.

``hiprot --help`` and ``hiprot --version`` therefore load neither numpy nor pandas.

Whatever goes wrong becomes one line on standard error and its exit status. An error that nobody
raised on purpose is a defect of ours and says so; with ``HIPROT_DEBUG=1`` in the environment it
shows its traceback instead, and the tests run that way so that none hides behind its one line.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import traceback
import warnings
from contextlib import suppress
from difflib import get_close_matches
from keyword import iskeyword
from pathlib import Path

import click

from imu.errors import CallError, HiprotError

DEBUG = "HIPROT_DEBUG"
INTERRUPTED = 130  # as shells have it: 128 + SIGINT

COMMANDS = {
    "app": "the whole of it in the browser: begin here",
    "scan": "the supported sensors in range",
    "record": "record one set from sensors",
    "replay": "play a recorded session as if it came from sensors",
    "report": "analyse a session and write its report",
    "trend": "the same person over several sessions",
    "reliability": "one's own error of measurement, from repeated sessions",
    "check": "is the recording fit for analysis",
    "correct": "put right what was mislabelled",
    "export": "write a session in another format",
    "import": "make a session of other programs' files",
    "batch": "reports and tables of every session below a folder",
    "explain": "what a flag, finding, column or limit means",
    "completion": "make bash, zsh or fish complete the calls",
    "simulate": "write a made-up session together with its truth",
}


class LazyGroup(click.Group):
    """A group that imports ``analysis.commands.<name>`` when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in the order of the path a user takes."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; its module holds it by its name, ``import`` as ``import_``."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        module = importlib.import_module(f"analysis.commands.{name}")
        command: click.Command = getattr(module, name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse an unknown command by naming the nearest one, or all."""
        name = args[0]
        if ctx.resilient_parsing:  # a shell completes a call that need not be right
            return super().resolve_command(ctx, args)
        if name not in COMMANDS and not name.startswith("-"):
            near = get_close_matches(name, COMMANDS, 1)
            remedy = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(COMMANDS)}."
            raise CallError(f"there is no command {name!r}. {remedy}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="hip-rotation", prog_name="hiprot")
@click.pass_context
def hiprot(ctx: click.Context) -> None:
    """Seated hip internal rotation from two wearable sensors.

    Range, speed and control of every repetition, side against side, and only what the
    measurement error allows to be said. Not a medical device.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        raise CallError("no command is given. Choose one of those listed.")


def main() -> None:
    """Run `hiprot`; whatever goes wrong becomes one line and its exit status."""
    if not sys.warnoptions and not os.environ.get(DEBUG):
        warnings.simplefilter("ignore")  # remarks of libraries to developers
        logging.getLogger("matplotlib").setLevel(logging.CRITICAL)  # of a home it cannot write to
    try:
        status = hiprot.main(prog_name="hiprot", standalone_mode=False)
        _flush()
    except (Exception, KeyboardInterrupt) as error:
        line, status = failure(error)
        if is_defect(error) and os.environ.get(DEBUG):
            raise
        if line:
            with suppress(OSError):
                click.echo(f"hiprot: {line}", err=True)
    with suppress(OSError):
        _flush()
    sys.exit(status if isinstance(status, int) else 0)


def is_defect(error: BaseException) -> bool:
    """Whether nobody raised an error on purpose, and neither machine nor user caused it."""
    expected = (
        HiprotError, click.ClickException, click.Abort, KeyboardInterrupt, OSError, MemoryError,
    )  # fmt: skip
    return not isinstance(error, expected)


def failure(error: BaseException) -> tuple[str, int]:
    r"""Say in one printable line what went wrong and what to do.

    Parameters
    ----------
    error : BaseException
        Any error that came out of a command.

    Returns
    -------
    tuple
        The line, empty where there is nobody to read it, and the exit status.

    Examples
    --------
    >>> failure(CallError("left.csv: no such\nfile."))
    ('left.csv: no such file.', 2)
    """
    if isinstance(error, HiprotError):
        return _one_line(str(error)), error.exit_status
    if isinstance(error, click.ClickException):
        return _one_line(_call_text(error)), error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return "interrupted.", INTERRUPTED
    return _one_line(_machine_text(error)), 1


def _call_text(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    call = context.command_path if context else "hiprot"
    return f"{error.format_message()} See '{call} --help'."


def _machine_text(error: BaseException) -> str:
    match error:
        case BrokenPipeError():
            return ""  # the reader has seen enough: hiprot ... | head
        case OSError():
            what = error.strerror or type(error).__name__
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}{what}. Check the disk and the permissions."
        case MemoryError():
            return "the memory is full. Close other programs, or split the session."
        case ImportError():
            return f"the installation is incomplete ({error}). Install hiprot again."
        case _:
            return _defect(error)


def _defect(error: BaseException) -> str:
    """Own up to a defect, with its place."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    found = f"{type(error).__name__}: {error}{place}"
    remedy = f"Please report it, with what the same call shows under {DEBUG}=1"
    return f"internal error, {found}. This is a defect of hiprot, not your mistake. {remedy}."


def _one_line(text: str) -> str:
    """Put a text on one line; what is not printable could steer a terminal and becomes ``?``."""
    line = " ".join(text.split())
    return "".join(character if character.isprintable() else "?" for character in line)


def _flush() -> None:
    """Write out what is still waiting: at the interpreter's exit it is too late for one line.

    Raises
    ------
    OSError
        The disk is full, the reader has gone; what is left goes nowhere.
    """
    if sys.stdout is None:  # closed by the caller: hiprot ... >&-
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
