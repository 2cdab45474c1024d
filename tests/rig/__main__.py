"""Run scenarios in the rig and compare; see the package's docstring."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.rig.compare import compare, kept_payloads, sent_payloads
from tests.rig.scenarios import SCENARIOS, Scenario

ROOT = Path(__file__).parents[2]
RUN = ROOT.parent / "shared" / "rig" / "run.sh"
HIPROT = "python -c 'from analysis.commands import main; main()'"
SEED = 11


def simulate(folder: Path) -> None:
    """Make the movement that the sensors play."""
    call = [sys.executable, "-c", "from analysis.commands import main; main()", "simulate"]
    more = ["--rate", "200", "--seed", str(SEED), "--set", "sensors.shank=true"]
    subprocess.run([*call, str(folder), *more], check=True, capture_output=True)


def run(name: str, scenario: Scenario, work: Path) -> bool:
    """Run one scenario; print what came of it."""
    world = {"sensors": [{"csv": "person/left.csv", **one} for one in scenario.sensors]}
    (work / "world.json").write_text(json.dumps(world))
    out = work / name
    record = f"{HIPROT} record $RIG_OUT/session --side left --keep-frames {scenario.options} --json"
    first = f"""
        bash -c "exec {record.replace(" --json", "")}" > $RIG_OUT/first.log 2>&1 &
        sleep {scenario.killed_s}
        kill -9 $!
    """
    command = f"""
        export HIPROT_DEBUG=1
        {first if scenario.killed_s else ""}
        {HIPROT} scan --seconds 4 --json > $RIG_OUT/scan.json 2> $RIG_OUT/scan.err
        {record if scenario.options else "true"} > $RIG_OUT/record.json 2> $RIG_OUT/record.err
        echo $? > $RIG_OUT/status
    """
    call = [str(RUN), "-w", str(work / "world.json"), "-o", str(out), "-t", "400"]
    call += ["-e", "PYTHONPATH=/srv/project", str(ROOT), command]
    subprocess.run(call, check=False, stdout=subprocess.DEVNULL)
    status = int((out / "status").read_text()) if (out / "status").exists() else -1
    print(f"{name}: exit {status}")
    fine = scanned(scenario, out) and status == scenario.status
    if fine and scenario.options:
        fine = told(scenario, out)
    if fine and scenario.drill:
        fine = figures(out / "session", work / "person")
    print(f"  {'whole' if fine else 'NOT WHOLE'}")
    return fine


def scanned(scenario: Scenario, out: Path) -> bool:
    """Whether the scan shows every sensor that is known, with its battery."""
    found = json.loads((out / "scan.json").read_text())["sensors"]
    known = [one for one in scenario.sensors if one["profile"] != "plain"]
    levels = [f"{one['family']} {one['battery_percent']} %" for one in found]
    print(f"  scan: {', '.join(levels)}")
    refusing = any("refuse" in one.get("faults", {}) for one in known)
    return len(found) == len(known) and (
        refusing or all(one["battery_percent"] is not None for one in found)
    )


def told(scenario: Scenario, out: Path) -> bool:
    """Compare all that was recorded with what was sent."""
    kept = sorted((out / "session").glob("*.frames.jsonl"))
    if len(kept) != 1 + (scenario.killed_s > 0):
        print((out / "record.err").read_text()[-2000:])
        return False
    fine = True
    for frames in kept:
        for number, one in enumerate(scenario.sensors, 1):
            sent = sent_payloads(out / f"truth-{number}.csv")
            found = compare(sent, kept_payloads(frames, one["sensor"]))
            fine &= found.whole
            print(f"  {frames.name.split('.')[0]}, {one['sensor']}: {found}")
        fine &= same_again(frames)
    return fine


def figures(session: Path, person: Path) -> bool:
    """Whether the report finds every repetition, with its range within half a degree."""
    call = [sys.executable, "-c", "from analysis.commands import main; main()", "report"]
    subprocess.run([*call, str(session)], check=True, capture_output=True)
    ranges = []
    for path in (session / "report" / "reps.csv", person / "truth.csv"):
        with path.open(newline="") as file:
            rows = csv.DictReader(file)
            ranges.append([float(row["rom_deg"]) for row in rows if row["side"] == "left"])
    found, true = ranges
    error = max((abs(a - b) for a, b in zip(found, true, strict=False)), default=99.0)
    print(f"  {len(found)} of {len(true)} repetitions, range within {error:.3f} degrees")
    return len(found) == len(true) and error < 0.5


def same_again(frames: Path) -> bool:
    """Whether the kept frames give the recorded rows again; a kill may cut either's last ones."""
    recorded = frames.with_name(frames.name.replace(".frames.jsonl", ".csv")).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        call = [sys.executable, "-c", "from analysis.commands import main; main()", "import"]
        call += [str(frames), "-o", f"{folder}/again"]
        done = subprocess.run(call, check=False, capture_output=True, text=True)
        if done.returncode:
            print(f"  {done.stderr.strip()}")
            return False
        (again,) = Path(folder, "again").glob("*.csv")
        rows = again.read_bytes()
    ended = b'{"end": true}' in frames.read_bytes()[-20:]
    same = rows == recorded if ended else rows.startswith(recorded[:-200]) and len(rows) > 200
    print(f"  rows from the kept frames: {'the same' if same else 'DIFFERENT'}")
    return same


def main() -> int:
    """Run the scenarios named, or all."""
    if not RUN.exists():
        print(f"{RUN} is not there: the rig is needed.", file=sys.stderr)
        return 2
    work = Path(tempfile.mkdtemp(prefix="hiprot-rig-"))
    simulate(work / "person")
    results = {name: run(name, SCENARIOS[name], work) for name in sys.argv[1:] or SCENARIOS}
    print(f"{sum(results.values())} of {len(results)} whole; files in {work}")
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
