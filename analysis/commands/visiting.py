"""Session folders -> visits, one after the other: what trend and reliability begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis.commands.report import Progress
from imu.errors import CallError, HiprotError, RecordingError

if TYPE_CHECKING:
    from analysis.settings import Settings
    from analysis.visits import Visit


@dataclass(frozen=True)
class Visited:
    """Sessions analysed, and those that could not be.

    Attributes
    ----------
    visits : tuple of Visit
        In the order of their folders; where names meet, as much of the path as tells them apart.
    refused : dict of str to str
        Path and reason of each session that cannot support an answer.
    people : tuple of str
        Whose each visit is: the subject of its session, otherwise the folder above.
    """

    visits: tuple[Visit, ...]
    refused: dict[str, str]
    people: tuple[str, ...]


def visit_sessions(folders: Sequence[Path], settings: Settings) -> Visited:
    """Read and analyse sessions; one that cannot be is told on standard error and left out.

    Raises
    ------
    CallError
        There is no session below the folders, or one is given twice.
    RecordingError
        None of the sessions can be analysed.
    """
    from analysis.pipeline import analyse
    from analysis.visits import visit_of
    from imu.storage.session import find_sessions, read_session

    found = [session for folder in folders for session in find_sessions(folder)]
    _refuse_none_or_twice(found, folders)
    names = session_names(found)
    visits: list[Visit] = []
    people: list[str] = []
    refused: dict[str, str] = {}
    with Progress(f"Reading {len(found)} sessions") as progress:
        for i, folder in enumerate(found, start=1):
            progress.step(f"{i} of {len(found)}: {folder}")
            try:
                analysis = analyse(read_session(folder), settings)
            except (RecordingError, CallError) as error:
                refused[str(folder)] = str(error)
                click.echo(f"hiprot: {_told(folder, error)}", err=True)
                continue
            visits.append(replace(visit_of(analysis), name=names[folder]))
            people.append(analysis.info.subject or folder.resolve().parent.name)
    if not visits:
        first = next(iter(refused.items()))
        what = f"none of {len(found)} sessions can be analysed; {first[0]}: {first[1]}"
        raise RecordingError(str(folders[0]), what.rstrip("."), "Run `hiprot check` on each.")
    return Visited(tuple(visits), refused, tuple(people))


def by_person(visited: Visited) -> dict[str, list[Visit]]:
    """Put the visits together by whose they are."""
    found: dict[str, list[Visit]] = {}
    for person, visit in zip(visited.people, visited.visits, strict=True):
        found.setdefault(person, []).append(visit)
    return found


def _refuse_none_or_twice(found: Sequence[Path], folders: Sequence[Path]) -> None:
    if not found:
        told = ", ".join(map(str, folders))
        remedy = "Give a folder with session folders in it, each with left.csv or right.csv."
        raise CallError(f"{told}: there is no session below it. {remedy}")
    seen: set[Path] = set()
    for folder in found:
        if folder.resolve() in seen:
            raise CallError(f"{folder}: this session is given twice. Give each once.")
        seen.add(folder.resolve())


def session_names(folders: Sequence[Path]) -> dict[Path, str]:
    """Name sessions by their folders, with the folder above where names would meet."""
    whole = [folder.resolve() for folder in folders]
    names = [path.name for path in whole]
    for depth in (2, None):  # with the folder above, then the whole path
        names = [
            name if names.count(name) == 1 else "/".join(path.parts[-depth if depth else 0 :])
            for name, path in zip(names, whole, strict=True)
        ]
    return {folder: _printable(name) for folder, name in zip(folders, names, strict=True)}


def _printable(name: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in name)


def _told(folder: Path, error: HiprotError) -> str:
    return " ".join(_printable(f"{folder} is left out: {error}").split())
