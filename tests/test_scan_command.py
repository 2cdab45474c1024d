"""`hiprot scan` without Bluetooth: what it shows of simulated sensors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HIPROT = [sys.executable, "-c", "from analysis.commands import main; main()", "scan", "--simulate"]
ADDRESS = "00:00:5E:00:53:01"


def scan(*options: str) -> subprocess.CompletedProcess:
    call = [*HIPROT, "--seconds", "0.5", *options]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("family", ["movella-dot", "movesense", "polar-verity"])
def test_json_tells_every_sensor_with_its_battery(family):
    done = scan("--family", family, "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["schema"]) == (0, "hiprot.scan/1")
    assert {one["family"] for one in document["sensors"]} == {family}
    assert len({one["address"] for one in document["sensors"]}) == 3
    assert all(0 < one["battery_percent"] <= 100 for one in document["sensors"])


def test_without_connecting_no_battery_is_known():
    document = json.loads(scan("--no-battery", "--json").stdout)
    assert [one["battery_percent"] for one in document["sensors"]] == [None] * 3


def test_the_table_has_what_the_contract_names():
    done = scan("--no-battery")
    assert done.stdout.split()[:5] == ["Model", "Name", "Address", "Signal", "Battery"]
    assert ADDRESS in done.stdout
    assert "dBm" in done.stdout


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--identify", ADDRESS], 0, f"Movella DOT {ADDRESS} blinks."),
        (["--identify", ADDRESS, "--family", "movesense"], 2, "cannot make itself seen"),
        (["--family", "lamp"], 2, "there is none. Known: movella-dot,"),
    ],
)
def test_what_was_asked_for_is_done_or_refused_in_one_line(options, status, words):
    done = scan(*options)
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr
