"""The same motion written as each program would write it, from the formats' descriptions.

Nothing here uses the importers: a writer made from what a reader does would prove nothing.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from imu.samples import Array, Stream

G = 9.80665
DEG = 180.0 / np.pi
START = 1_767_225_600.0  # 2026-01-01, UTC
Files = dict[str, bytes]


def rows(cells: Iterable[Sequence[object]], separator: str = ",", end: str = "\n") -> str:
    return "".join(separator.join(str(one) for one in row) + end for row in cells)


def numbers(table: Array, form: str = "%.6f") -> list[list[str]]:
    return [[form % value for value in row] for row in table]


def zipped(files: Files) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return memory.getvalue()


def sensor_logger(name: str, one: Stream, ios: bool = False) -> Files:
    """A folder; ``time`` in whole ns, axes z, y, x."""
    time_ns = [int(START * 1e9) + round(t * 1e9) for t in one.time_s]
    files = {}

    def table(values: Array) -> bytes:
        body = (
            [stamp, f"{t:.9f}", *(repr(float(v)) for v in row[::-1])]
            for stamp, t, row in zip(time_ns, one.time_s, values, strict=True)
        )
        return ("time,seconds_elapsed,z,y,x\n" + rows(body)).encode()

    files["Gyroscope.csv"] = table(one.gyr_rads)
    if ios:
        gravity = -np.tile(one.acc_ms2.mean(axis=0), (len(one.time_s), 1))
        files["Gravity.csv"] = table(gravity)
        files["Accelerometer.csv"] = table(-one.acc_ms2 - gravity)
    else:
        files["TotalAcceleration.csv"] = table(one.acc_ms2)
        files["Accelerometer.csv"] = table(one.acc_ms2 - one.acc_ms2.mean(axis=0))
    platform = "ios" if ios else "android"
    head = "version,device name,recording epoch time,platform,appVersion,sensors\n"
    files["Metadata.csv"] = f"{head}3,Phone,{START * 1e3:.0f},{platform},1.28,Gyroscope\n".encode()
    files["Annotation.csv"] = b"time,seconds_elapsed,text,millisecond_press_duration\n"
    return {f"{name}/{key}": data for key, data in files.items()}


def sensor_logger_ios(name: str, one: Stream) -> Files:
    return sensor_logger(name, one, ios=True)


def sensor_logger_json(name: str, one: Stream) -> Files:
    entries: list[dict[str, str]] = [{"sensor": "Metadata", "platform": "android"}]
    for sensor, values in (("TotalAcceleration", one.acc_ms2), ("Gyroscope", one.gyr_rads)):
        entries += [
            {
                "sensor": sensor, "time": str(int(START * 1e9) + round(t * 1e9)),
                "seconds_elapsed": str(t), "z": str(z), "y": str(y), "x": str(x),
            }
            for t, (x, y, z) in zip(one.time_s.tolist(), values.tolist(), strict=True)
        ]  # fmt: skip
    return {f"{name}.json": json.dumps(entries).encode()}


def phyphox(
    name: str, one: Stream, separator: str = ",", decimal: str = ".", ios: bool = False
) -> Files:
    """A zip; accelerometer and gyroscope each on times of their own."""

    def table(heads: Sequence[str], time_s: Array, values: Array) -> bytes:
        cells = numbers(np.column_stack([time_s, values]), "%.9E")
        text = rows([[f'"{head}"' for head in heads], *cells], separator)
        head, newline, body = text.partition("\n")
        return (head + newline + body.replace(".", decimal)).encode()

    def heads(quantity: str, unit: str) -> list[str]:
        axes = [
            f"{axis} ({unit})" if ios else f"{quantity} {axis.lower()} ({unit})" for axis in "XYZ"
        ]
        return ["Time (s)", *axes]

    middle_s = (one.time_s[1:] + one.time_s[:-1]) / 2
    between = np.column_stack([np.interp(middle_s, one.time_s, axis) for axis in one.acc_ms2.T])
    stamp = f"{START:.9E}".replace(".", decimal)
    events = rows(
        [
            ['"event"', '"experiment time"', '"system time"', '"system time text"'],
            ['"START"', "0" + decimal + "0E0", stamp, '"2026-01-01 00:00:00.000 UTC"'],
        ],
        separator,
    )
    return {
        f"{name}.zip": zipped(
            {
                "Accelerometer.csv": table(heads("Acceleration", "m/s^2"), middle_s, between),
                "Gyroscope.csv": table(heads("Gyroscope", "rad/s"), one.time_s, one.gyr_rads),
                "Gravity.csv": table(heads("Acceleration", "m/s^2"), middle_s, 0 * between),
                "meta/time.csv": events.encode(),
                "meta/device.csv": b'"property","value"\n"deviceModel","Phone"\n',
            }
        )
    }


def phyphox_semicolon_comma(name: str, one: Stream) -> Files:
    return phyphox(name, one, ";", ",")


def phyphox_tab_comma(name: str, one: Stream) -> Files:
    return phyphox(name, one, "\t", ",")


def phyphox_ios(name: str, one: Stream) -> Files:
    return phyphox(name, one, ";", ".", ios=True)


def phyphox_excel(name: str, one: Stream) -> Files:
    import xlwt

    book = xlwt.Workbook()
    for title, values in (("Accelerometer", one.acc_ms2), ("Gyroscope", one.gyr_rads)):
        sheet = book.add_sheet(title)
        for column, head in enumerate(["Time (s)", "X", "Y", "Z"]):
            sheet.write(0, column, head)
        for row, cells in enumerate(np.column_stack([one.time_s, values]).tolist(), 1):
            for column, cell in enumerate(cells):
                sheet.write(row, column, cell)
    times = book.add_sheet("Metadata Time")
    for row, cells in enumerate(
        [["event", "experiment time", "system time"], ["START", 0.0, START]]
    ):
        for column, cell in enumerate(cells):
            times.write(row, column, cell)
    memory = io.BytesIO()
    book.save(memory)
    return {f"{name}.xls": memory.getvalue()}


def orientation(one: Stream) -> Rotation:
    """Sensor axes to a level world, by the angular rate alone from a level start."""
    up = one.acc_ms2[:30].mean(axis=0)
    start, _ = Rotation.align_vectors([[0.0, 0.0, 1.0]], [up / np.linalg.norm(up)])
    steps = Rotation.from_rotvec(
        0.5 * (one.gyr_rads[1:] + one.gyr_rads[:-1]) * np.diff(one.time_s)[:, None]
    )
    found = [start]
    for step in steps:
        found.append(found[-1] * step)
    return Rotation.concatenate(found)


DOT_HEAD = (
    "sep=,\nDeviceTag:,{tag}\nFirmwareVersion:,2.0.0\nAppVersion:,2021.0\n{more}"
    "StartTime: ,2026-01-01_09:30:00_000 GMT+1\n© Xsens Technologies B. V. 2005-2021\n\n"
)
WRAP_AT_US = 2**32 - 9_000_000  # the counter wraps during the set


def _dot(tag: str, heads: str, one: Stream, table: Array, first: int, more: str) -> bytes:
    fine = (WRAP_AT_US + np.round(one.time_s * 1e6).astype(np.int64)) % 2**32
    body = (
        [first + row, stamp, *cells]
        for row, (stamp, cells) in enumerate(zip(fine, numbers(table, "%.8f"), strict=True))
    )
    text = DOT_HEAD.format(tag=tag, more=more)
    return (text + f"PacketCounter,SampleTimeFine,{heads}\n" + rows(body)).encode()


APP = "SyncStatus:,Synced\nOutputRate:,60Hz\nFilterProfile:,General\n"
XYZ = "{0}_X,{0}_Y,{0}_Z"


def dot_app_rates(name: str, one: Stream) -> Files:
    heads = f"{XYZ.format('Acc')},{XYZ.format('Gyr')}"
    table = np.column_stack([one.acc_ms2, one.gyr_rads * DEG])
    data = (
        _dot(f"a{len(name)}", heads, one, table, 1, APP)
        .replace(b",", b", ")
        .replace(b"sep=, ", b"sep=,")
    )
    return {f"{name}_20260101_093000_000.csv": data}


def dot_app_quaternion(name: str, one: Stream) -> Files:
    turn = orientation(one)
    free = turn.apply(one.acc_ms2) - [0.0, 0.0, G]
    table = np.column_stack([turn.as_quat()[:, [3, 0, 1, 2]], free, np.zeros(len(free))])
    heads = f"Quat_W,{XYZ.format('Quat')},{XYZ.format('FreeAcc')},Status"
    return {f"{name}_20260101_093000_000.csv": _dot(f"b{len(name)}", heads, one, table, 1, APP)}


def dot_export(name: str, one: Stream) -> Files:
    heads = f"{XYZ.format('Euler')},{XYZ.format('Acc')},{XYZ.format('Gyr')}"
    table = np.column_stack([0 * one.acc_ms2, one.acc_ms2, one.gyr_rads * DEG])
    table[0] = 0.0
    return {
        f"{name}_D4CA6EF17860_20260101_093000.csv": _dot(f"c{len(name)}", heads, one, table, 0, "")
    }


def dot_export_increments(name: str, one: Stream) -> Files:
    """Means over each interval: the orientation's step, the force's integral."""
    turn = orientation(one)
    step_s = float(np.median(np.diff(one.time_s)))
    inside = np.clip(one.time_s - step_s, one.time_s[0], None)
    before = Slerp(one.time_s, turn)(inside)
    share = np.where(one.time_s > one.time_s[0], 1.0, 0.0)[:, None]
    dq = (before.inv() * turn).as_quat()[:, [3, 0, 1, 2]]
    earlier = np.column_stack([np.interp(inside, one.time_s, a) for a in one.acc_ms2.T])
    dv = 0.5 * (one.acc_ms2 + earlier) * step_s * share
    table = np.column_stack([dq, dv])
    heads = f"dq_W,{XYZ.format('dq')},dv[1],dv[2],dv[3]"
    data = _dot(f"d{len(name)}", heads, one, table, 0, "")
    return {f"{name}_D4CA6EF17860_20260101_093000.csv": data}


def metabase(name: str, one: Stream) -> Files:
    files = {}
    for quantity, unit, values in (
        ("Accelerometer", "g", one.acc_ms2 / G),
        ("Gyroscope", "deg/s", one.gyr_rads * DEG),
    ):
        late = 7 if quantity == "Accelerometer" else 0
        text = (
            f"epoch (ms),time (01:00),elapsed (s),x-axis ({unit}),y-axis ({unit}),z-axis ({unit})\n"
        )
        text += rows(
            [round((START + t) * 1e3), "2026-01-01T10:00:00.000", f"{t:.3f}", *cells]
            for t, cells in zip(one.time_s[late:], numbers(values[late:], "%.4f"), strict=True)
        )
        stem = f"{name}_MetaWear_2026-01-01T10.00.00.000_C42732BE255C"
        files[f"{stem}_{quantity}_100.000Hz_1.4.4.csv"] = text.encode()
    return files


def _wit_rows(device: str, one: Stream) -> list[tuple[float, list[str]]]:
    values = numbers(np.column_stack([one.acc_ms2 / G, one.gyr_rads * DEG]), "%.5f")
    found = []
    for t, cells in zip(one.time_s, values, strict=True):
        chip = datetime.fromtimestamp(1_000.0 + 7 * len(device) + t, UTC).strftime(
            "%Y-%m-%d %H:%M:%S.%f"
        )
        came_s = np.ceil((t + 0.004) / 0.03) * 0.03  # packets, by the computer's clock
        host = datetime.fromtimestamp(START + came_s, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        found.append((came_s, [host, device, chip, *cells, "0.1", ""]))
    return found


def witmotion(streams: dict[str, Stream]) -> Files:
    """Both sensors' rows interleaved, a mark before the text, a cell too many."""
    found = [row for name, one in streams.items() for row in _wit_rows(name, one)]
    found.sort(key=lambda pair: pair[0])
    heads = "Time,Device name,Chip Time()," + ",".join(
        [f"Acceleration {a}(g)" for a in "XYZ"] + [f"Angular velocity {a}(°/s)" for a in "XYZ"]
    )
    text = "\ufeff" + heads + ",Angle X(°)\n" + rows(cells for _, cells in found)
    return {"wit.csv": text.encode("utf-8")}


