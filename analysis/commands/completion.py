"""``hiprot completion``: what a shell needs to complete the calls of hiprot."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_HIPROT_COMPLETE"


@click.command(short_help="make bash, zsh or fish complete the calls")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print a script for SHELL; put it where the shell reads it at its start.

    bash: hiprot completion bash >> ~/.bashrc

    zsh: hiprot completion zsh >> ~/.zshrc

    fish: hiprot completion fish > ~/.config/fish/completions/hiprot.fish
    """
    from analysis.commands import hiprot

    kind = get_completion_class(shell)
    if kind is None:  # click knows all three
        raise AssertionError(shell)
    click.echo(kind(hiprot, {}, "hiprot", VARIABLE).source())
