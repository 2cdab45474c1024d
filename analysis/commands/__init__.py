"""The command line: one file a command, loaded only when it is called.

``hiprot --help`` and ``hiprot --version`` therefore load neither numpy nor pandas.
"""

from __future__ import annotations

import importlib
import sys

import click

from imu.errors import HiprotError

COMMANDS = {
    "report": "analyse a session and write its report",
    "check": "is the recording fit for analysis",
    "simulate": "write a made-up session together with its truth",
}


class LazyGroup(click.Group):
    """A group that imports ``analysis.commands.<name>`` when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in the order of the path a user takes."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; its module holds a command of the same name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"analysis.commands.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hip-rotation", prog_name="hiprot")
def hiprot() -> None:
    """Seated hip internal rotation from two wearable sensors.

    Range, speed and control of every repetition, side against side, and only what the
    measurement error allows to be said. Not a medical device.
    """


def main() -> None:
    """Run `hiprot`; an error raised on purpose becomes one line and its exit status."""
    try:
        hiprot()
    except HiprotError as error:
        click.echo(f"hiprot: {' '.join(str(error).split())}", err=True)
        sys.exit(error.exit_status)