def movesense_csv(name: str, one: Stream) -> Files:
    """The Android app's: rows end in a comma and a blank; ms of the sensor's own clock."""
    return {
        f"{name}_175030000001_{quantity}.csv": (
            f"Timestamp (ms),X: ({unit}),Y: ({unit}),Z: ({unit})\n"
            + rows(
                ([round(t * 1e3), *cells] for t, cells in zip(one.time_s, numbers(v), strict=True)),
                end=", \n",
            )
        ).encode()
        for quantity, unit, v in (
            ("LinearAcc", "m/s^2", one.acc_ms2),
            ("Gyro", "degree per second", one.gyr_rads * DEG),
        )
    }


def movesense_json(name: str, one: Stream) -> Files:
    samples = []
    for at in range(0, len(one.time_s) - 3, 4):
        part = slice(at, at + 4)
        arrays = {
            key: [dict(zip("xyz", row, strict=True)) for row in values[part].tolist()]
            for key, values in (("ArrayAcc", one.acc_ms2), ("ArrayGyro", one.gyr_rads * DEG))
        }
        stamp = round(one.time_s[at] * 1e3)
        samples.append({"MeasIMU6": {"Timestamp": stamp, **arrays}})
    return {f"{name}_175030000001.json": json.dumps({"Samples": samples}).encode()}


