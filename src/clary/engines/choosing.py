"""Which engine a platform has, by its settings. Each is imported when it is chosen: some need packages of their own."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from clary.engines.base import Engine
from clary.settings import Settings


class UnknownEngine(Exception):
    """There is no such engine, or what it needs is not installed. The message says which, and what to do."""


def open_engine(settings: Settings) -> Engine:
    """The engine that `settings.engine` names; raises `UnknownEngine`."""
    scheme, _, rest = settings.engine.partition(":")
    if settings.engine == "process":
        from clary.engines.process import ProcessEngine

        return ProcessEngine(settings.instances_dir, settings.layers_dir, **_process_options(settings))
    if settings.engine == "docker" or scheme.startswith("docker+"):
        return _container_engine(settings, settings.engine.removeprefix("docker").removeprefix("+"))
    if settings.engine.startswith("ray://"):
        return _ray_engine(settings)
    if rest.isidentifier():
        return _own_engine(settings, scheme, rest)
    raise UnknownEngine(
        f"There is no engine {settings.engine!r}: it is process, docker, docker+unix:///path, ray://HOST:10001, or "
        "module:function for one of your own."
    )


def _process_options(settings: Settings) -> dict[str, Any]:
    return {
        "sandbox": settings.sandbox,
        "uids": settings.instance_uids,
        "disk_reserve": settings.disk_reserve,
        "environments_dir": settings.environments,
        "images_dir": settings.images,
        "capacity": settings.capacity,
        "oversubscribe": settings.oversubscribe,
        "network": settings.network,
        "urls": lambda: [settings.url, settings.s3_endpoint or ""],
    }


def _container_engine(settings: Settings, address: str) -> Engine:
    """Containers of the runtime at `address`; where that is empty, at DOCKER_HOST or a usual place."""
    from clary.engines.containers.engine import ContainerEngine
    from clary.engines.containers.runtime import ContainerRuntime, RuntimeUnusable

    try:
        runtime = ContainerRuntime(address)
    except RuntimeUnusable as error:
        raise UnknownEngine(str(error)) from None
    return ContainerEngine(runtime, settings.instances_dir, settings.layers_dir, **_process_options(settings))


def _ray_engine(settings: Settings) -> Engine:
    # Not imported: that is the driver's, a process of its own.
    if find_spec("ray") is None:
        raise UnknownEngine(f"The engine {settings.engine!r} needs Ray: pip install 'clary[ray]'.")
    from clary.engines.ray.engine import RayEngine

    options = {
        "sandbox": settings.sandbox,
        "uids": settings.instance_uids,
        "disk_reserve": settings.disk_reserve,
        "network": settings.network,
    }
    return RayEngine(settings.state / "ray", settings.engine, options)


def _own_engine(settings: Settings, module: str, function: str) -> Engine:
    """What a function of the user's makes of the settings."""
    try:
        make = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise UnknownEngine(f"The engine {settings.engine!r} cannot be had: {error}.") from error
    engine: Engine = make(settings)
    return engine
