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
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import uvloop
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from clary import __version__
from clary.arns import global_arn
from clary.control import capacity
from clary.control.call import Call
from clary.control.house import House
from clary.control.reach import advertised_url
from clary.control.supervisor import Reconciler, Supervisor
from clary.control.trouble import passes
from clary.database import open_database
from clary.engines.choosing import open_engine
from clary.files import write_atomically
from clary.messages.store import Messages
from clary.objects.embedded import EmbeddedStore
from clary.objects.open import open_store
from clary.records.logs import LogStore
from clary.records.metrics import MetricStore
from clary.records.record import Scope
from clary.records.search.index import SearchIndex
from clary.records.store import Records
from clary.registry.store import Registry
from clary.routing.router import Router
from clary.routing.traffic import Traffic
from clary.services.cloudwatch.alarms.lifecycle import AlarmReconciler
from clary.services.ecr import lifecycle as registry_lifecycle
from clary.services.s3.cors import BucketRules
from clary.services.s3.lifecycle import sweep as lifecycle_sweep
from clary.services.sagemaker.hosting.lifecycle import EndpointReconciler
from clary.services.sagemaker.hosting.metrics import InvocationMetrics
from clary.services.sagemaker.instances.watching import release
from clary.services.sagemaker.jobs.lifecycle import JobReconciler
from clary.services.sagemaker.processing.family import Processing
from clary.services.sagemaker.training.family import Training
from clary.services.sagemaker.training.warm_pools import WarmPoolReconciler, WarmPools
from clary.services.sagemaker.transform.family import Transforming
from clary.services.sagemaker.tuning.lifecycle import TuningReconciler
from clary.services.sns.delivering import SubscriptionReconciler
from clary.services.sns.destination import Topics
from clary.services.sqs.destination import Queues
from clary.services.table import all_handlers
from clary.settings import Settings
from clary.wire.credentials import KeyRing
from clary.wire.gateway import Authenticated, Gateway
from clary.wire.server import Server, serve

log = logging.getLogger(__name__)

HANDLER_THREADS = 16
CLOSING_GRACE = 5.0
"""Seconds that requests under way have when the platform is told to end."""


class StateInUse(Exception):
    """Another platform runs on the state directory."""


class DatabaseUnusable(Exception):
    """The database URL is not one, its driver is not installed, or the server does not answer."""


def run(settings: Settings) -> None:
    """Run a platform until SIGTERM or SIGINT.

    Raises `StateInUse`, `DatabaseUnusable`, `UnknownEngine` and `Unreachable`.
    """
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _lock(settings.state / "lock"):
        uvloop.run(_run(settings))


async def _run(settings: Settings) -> None:
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
    gateway = Gateway(all_handlers(), house.keys, lambda caller: _call(house, caller), handlers, passes, cross_origin)
    registry_lifecycle.start_sweeping(house)
    reconcilers: list[Reconciler] = [
        JobReconciler(house, Training(), WarmPools()),
        JobReconciler(house, Processing()),
        WarmPoolReconciler(house),
        JobReconciler(house, Transforming()),
        TuningReconciler(house),
        EndpointReconciler(house),
        AlarmReconciler(house),
        SubscriptionReconciler(house),
    ]
    measured = InvocationMetrics(house.metrics, lambda invoked: house.router.instances(*invoked))
    house.traffic.listeners.append(measured.on_traffic)
    _release_forgotten(house)
    server = await _listen(gateway, settings)
    told = await capacity.listen(house)
    house.supervisor.start(reconcilers)
    threading.Thread(target=house.search.keep, name="search", daemon=True).start()
    _announce(settings)
    gc.freeze()  # What was imported is not garbage, and never looked at again.
    gc.enable()
    await stop.wait()
    (settings.state / "platform.json").unlink(missing_ok=True)
    told.close()
    await house.supervisor.close()
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
    house.destinations |= {"sqs": Queues(house), "sns": Topics(house)}
    return house


def _open_records(settings: Settings) -> tuple[Engine, Records]:
    try:
        database = open_database(settings.database_url)
        return database, Records(database)
    except (SQLAlchemyError, ValueError, ModuleNotFoundError) as error:
        raise DatabaseUnusable(str(error).partition("\n")[0]) from error


async def _listen(gateway: Gateway, settings: Settings) -> Server:
    """Listen where the settings say; where they take any port, on the last one, which running instances know."""
    last = settings.state / "port"
    if settings.port == 0 and last.exists():
        with suppress(OSError, ValueError):
            server = await serve(gateway, settings.host, int(last.read_text()))
            settings.port = server.port
            return server
    server = await serve(gateway, settings.host, settings.port)
    settings.port = server.port
    last.write_text(str(server.port))
    return server


def _release_forgotten(house: House) -> None:
    """End the instances that no live record has, and no warm pool: a kill came between a record's end and their
    release."""
    owners = {instance_id: instance_id.rpartition("-")[0] for instance_id in house.engine.instances()}
    agenda = house.records.agenda
    live = {*agenda.live_kinds(owners.values()), *agenda.with_live_children(owners.values())}
    for instance_id, owner in owners.items():
        if owner not in live:
            release(house, instance_id)


def _call(house: House, caller: Authenticated) -> Call:
    account = house.settings.account
    return Call(
        house=house,
        scope=Scope(account, caller.region),
        principal=caller.arn or global_arn("iam", caller.region, account, "root"),
        access_key=caller.access_key,
        request_id=caller.request_id,
        endpoint=caller.endpoint,
        origin=caller.origin,
        began=caller.began,
    )


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
def _lock(path: Path) -> Iterator[None]:
    """Hold the state directory; the lock goes with the process, however it ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateInUse(f"Another platform runs on {path.parent}.") from None
    try:
        yield
    finally:
        os.close(descriptor)