def mt_manager(name: str, one: Stream) -> Files:
    rate_hz = 1.0 / float(np.median(np.diff(one.time_s)))
    counter = (65000 + np.round(one.time_s * rate_hz).astype(int)) % 65536
    text = f"// Start Time: Unknown\n// Update Rate: {rate_hz:.1f}Hz\n// Firmware Version: 4.6.0\n"
    text += "\t".join(
        ["PacketCounter", "SampleTimeFine", *(f"{q}_{a}" for q in ("Acc", "Gyr") for a in "XYZ")]
    )
    table = numbers(np.column_stack([one.acc_ms2, one.gyr_rads]))
    body = ([count, "", *cells] for count, cells in zip(counter, table, strict=True))
    return {f"{name}_00B4D7D3.txt": (text + "\n" + rows(body, "\t")).encode()}


def shimmer(streams: dict[str, Stream]) -> Files:
    """Sensors of one rate side by side, units in a line of their own, rows end in a comma."""
    heads, units, blocks = [], [], []
    for name, one in streams.items():
        prefix = f"S_{name}"
        heads += [f"{prefix}_Timestamp_Unix_CAL"]
        heads += [f"{prefix}_Accel_WR_{a}_CAL" for a in "XYZ"]
        heads += [f"{prefix}_Gyro_{a}_CAL" for a in "XYZ"]
        units += ["ms", *["m/(s^2)"] * 3, *["deg/s"] * 3]
        stamps = [[f"{(START + t) * 1e3:.4f}"] for t in one.time_s]
        values = numbers(np.column_stack([one.acc_ms2, one.gyr_rads * DEG]))
        blocks.append([a + b for a, b in zip(stamps, values, strict=True)])
    lines = [
        heads,
        units,
        *([cell for part in row for cell in part] for row in zip(*blocks, strict=False)),
    ]
    return {"shimmer.csv": ('"sep=,"\n' + rows(lines, end=",\n")).encode()}


