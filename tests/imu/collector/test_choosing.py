from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from imu.codecs.table import load_codecs
from imu.collector.choosing import Wanted, ask_roles, find_candidates, settle_roles
from imu.collector.discovery import Discovery
from imu.errors import CallError, LinkError, MachineError
from imu.frames import Advertisement

CODECS = load_codecs(plugins=())[0]
A = Advertisement("D4:22:CD:00:00:01", "Movella DOT", -50)
B = Advertisement("D4:22:CD:00:00:02", "Movella DOT", -60)
C = Advertisement("D4:22:CD:00:00:03", "Xsens DOT", -40)
LAMP = Advertisement("00:11:22:33:44:55", "Lamp \x1b[2J", -30)


class Air:
    """A radio that only hears."""

    def __init__(self, *heard, pause_s=0.01):
        self.heard = heard
        self.pause_s = pause_s
        self.scanning = 0
        self.most = 0

    async def scan(self, seconds):
        self.scanning += 1
        self.most = max(self.most, self.scanning)
        try:
            end_s = asyncio.get_running_loop().time() + seconds
            while asyncio.get_running_loop().time() < end_s:
                for one in self.heard:
                    yield one
                await asyncio.sleep(self.pause_s)
        finally:
            self.scanning -= 1


def find(air, roles, find_s=0.3):
    wanted = Wanted(roles, CODECS, find_s)

    async def go():
        return await find_candidates(air, wanted, asyncio.Event())

    return wanted, asyncio.run(go())


def test_known_addresses_are_taken_whatever_their_case():
    wanted, found = find(Air(C, B, A, LAMP), {"pelvis": A.address.lower(), "thigh": B.address})
    assert [one.address for one in found] == [A.address, B.address]
    assert settle_roles(wanted, found) == {"pelvis": A.address, "thigh": B.address}


def test_the_last_role_goes_to_the_last_sensor():
    wanted, found = find(Air(A, B, LAMP), {"pelvis": A.address, "thigh": None})
    assert settle_roles(wanted, found) == {"pelvis": A.address, "thigh": B.address}


def test_open_roles_stay_open_and_near_sensors_come_first():
    wanted, found = find(Air(A, B, C), {"pelvis": None, "thigh": None})
    assert [one.address for one in found] == [C.address, A.address, B.address]
    assert settle_roles(wanted, found) == {}


@pytest.mark.parametrize(
    ("roles", "error", "words"),
    [
        ({"pelvis": A.address, "thigh": None}, MachineError, "2 sensors are needed"),
        (
            {"pelvis": A.address, "thigh": B.address},
            MachineError,
            "thigh .*02 was not heard",
        ),
        ({"pelvis": A.address, "thigh": LAMP.address}, CallError, "is no sensor known here"),
    ],
)
def test_what_is_missing_is_named(roles, error, words):
    with pytest.raises(error, match=words):
        find(Air(A, LAMP), roles)


def ask(roles, segments, script):
    """Ask for roles while sensors are moved in turn."""
    said = []
    steps = iter(script)

    class Listener:
        def say(self, text):
            said.append(text)

    async def go():
        return await ask_roles(roles, segments, lambda: next(steps), Listener(), asyncio.Event())

    return asyncio.run(go()), said


def test_the_moved_sensor_is_the_thigh_and_the_other_the_pelvis():
    rest = {"a": 0.1, "b": 0.1}
    both = {"a": 2.0, "b": 2.0}
    roles, said = ask({}, ["pelvis", "thigh"], [rest, both, {"a": 0.1, "b": 2.0}, rest])
    assert roles == {"thigh": "b", "pelvis": "a"}
    assert said[0] == "Tap or move the thigh sensor, and only this one."


def test_with_a_third_sensor_the_pelvis_is_asked_for_too():
    b = {"a": 0.1, "b": 2.0, "c": 0.1}
    c = {"a": 0.1, "b": 0.1, "c": 2.0}
    roles, _ = ask({}, ["pelvis", "thigh"], [b, b, b, c, c, c])
    assert roles == {"thigh": "b", "pelvis": "c"}


def test_one_scan_serves_all_who_look():
    air = Air(A, B)

    async def go():
        discovery = Discovery(air)
        found = await asyncio.gather(
            discovery.find(A.address.lower(), 1.0), discovery.find(B.address, 1.0)
        )
        await discovery.close()
        return found

    assert asyncio.run(go()) == [A, B]
    assert air.most == 1
    assert air.scanning == 0


def test_who_is_not_heard_in_time_is_told():
    async def go():
        discovery = Discovery(Air(A))
        with pytest.raises(LinkError, match="was not heard"):
            await discovery.find(B.address, 0.1)
        await discovery.close()

    asyncio.run(go())


def test_a_dead_radio_is_told_to_all_who_look():
    class Dead:
        async def scan(self, seconds):
            del seconds
            raise MachineError("the adapter is off. Switch it on.")
            yield

    async def go():
        discovery = Discovery(Dead())
        return await asyncio.gather(
            discovery.find(A.address, 1.0), discovery.find(B.address, 1.0), return_exceptions=True
        )

    assert [str(error) for error in asyncio.run(go())] == ["the adapter is off. Switch it on."] * 2


def test_air_hears_nothing_after_a_scan_is_closed():
    air = Air(A)

    async def go():
        async with aclosing(air.scan(5.0)) as heard:
            async for _ in heard:
                break

    asyncio.run(go())
    assert air.scanning == 0
