"""Associations as resources: found by either end, in the index of Search, though no user searches for them."""

from clary.records.record import Kind
from clary.records.search.searchable import Searchable, searchable
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import told

ASSOCIATIONS = Resource(
    base="Association",
    kind=Kind("association"),
    missing="There is no association {name}.",
    exists="The association {name} already exists.",
    from_inclusive=True,
)
searchable(Searchable(ASSOCIATIONS.kind, resource="", describe=lambda record: told(ASSOCIATIONS, record)))
