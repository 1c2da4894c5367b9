"""What the driver does on a Ray cluster. The only module that knows Ray's API beside the actor itself.

    reserve ─▶ a detached placement group for a gang: all of its bundles or none, on as many nodes as there are
    place   ─▶ a detached actor in each bundle, named by its instance
    ask     ─▶ a method of the actor
    watch   ─▶ a pending question of each actor for changes; its answer, or the actor's death, is news

Every answer that is waited for has a time limit; past it, and while Ray is away, `EngineAway` is raised.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, GetTimeoutError, RayError, RayTaskError
from ray.util.placement_group import (
    PlacementGroup,
    get_placement_group,
    placement_group,
    placement_group_table,
    remove_placement_group,
)
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from clary.engines.answers import EngineAway, Place, Resources
from clary.engines.ray.errors import Lost, Unfit
from clary.engines.ray.host import Host

ANSWER = 10.0
"""Seconds for an actor's answer."""
RESERVE = 3.0
"""Seconds for a placement group that there seemed to be room for."""
PLACE = 60.0
"""Seconds for an actor's start: a process that imports Ray."""
CALLS_AT_ONCE = 8
LOST = "The instance is gone: its node died or left the Ray cluster, or its actor was killed."


class Cluster:
    def __init__(self, address: str, namespace: str, news: Callable[[str], None], pool: ThreadPoolExecutor) -> None:
        """Connects; `news(instance_id)` is called, from any thread, when an instance changed."""
        ray.init(address, namespace=namespace, log_to_driver=False)
        self._namespace = namespace
        self._news = news
        self._pool = pool
        self._actors: dict[str, Any] = {}
        self._watched: set[str] = set()
        self._lock = threading.Lock()

    def beat(self) -> None:
        """Raises where the cluster is away."""
        ray.nodes()

    def places(self) -> list[Place]:
        """The nodes, and what placement groups hold of them. What others run outside of such is seen when there proves
        to be no room for a group."""
        taken: defaultdict[str, Resources] = defaultdict(Resources)
        for group in placement_group_table().values():
            if group["state"] == "CREATED":
                for bundle, node in group["bundles_to_node_id"].items():
                    taken[node] += _resources(group["bundles"][bundle])
        return [
            Place(node["NodeManagerAddress"], _resources(node["Resources"]), taken[node["NodeID"]])
            for node in ray.nodes()
            if node["Alive"]
        ]

    def reserve(self, gang: str, wants: Sequence[Resources]) -> bool:
        """Room for all instances of the gang; False, and nothing is reserved, where there is not enough."""
        group = self._find_group(gang)
        if group is None:
            bundles = [_bundle(want) for want in wants]
            group = placement_group(bundles, strategy="SPREAD", name=self._group_name(gang), lifetime="detached")
        if group.wait(RESERVE):
            return True
        remove_placement_group(group)
        return False

    def place(
        self, gang: str, members: Sequence[tuple[int, str, Resources]], version: str, options: Mapping[str, Any]
    ) -> dict[str, str]:
        """An actor for each of these members of the gang `(bundle, id, resources)`; returns the nodes' addresses."""
        group = self._find_group(gang)
        if group is None:
            raise Lost(LOST)
        # Remote, so that its class is found by name on the node: which has its own Clary.
        actor = ray.remote(Host)
        for bundle, instance_id, want in members:
            resources = _bundle(want)
            self._actors[instance_id] = actor.options(
                name=instance_id,
                lifetime="detached",
                get_if_exists=True,
                max_restarts=0,
                max_concurrency=CALLS_AT_ONCE,
                num_cpus=resources.get("CPU", 0),
                num_gpus=resources.get("GPU", 0),
                memory=resources.get("memory", 0),
                scheduling_strategy=PlacementGroupSchedulingStrategy(group, bundle),
            ).remote(instance_id, version, dict(options))
        asked = {instance_id: self._actors[instance_id].node.remote() for _, instance_id, _ in members}
        return {instance_id: self._get(instance_id, reference, PLACE) for instance_id, reference in asked.items()}

    def ask(self, instance_id: str, method: str, *arguments: Any) -> Any:
        """Raises `Lost` where there is no such actor any more."""
        return self._get(instance_id, getattr(self._actor(instance_id), method).remote(*arguments), ANSWER)

    def watch(self, instance_id: str) -> None:
        with self._lock:
            if instance_id in self._watched:
                return
            self._watched.add(instance_id)
        self._listen(instance_id, 0)

    def kill(self, instance_id: str) -> None:
        try:
            ray.kill(self._actor(instance_id), no_restart=True)
        except Lost:
            pass
        finally:
            self._actors.pop(instance_id, None)

    def free(self, gang: str) -> None:
        """Give back what was reserved."""
        group = self._find_group(gang)
        if group is not None:
            remove_placement_group(group)

    def found(self) -> tuple[list[str], list[str]]:
        """The ids of the instances that have actors, and of the gangs that have room reserved."""
        actors = ray.util.list_named_actors(all_namespaces=True)
        ids = [actor["name"] for actor in actors if actor["namespace"] == self._namespace]
        prefix = self._group_name("")
        groups = [group for group in placement_group_table().values() if group["state"] != "REMOVED"]
        return ids, [group["name"][len(prefix) :] for group in groups if group["name"].startswith(prefix)]

    def _actor(self, instance_id: str) -> Any:
        if instance_id not in self._actors:
            try:
                self._actors[instance_id] = ray.get_actor(instance_id)
            except ValueError:
                raise Lost(LOST) from None
        return self._actors[instance_id]

    def _get(self, instance_id: str, reference: Any, seconds: float) -> Any:
        try:
            return ray.get(reference, timeout=seconds)
        except (GetTimeoutError, ActorUnavailableError) as error:
            raise EngineAway(f"The Ray cluster does not answer for {instance_id}: {error}") from None
        except ActorDiedError as error:
            self._actors.pop(instance_id, None)
            raise _unfit(error) or Lost(LOST) from None
        except RayTaskError as error:
            if isinstance(error.cause, KeyError):
                raise KeyError(instance_id) from None
            raise RuntimeError(str(error.cause)) from None
        except RayError as error:
            raise RuntimeError(str(error)) from None

    def _listen(self, instance_id: str, seen: int) -> None:
        try:
            asked: Future[int] = self._actor(instance_id).changes.remote(seen).future()
        except Lost:
            self._over(instance_id)
            return
        # On Ray's own thread, which must not ask Ray.
        asked.add_done_callback(lambda answer: self._pool.submit(self._hear, instance_id, seen, answer))

    def _hear(self, instance_id: str, seen: int, answer: Future[int]) -> None:
        if answer.exception() is not None:
            self._over(instance_id)
            return
        if answer.result() != seen:
            self._news(instance_id)
        self._listen(instance_id, answer.result())

    def _over(self, instance_id: str) -> None:
        with self._lock:
            self._watched.discard(instance_id)
        self._actors.pop(instance_id, None)
        self._news(instance_id)

    def _find_group(self, gang: str) -> PlacementGroup | None:
        try:
            return get_placement_group(self._group_name(gang))
        except ValueError:
            return None

    def _group_name(self, gang: str) -> str:
        return f"{self._namespace}/{gang}"


def _bundle(want: Resources) -> dict[str, float]:
    # A bundle must ask for something.
    wanted = {"CPU": max(want.vcpus, 0.01), "memory": want.memory, "GPU": want.gpus}
    return {name: amount for name, amount in wanted.items() if amount}


def _resources(found: Mapping[str, float]) -> Resources:
    return Resources(found.get("CPU", 0.0), int(found.get("memory", 0)), int(found.get("GPU", 0)))


def _unfit(error: Exception) -> Unfit | None:
    """Why the actor could not begin, where it could not."""
    said = str(error)
    if "WrongVersion: " in said:
        return Unfit(said.partition("WrongVersion: ")[2].splitlines()[0])
    if "No module named 'clary" in said:
        return Unfit("a node of the Ray cluster has no Clary")
    if "creation task" in said:
        return Unfit(said.strip().splitlines()[-1])
    return None
