"""How the instances of one gang find each other in the machine's own network: every one has an address of its own.

    algo-1 ─▶ 127.88.0.1
    algo-2 ─▶ 127.88.0.2        all of 127.0.0.0/8 is this machine, so that each may bind the same port

All agents of a gang hold all its addresses, which are free again when the last of them has ended.
"""

import contextlib
import fcntl
import os
import socket
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from clary.engines.claims import Claims
from clary.instance.spec import InstanceSpec

NETWORK = 127 << 24 | 88 << 16
COUNT = 1 << 16
SIOCGIFADDR = 0x8915


def address_claims() -> Claims:
    directory = "/run" if os.geteuid() == 0 else tempfile.gettempdir()
    # Users of one machine share its addresses: each begins elsewhere.
    first = NETWORK + 1 + os.geteuid() % 251 * 256
    return Claims(range(first, NETWORK + COUNT - 1), f"{directory}/clary-addresses-{os.geteuid()}")


@contextmanager
def hosts_of(
    gang: Sequence[InstanceSpec], known: Sequence[dict[str, str]], claims: Claims
) -> Iterator[tuple[dict[str, str], list[int]]]:
    """Name → address of each instance, and the descriptors that hold the addresses. A gang of one needs none; `known`
    is what its members were told that were started before."""
    told = next(filter(None, known), {})
    with ExitStack() as stack:
        if len(gang) == 1 or told:
            yield told, []
            return
        claimed = [stack.enter_context(claims.claim()) for _ in gang]
        hosts = {spec.hostname: _text(number) for spec, (number, _) in zip(gang, claimed, strict=True)}
        yield hosts, [fd for _, fd in claimed]


def interface_of(address: str) -> str:
    """The network interface of this machine that has the address; the loopback where none has (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                found = fcntl.ioctl(asking, SIOCGIFADDR, struct.pack("256s", name.encode()))
                if socket.inet_ntoa(found[20:24]) == address:
                    return name
    return "lo"


def _text(number: int) -> str:
    return ".".join(str(byte) for byte in number.to_bytes(4, "big"))
