"""Puts the house together and runs it.

There is no shutdown path that matters: start-up takes up whatever an earlier platform on the same state
directory left, whether it was stopped or killed.
"""

import asyncio
import fcntl
import gc
import json
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import uvloop
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from clary import __version__
from clary.control import capacity
from clary.control.call import Call
from clary.control.house import House
from clary.control.reach import advertised_url
from clary.control.supervisor import Reconciler, Supervisor
from clary.control.trouble import passes
from clary.database import open_database
from clary.engines.choosing import open_engine
from clary.files import write_atomically
from clary.gateways import gateway, keeper
from clary.gateways.front import may_answer
from clary.gateways.hub import Hub
from clary.messages.store import Messages
from clary.objects.embedded import EmbeddedStore
from clary.objects.open import open_store
from clary.records.logs import LogStore
from clary.records.metric_ageing import start_ageing
from clary.records.metrics import MetricStore
from clary.records.search.index import SearchIndex
from clary.records.store import Records
from clary.registry.store import Registry
from clary.routing.router import Router
from clary.routing.traffic import Traffic
from clary.services.application_autoscaling.destination import Policies
from clary.services.application_autoscaling.lifecycle import TargetReconciler
from clary.services.cloudwatch.alarms.lifecycle import AlarmReconciler
from clary.services.ecr import lifecycle as registry_lifecycle
from clary.services.s3.announcing import announce_own
from clary.services.s3.cors import BucketRules
from clary.services.s3.lifecycle import sweep as lifecycle_sweep
from clary.services.sagemaker.hosting.captures import CaptureFiles
from clary.services.sagemaker.hosting.components.room import ComponentReconciler
from clary.services.sagemaker.hosting.lifecycle import EndpointReconciler
from clary.services.sagemaker.hosting.metrics import InvocationMetrics
from clary.services.sagemaker.instances.watching import release
from clary.services.sagemaker.jobs.lifecycle import JobReconciler
from clary.services.sagemaker.processing.family import Processing
from clary.services.sagemaker.training.family import Training
from clary.services.sagemaker.training.warm_pools import WarmPoolReconciler, WarmPools
from clary.services.sagemaker.transform.family import Transforming
from clary.services.sagemaker.tuning.lifecycle import TuningReconciler
from clary.services.sagemaker_runtime.asynchronous.pump import Pumps
from clary.services.sns.delivering import SubscriptionReconciler
from clary.services.sns.destination import Topics
from clary.services.sqs.destination import Queues
from clary.services.table import all_handlers
from clary.settings import Settings
from clary.wire.connection import Connection
from clary.wire.credentials import KeyRing
from clary.wire.gateway import Gateway
from clary.wire.handing import ReturningConnection
from clary.wire.listening import allow_connections, bind
from clary.wire.server import BACKLOG, Server

log = logging.getLogger(__name__)

HANDLER_THREADS = 16
CLOSING_GRACE = 5.0
"""Seconds that requests under way have when the platform is told to end."""


class StateInUse(Exception):
    """Another platform runs on the state directory."""


class DatabaseUnusable(Exception):
    """The database URL is not one, its driver is not installed, or the server does not answer."""


def run(settings: Settings, beside: Callable[[], None] = lambda: None) -> None:
    """Run a platform until SIGTERM or SIGINT. To be called where there is one thread; `beside` may start others.

    Raises `StateInUse`, `CorruptCredentials`, `DatabaseUnusable`, `UnknownEngine` and `Unreachable`.
    """
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _lock(settings.state / "lock") as lock:
        KeyRing.open(settings.state)  # gateways read what the first start makes
        listeners = _bind(settings)
        allow_connections()
        kept = None
        if settings.gateway_count:
            kept = keeper.begin(settings.gateway_count, gateway.worker(settings, listeners), [lock])
        beside()
        uvloop.run(_run(settings, listeners, kept))


