"""Where instances find what they read, put what they leave, and reach the platform.

the engine shares this disk     paths of the store's files, which are linked; outputs are taken by link
it does not                     presigned URLs of the platform's own S3 or of the external one, both ways
"""

from __future__ import annotations

import ipaddress
import socket
import time
from typing import TYPE_CHECKING

from clary.wire.presign import presigned, signed_form

if TYPE_CHECKING:
    from clary.control.house import House
    from clary.settings import Settings

LONGEST_WAIT = 28 * 24 * 3600
"""Seconds that a job may wait in line: the most that AWS lets one be pending."""
LIFETIME = LONGEST_WAIT + 2 * 24 * 3600
"""Seconds that what an instance is given when it joins the line holds beyond its longest run: URLs of the platform's
own S3, and the credentials of its role."""
BEYOND = ("192.0.2.1", 9)
"""An address of RFC 5737, which nobody has: the way to it is the way out of this machine."""


class Unreachable(Exception):
    """Instances run on other machines, from which nobody reaches the platform. Says what to set."""


def location(house: House, bucket: str, key: str) -> str:
    """Where an instance reads an object: a path of an immutable file of this disk, or a presigned URL. Raises what
    `ObjectStore.locate` does."""
    found = house.objects.locate(bucket, key)
    if house.engine.shares_disk or found.startswith(("http://", "https://")):
        return found
    return _presigned(house, "GET", bucket, key, LIFETIME)


def destination(house: House, bucket: str, key: str, seconds: float) -> str:
    """The URL to which an instance that runs for at most `seconds` PUTs an object; empty where the platform takes the
    file itself."""
    if house.engine.shares_disk:
        return ""
    return house.objects.destination(bucket, key) or _presigned(house, "PUT", bucket, key, int(seconds) + LIFETIME)


def form(house: House, bucket: str, prefix: str, seconds: float) -> tuple[str, dict[str, str]]:
    """The URL, and the fields of a form, by which an instance that runs for at most `seconds` stores objects below
    `prefix`, while it runs and whatever their names: no engine takes those itself."""
    return house.objects.form(bucket, prefix) or signed_form(
        platform_url(house),
        bucket,
        prefix,
        house.keys.platform,
        region=house.settings.region,
        seconds=int(seconds) + LIFETIME,
        now=time.time(),
    )


def platform_url(house: House) -> str:
    """The URL by which instances reach the platform."""
    return house.settings.url if house.engine.shares_disk else advertised_url(house.settings)


def advertised_url(settings: Settings) -> str:
    """The URL by which other machines reach the platform; raises `Unreachable` where there is none."""
    if settings.advertise:
        url = settings.advertise.rstrip("/")
        return url.removesuffix("0") + str(settings.port) if url.endswith(":0") else url
    if settings.host in ("", "0.0.0.0"):
        return f"http://{_own_address()}:{settings.port}"
    if _is_loopback(settings.host):
        raise Unreachable(
            f"The engine {settings.engine!r} runs instances on other machines, which cannot reach {settings.host}. "
            "Give --host an address that they reach (0.0.0.0 is all of this machine's), or say by --advertise URL "
            "where they find this platform."
        )
    return settings.url


def _presigned(house: House, method: str, bucket: str, key: str, seconds: int) -> str:
    return presigned(
        method,
        platform_url(house),
        bucket,
        key,
        house.keys.platform,
        region=house.settings.region,
        seconds=seconds,
        now=time.time(),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _own_address() -> str:
    """This machine's address on the network that its traffic leaves by. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(BEYOND)
        except OSError:
            raise Unreachable(
                "This machine has no network by which others reach it: say by --advertise URL where they find it."
            ) from None
        address: str = way.getsockname()[0]
        return address
