"""What a job asks of the traffic between its instances.

On one machine nobody else sees it, and so encrypting it is kept, described and without effect. What leaves a machine is
not encrypted by Clary.
"""

from typing import Any

from clary.control.house import House
from clary.services.sagemaker.errors import not_built

ENCRYPTION = "EnableInterContainerTrafficEncryption"


def check_encryption(house: House, asked: dict[str, Any], size: int) -> None:
    """`asked` is what has the member. Raises `ValidationException` where instances may be on several machines."""
    if asked.get(ENCRYPTION) and size > 1 and not house.engine.shares_disk:
        raise not_built(f"{ENCRYPTION} of a job whose instances may be on several machines")
