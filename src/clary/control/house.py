"""The rooms that handlers and reconcilers work with, put together once by `clary.app`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clary.control.memo import Memo

if TYPE_CHECKING:
    from clary.control.destinations import Destination
    from clary.control.supervisor import Supervisor
    from clary.engines.base import Engine
    from clary.messages.store import Messages
    from clary.objects.base import ObjectStore
    from clary.records.logs import LogStore
    from clary.records.metrics import MetricStore
    from clary.records.search.index import SearchIndex
    from clary.records.store import Records
    from clary.registry.store import Registry
    from clary.routing.router import Router
    from clary.routing.traffic import Traffic
    from clary.settings import Settings
    from clary.wire.credentials import KeyRing


@dataclass(slots=True)
class House:
    settings: Settings
    keys: KeyRing
    records: Records
    logs: LogStore
    metrics: MetricStore
    search: SearchIndex
    objects: ObjectStore
    registry: Registry
    messages: Messages
    engine: Engine
    router: Router
    traffic: Traffic
    supervisor: Supervisor
    destinations: dict[str, Destination] = field(default_factory=dict)
    """Who takes messages, by the service's name in ARNs: `sqs`, `sns`; nobody is `lambda` or `events`."""
    standings: Memo[Any] = field(default_factory=Memo)
    """What the policies of roles forbid, kept by `services/iam/standing.py`."""