def apdm(streams: dict[str, Stream], old: bool = False) -> Files:
    import h5py

    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for number, (name, one) in enumerate(streams.items()):
            label = np.bytes_(name.encode().ljust(32, b"\0"))
            stamps = np.round((START + one.time_s) * 1e6).astype(np.uint64)
            if old:
                group = file.create_group(f"XI-00{number}")
                group.attrs["MonitorLabel"] = label
                group["Calibrated/Accelerometers"] = one.acc_ms2
                group["Calibrated/Gyroscopes"] = one.gyr_rads
            else:
                group = file.create_group(f"Sensors/{number}")
                group.create_group("Configuration").attrs["Label 0"] = label
                group["Accelerometer"], group["Gyroscope"] = one.acc_ms2, one.gyr_rads
            group["Time"] = stamps
    return {"opal.h5": memory.getvalue()}


def apdm_old(streams: dict[str, Stream]) -> Files:
    return apdm(streams, old=True)


Each = Callable[[str, Stream], Files]
EACH: dict[str, tuple[str, Each]] = {  # one call a sensor
    "sensor-logger android": ("sensor-logger", sensor_logger),
    "sensor-logger ios": ("sensor-logger", sensor_logger_ios),
    "sensor-logger json": ("sensor-logger", sensor_logger_json),
    "phyphox": ("phyphox", phyphox),
    "phyphox ; ,": ("phyphox", phyphox_semicolon_comma),
    "phyphox tab ,": ("phyphox", phyphox_tab_comma),
    "phyphox ios": ("phyphox", phyphox_ios),
    "phyphox excel": ("phyphox", phyphox_excel),
    "dot app rates": ("movella-dot-app", dot_app_rates),
    "dot app quaternion": ("movella-dot-app", dot_app_quaternion),
    "dot export": ("movella-dot-export", dot_export),
    "dot export increments": ("movella-dot-export", dot_export_increments),
    "metabase": ("metabase", metabase),
    "movesense csv": ("movesense", movesense_csv),
    "movesense json": ("movesense", movesense_json),
    "mt-manager": ("mt-manager", mt_manager),
}
Together = Callable[[dict[str, Stream]], Files]
TOGETHER: dict[str, tuple[str, Together]] = {  # one file for both
    "witmotion": ("witmotion", witmotion),
    "shimmer": ("shimmer", shimmer),
    "apdm": ("apdm", apdm),
    "apdm old": ("apdm", apdm_old),
}
