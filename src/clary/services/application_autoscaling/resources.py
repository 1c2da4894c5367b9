"""What can be scaled: by dimension, how its capacity is read and changed."""

import re
from typing import NamedTuple, Protocol

from clary.control.house import House
from clary.records.record import Record, Scope
from clary.services.sagemaker.hosting.components.api import change_copies
from clary.services.sagemaker.hosting.endpoints import change_variants
from clary.services.sagemaker.hosting.kinds import COMPONENT, ENDPOINT, IN_SERVICE


class NoSuchResource(Exception):
    """The message is for the user."""


class Capacity(NamedTuple):
    desired: int
    busy: bool
    """Whether it is just being changed, and cannot be changed again."""


class Scalable(Protocol):
    words: str
    """What its capacity is called: `desired instance count`."""
    dimensions: tuple[str, ...]
    """The names of the dimensions of its metrics, in the order in which a resource id names their values."""

    def values(self, resource_id: str) -> list[str]:
        """Of these dimensions. Raises `NoSuchResource`."""
        ...

    def capacity(self, house: House, scope: Scope, resource_id: str) -> Capacity:
        """Raises `NoSuchResource`."""
        ...

    def change(self, house: House, scope: Scope, resource_id: str, desired: int) -> None:
        """Raises `NoSuchResource`, and `IllegalTransition` or `Stale` where it is busy after all."""
        ...


class Variants:
    words = "desired instance count"
    dimensions: tuple[str, ...] = ("EndpointName", "VariantName")

    def values(self, resource_id: str) -> list[str]:
        match = re.fullmatch(r"endpoint/([^/]+)/variant/([^/]+)", resource_id)
        if match is None:
            raise NoSuchResource(f"The resource ID {resource_id} is not of the form endpoint/NAME/variant/NAME.")
        return list(match.groups())

    def capacity(self, house: House, scope: Scope, resource_id: str) -> Capacity:
        record, name = self._find(house, scope, resource_id)
        for variant in record.document["Deployment"]["Variants"]:
            if variant["VariantName"] == name:
                return Capacity(variant["DesiredInstanceCount"], busy=record.state != IN_SERVICE)
        raise NoSuchResource(f"Endpoint {record.name} has no variant {name}.")

    def change(self, house: House, scope: Scope, resource_id: str, desired: int) -> None:
        record, name = self._find(house, scope, resource_id)
        change_variants(house, record, [{"VariantName": name, "DesiredInstanceCount": desired}])

    def _find(self, house: House, scope: Scope, resource_id: str) -> tuple[Record, str]:
        endpoint, variant = self.values(resource_id)
        record = house.records.find(ENDPOINT, scope, endpoint)
        if record is None:
            raise NoSuchResource(f"Could not find endpoint {endpoint}.")
        return record, variant


class Copies:
    words = "desired copy count"
    dimensions: tuple[str, ...] = ("InferenceComponentName",)

    def values(self, resource_id: str) -> list[str]:
        match = re.fullmatch(r"inference-component/([^/]+)", resource_id)
        if match is None:
            raise NoSuchResource(f"The resource ID {resource_id} is not of the form inference-component/NAME.")
        return list(match.groups())

    def capacity(self, house: House, scope: Scope, resource_id: str) -> Capacity:
        record = self._find(house, scope, resource_id)
        (variant,) = record.document["Deployment"]["Variants"]
        return Capacity(variant["DesiredInstanceCount"], busy=record.state != IN_SERVICE)

    def change(self, house: House, scope: Scope, resource_id: str, desired: int) -> None:
        change_copies(house, self._find(house, scope, resource_id), desired)

    def _find(self, house: House, scope: Scope, resource_id: str) -> Record:
        (name,) = self.values(resource_id)
        record = house.records.find(COMPONENT, scope, name)
        if record is None:
            raise NoSuchResource(f"Could not find inference component {name}.")
        return record


SCALABLE: dict[str, Scalable] = {
    "sagemaker:variant:DesiredInstanceCount": Variants(),
    "sagemaker:inference-component:DesiredCopyCount": Copies(),
}
