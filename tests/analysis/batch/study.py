"""What tests of a batch share."""

from __future__ import annotations

import csv
from pathlib import Path

from analysis.batch.places import open_place
from analysis.batch.records import Order
from analysis.batch.sessions import Outcome, do_session
from analysis.batch.tables import collate

DAMAGED = "sensor,time_s\npelvis,0\n"


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder by their path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def do_all(order: Order) -> dict[str, Outcome]:
    """Do every session in this process."""
    return {name: do_session(order, name) for name in open_place(order.root, order.out).names()}


def collated(order: Order) -> dict[str, bytes]:
    """Make the tables; all files of OUT by name, but for its folders."""
    collate(order, open_place(order.root, order.out))
    return {path.name: path.read_bytes() for path in order.out.iterdir() if path.is_file()}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
