"""``hiprot explain``: what a verdict, flag, finding, reason, column, file or limit means."""

from __future__ import annotations

import json
from difflib import get_close_matches
from importlib.resources import files

import click

from analysis.explaining import TOPICS, Entry, entries
from imu.errors import CallError


@click.command()
@click.argument("topic", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the entries for other programs.")
def explain(topic: str | None, as_json: bool) -> None:
    """Explain a TOPIC of the reference, or a code, column, file or limit; or list the topics."""
    texts = _texts()
    rows = [one for name, text in texts.items() for one in entries(name, text)]
    found = [one for one in rows if topic in (None, one.topic, *one.codes)]
    if topic in texts:
        found = [one for one in rows if one.topic == topic]
    if topic is not None and topic not in texts and not found:
        known = [*texts, *(code for one in rows for code in one.codes)]
        near = list(dict.fromkeys(get_close_matches(topic, known, 3)))
        remedy = f"Did you mean {' or '.join(near)}?" if near else f"Topics: {', '.join(texts)}."
        raise CallError(f"nothing is known of {topic!r}. {remedy}")
    if as_json:
        click.echo(_as_json(topic, found))
    elif topic is None:
        for name, text in texts.items():
            click.echo(f"{name:<10} {text.splitlines()[2]}")
    elif topic in texts:
        click.echo(texts[topic], nl=False)
    else:
        for one in found:
            click.echo(f"{topic} ({one.topic}): {_line(one)}")


def _texts() -> dict[str, str]:
    """Read the files of the reference, by topic."""
    folder = files("analysis").joinpath("reference")
    return {name: folder.joinpath(f"{name}.md").read_text(encoding="utf-8") for name in TOPICS}


def _line(one: Entry) -> str:
    return "; ".join(f"{head}: {cell}" for head, cell in list(one.columns.items())[1:] if cell)


def _as_json(topic: str | None, found: list[Entry]) -> str:
    told = [{"topic": e.topic, "heading": e.heading, "columns": e.columns} for e in found]
    document = {"schema": "hiprot.explain/1", "topic": topic, "entries": told}
    return json.dumps(document, ensure_ascii=False, indent=2)