async def _run(settings: Settings, listeners: list[socket.socket], kept: socket.socket | None) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    handlers = ThreadPoolExecutor(HANDLER_THREADS, thread_name_prefix="handler")
    house = build_house(settings)
    cross_origin = None
    if isinstance(house.objects, EmbeddedStore):
        cross_origin = BucketRules(house.objects)
        lifecycle_sweep.start(house.objects)
    answer = Gateway(all_handlers(), house.keys, partial(Call.of, house), handlers, passes, cross_origin)
    registry_lifecycle.start_sweeping(house)
    reconcilers: list[Reconciler] = [
        JobReconciler(house, Training(), WarmPools()),
        JobReconciler(house, Processing()),
        WarmPoolReconciler(house),
        JobReconciler(house, Transforming()),
        TuningReconciler(house),
        EndpointReconciler(house),
        ComponentReconciler(house),
        AlarmReconciler(house),
        TargetReconciler(house),
        SubscriptionReconciler(house),
    ]
    measured = InvocationMetrics(house.metrics, house.router)
    captures = CaptureFiles(house.objects, settings)
    house.traffic.listeners += [measured.on_traffic, captures.on_traffic]
    measured.start()
    start_ageing(house.metrics.engine)
    captures.take_up()
    _release_forgotten(house)
    server = Server(answer, partial(ReturningConnection, theirs=may_answer) if kept else Connection)
    hub = Hub(kept, house.router, house.traffic, house.supervisor.hint) if kept else None
    for listener in listeners:
        if hub:
            listener.listen(BACKLOG)
        else:
            await server.listen(listener)
    if hub:
        hub.open(server)
    told = await capacity.listen(house)
    Pumps(house).start()
    house.supervisor.start(reconcilers)
    threading.Thread(target=house.search.keep, name="search", daemon=True).start()
    _announce(settings)
    gc.freeze()  # What was imported is not garbage, and never looked at again.
    gc.enable()
    await stop.wait()
    (settings.state / "platform.json").unlink(missing_ok=True)
    told.close()
    await house.supervisor.close()
    if hub:
        await hub.close(CLOSING_GRACE)
    await server.close(CLOSING_GRACE)
    # Worker threads may be in the middle of a step; start-up takes up what they leave.
    os._exit(0)


def build_house(settings: Settings) -> House:
    keys = KeyRing.open(settings.state)
    database, records = _open_records(settings)
    supervisor = Supervisor(records)
    engine = open_engine(settings)
    if not engine.shares_disk:
        advertised_url(settings)  # refuses at the start what no instance could reach
    engine.on_change(supervisor.hint)
    objects = open_store(settings, database)
    house = House(
        settings=settings,
        keys=keys,
        records=records,
        logs=LogStore(database),
        metrics=MetricStore(database),
        search=SearchIndex(database),
        objects=objects,
        registry=Registry(database, objects, settings.registry_dir),
        messages=Messages(database),
        engine=engine,
        router=Router(on_down=supervisor.hint),
        traffic=Traffic(),
        supervisor=supervisor,
    )
    house.destinations |= {"sqs": Queues(house), "sns": Topics(house), "autoscaling": Policies(house)}
    if isinstance(objects, EmbeddedStore):
        objects.on_adopted = partial(announce_own, house, objects)
    return house


def _open_records(settings: Settings) -> tuple[Engine, Records]:
    try:
        database = open_database(settings.database_url)
        return database, Records(database)
    except (SQLAlchemyError, ValueError, ModuleNotFoundError) as error:
        raise DatabaseUnusable(str(error).partition("\n")[0]) from error


def _bind(settings: Settings) -> list[socket.socket]:
    """Where the settings say; where they take any port, the last one, which running instances know."""
    last = settings.state / "port"
    before = int(last.read_text()) if last.exists() else 0
    listeners = bind(settings.host, settings.port, before)
    settings.port = listeners[0].getsockname()[1]
    last.write_text(str(settings.port))
    return listeners


def _release_forgotten(house: House) -> None:
    """End the instances that no live record has, and no warm pool: a kill came between a record's end and their
    release."""
    owners = {instance_id: instance_id.rpartition("-")[0] for instance_id in house.engine.instances()}
    agenda = house.records.agenda
    live = {*agenda.live_kinds(owners.values()), *agenda.with_live_children(owners.values())}
    for instance_id, owner in owners.items():
        if owner not in live:
            release(house, instance_id)


def _announce(settings: Settings) -> None:
    """Say where the platform listens, once it does: `clary` commands and tests read this file."""
    announcement = {
        "pid": os.getpid(),
        "host": settings.host,
        "port": settings.port,
        "url": settings.url,
        "started": time.time(),
        "version": __version__,
    }
    write_atomically(str(settings.state / "platform.json"), json.dumps(announcement))
    log.info("Clary %s listens on %s", __version__, announcement["url"])


@contextmanager
def _lock(path: Path) -> Iterator[int]:
    """Hold the state directory; the lock goes with the process, however it ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateInUse(f"Another platform runs on {path.parent}.") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)
