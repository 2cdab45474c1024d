"""Which sensors, and which of them is worn where."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from imu.codecs.protocol import Codec
from imu.codecs.table import find_codec
from imu.collector.activity import moved
from imu.collector.discovery import same_address
from imu.collector.observer import Observer
from imu.errors import CallError, MachineError
from imu.frames import Advertisement
from imu.transports.hostclock import now
from imu.transports.links import Radio

GRACE_S = 2.0  # others may be heard a little later than the first
WINDOW_S = 2.0
MAX_CANDIDATES = 5
MOVE_S = 90.0
LOOK_S = 0.2
ASKED_FOR = ("thigh", "pelvis", "shank")  # the thigh first: it is the easiest to move alone


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sensor in range that may be used.

    Attributes
    ----------
    advertisement : Advertisement
        The latest.
    codec : Codec
        Its family.
    """

    advertisement: Advertisement
    codec: Codec

    @property
    def address(self) -> str:
        """As the radio names it."""
        return self.advertisement.address


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes
    ----------
    roles : Mapping of str to str or None
        Address by segment; None where movement shall tell.
    codecs : Mapping of str to Codec
        Families to use.
    find_s : float
        How long to look.
    """

    roles: Mapping[str, str | None]
    codecs: Mapping[str, Codec]
    find_s: float

    @property
    def known(self) -> list[str]:
        """Addresses that are known."""
        return [address for address in self.roles.values() if address]


async def find_candidates(radio: Radio, wanted: Wanted, stop: asyncio.Event) -> list[Candidate]:
    """Scan until every sensor asked for, or enough of them, are heard.

    Returns
    -------
    list of Candidate
        Those with known addresses first; then, where roles are open, others by their signal.

    Raises
    ------
    MachineError
        Not enough sensors in range, or the radio does not work.
    CallError
        A known address is no sensor we know.
    """
    heard: dict[str, Candidate] = {}
    strangers: dict[str, Advertisement] = {}
    enough_since_s: float | None = None
    deadline_s = now() + wanted.find_s
    while not stop.is_set():
        now_s = now()
        if _enough(wanted, heard):
            enough_since_s = enough_since_s or now_s
            if not _open_roles(wanted) or now_s - enough_since_s >= GRACE_S:
                break
        if now_s > deadline_s:
            break
        await _listen(radio, wanted, heard, strangers, stop)
    if not stop.is_set():
        _refuse_missing(wanted, heard, strangers)
    return _sorted(wanted, heard)


async def _listen(
    radio: Radio,
    wanted: Wanted,
    heard: dict[str, Candidate],
    strangers: dict[str, Advertisement],
    stop: asyncio.Event,
) -> None:
    """Scan for a while, or until all known ones are heard."""
    async with aclosing(radio.scan(min(WINDOW_S, wanted.find_s))) as advertisements:
        async for one in advertisements:
            codec = find_codec(one, wanted.codecs)
            if codec is None:
                strangers[one.address.casefold()] = one
                continue
            strangers.pop(one.address.casefold(), None)
            heard[one.address.casefold()] = Candidate(one, codec)
            if stop.is_set() or (not _open_roles(wanted) and _enough(wanted, heard)):
                return


def _open_roles(wanted: Wanted) -> list[str]:
    return [segment for segment, address in wanted.roles.items() if not address]


def _enough(wanted: Wanted, heard: Mapping[str, Candidate]) -> bool:
    known = {address.casefold() for address in wanted.known}
    return known <= set(heard) and len(heard) >= len(wanted.roles)


def _sorted(wanted: Wanted, heard: Mapping[str, Candidate]) -> list[Candidate]:
    keys = [address.casefold() for address in wanted.known]
    first = [heard[key] for key in keys if key in heard]
    if not _open_roles(wanted):
        return first
    others = [one for key, one in heard.items() if key not in keys]
    others.sort(key=lambda one: -one.advertisement.rssi_dbm)
    return [*first, *others][:MAX_CANDIDATES]


def _refuse_missing(
    wanted: Wanted, heard: Mapping[str, Candidate], strangers: Mapping[str, Advertisement]
) -> None:
    for segment, address in wanted.roles.items():
        if not address or address.casefold() in heard:
            continue
        stranger = strangers.get(address.casefold())
        if stranger is not None:
            name = stranger.name or "without a name"
            what = f"{address} ({name}) is no sensor known here"
            raise CallError(f"{what}. Known: {', '.join(c.model for c in wanted.codecs.values())}.")
        who = f"the {segment} sensor" if segment else "the sensor"
        other = f"; to use another one, give --{segment} ADDRESS" if segment else ""
        raise MachineError(
            f"{who} {address} was not heard for {wanted.find_s:.0f} s. "
            f"Switch it on, bring it near, and end other programs that may hold it{other}."
        )
    if len(heard) < len(wanted.roles):
        found = ", ".join(sorted(one.address for one in heard.values())) or "none"
        raise MachineError(
            f"{len(wanted.roles)} sensors are needed ({', '.join(wanted.roles)}), found: {found}. "
            "Switch them on, bring them near, and end other programs that may hold them."
        )


def settle_roles(wanted: Wanted, candidates: Sequence[Candidate]) -> dict[str, str]:
    """Give out the roles that need no movement: the known ones, and the last one left."""
    roles: dict[str, str] = {}
    for segment, address in wanted.roles.items():
        for one in candidates:
            if address and same_address(one.address, address):
                roles[segment] = one.address
    return _with_last(roles, list(wanted.roles), [one.address for one in candidates])


def _with_last(roles: dict[str, str], segments: list[str], addresses: list[str]) -> dict[str, str]:
    """Give the last role to the last sensor where one of each is left."""
    open_roles = [segment for segment in segments if segment not in roles]
    free = [address for address in addresses if address not in roles.values()]
    if len(open_roles) == len(free) == 1:
        return roles | {open_roles[0]: free[0]}
    return roles


async def ask_roles(
    roles: Mapping[str, str],
    segments: Sequence[str],
    liveliness: Callable[[], Mapping[str, float]],
    observer: Observer,
    stop: asyncio.Event,
) -> dict[str, str]:
    """Have the person move one sensor after the other until all roles are given out.

    Parameters
    ----------
    roles : Mapping of str to str
        Address by segment, as far as known.
    segments : sequence of str
        All that are needed.
    liveliness : callable
        How much every sensor stirs now, by address.

    Raises
    ------
    MachineError
        None was moved, or none alone, for a minute and a half.
    """
    settled = dict(roles)
    for segment in (one for one in ASKED_FOR if one in segments):
        if segment in settled:
            continue
        observer.say(f"Tap or move the {segment} sensor, and only this one.")
        settled[segment] = await _wait_moved(settled, liveliness, segment, stop)
        if stop.is_set():
            break
        observer.say(f"{settled[segment]} is the {segment} sensor.")
        settled = _with_last(settled, list(segments), list(liveliness()))
    return settled


async def _wait_moved(
    settled: Mapping[str, str],
    liveliness: Callable[[], Mapping[str, float]],
    segment: str,
    stop: asyncio.Event,
) -> str:
    deadline_s = now() + MOVE_S
    while now() < deadline_s and not stop.is_set():
        address = moved(liveliness())
        if address is not None and address not in settled.values():
            return address
        await asyncio.sleep(LOOK_S)
    if stop.is_set():
        return ""
    what = f"no sensor was moved alone for {MOVE_S:.0f} s, so that the {segment} is not known"
    raise MachineError(f"{what}. Move it more clearly, or give --{segment} ADDRESS.")
