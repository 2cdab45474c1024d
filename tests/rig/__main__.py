"""Run scenarios in the rig and compare; see the package's docstring."""

from __future__ import annotations

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
    world = {"sensors": [dict(one) for one in scenario.sensors], **scenario.world}
    for one in world["sensors"]:
        one.setdefault("csv", "person/left.csv")
    (work / "world.json").write_text(json.dumps(world))
    out = work / name
    record = f"{HIPROT} record $RIG_OUT/session --side left --keep-frames {scenario.options} --json"
    command = f"""
        export HIPROT_DEBUG=1
        {HIPROT} scan --seconds 4 --json > $RIG_OUT/scan.json 2> $RIG_OUT/scan.err
        {record} > $RIG_OUT/record.json 2> $RIG_OUT/record.err
        echo $? > $RIG_OUT/status
        {scenario.meanwhile}
    """
    call = [str(RUN), "-w", str(work / "world.json"), "-o", str(out), "-t", "400"]
    call += ["-e", "PYTHONPATH=/srv/project", str(ROOT), command]
    subprocess.run(call, check=False, stdout=subprocess.DEVNULL)
    return tell(name, scenario, out)


def tell(name: str, scenario: Scenario, out: Path) -> bool:
    """Compare what was recorded with what was sent."""
    status = int((out / "status").read_text()) if (out / "status").exists() else -1
    fine = status == scenario.status
    print(f"{name}: exit {status}")
    frames = out / "session" / "left.frames.jsonl"
    if not frames.exists():
        print((out / "record.err").read_text()[-2000:])
        return False
    for number, one in enumerate(scenario.sensors, 1):
        kept = kept_payloads(frames, one["sensor"])
        found = compare(sent_payloads(out / f"truth-{number}.csv"), kept)
        fine &= found.whole
        print(f"  {one['sensor']}: {found}")
    fine &= same_again(out)
    print(f"  {'whole' if fine else 'NOT WHOLE'}")
    return fine


def same_again(out: Path) -> bool:
    """Whether the kept frames give the recorded rows again."""
    with tempfile.TemporaryDirectory() as folder:
        call = [sys.executable, "-c", "from analysis.commands import main; main()", "import"]
        frames = out / "session" / "left.frames.jsonl"
        call += [str(frames), "-o", f"{folder}/again"]
        done = subprocess.run(call, check=False, capture_output=True, text=True)
        if done.returncode:
            print(f"  {done.stderr.strip()}")
            return False
        again = Path(folder, "again", "left.csv").read_bytes()
    same = again == (out / "session" / "left.csv").read_bytes()
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
