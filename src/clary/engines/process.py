"""The default engine: every instance is a process of this machine, in a sandbox where the machine allows one.

    start → line (who does not fit waits) → directory, lock, fork server → agent (own session; holds the lock until it
            ends)
    poll  ← status.json, and the lock: a status that is not `Done` under a free lock is an agent that was lost
    stop  → the file `stop` and a byte into the fifo `wake`
    hints ← the fifo `changes`, which agents write to, and their ends, which the kernel tells

All of it is found again in the instances' directories, so an engine is as good as the one before it.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from clary.engines import locks
from clary.engines.answers import LogLine, Place
from clary.engines.capacity import machine_resources, parse_capacity
from clary.engines.fork_server import FORK_SERVER
from clary.engines.gpus import Grant, offered
from clary.engines.hints import Hints
from clary.engines.hosts import address_claims, interface_of
from clary.engines.line import Line
from clary.engines.machine import Machine, Sandboxing, pip_settings
from clary.engines.networks import NetworkChoice, Reach, doors, reach_of
from clary.engines.roll import Roll, was_started
from clary.engines.sockets import short_directory
from clary.engines.tools import machine_tools
from clary.engines.traces import end_agent, read_log, read_status, remove
from clary.engines.uids import DEFAULT_RANGE, uid_claims
from clary.files import write_atomically
from clary.instance.layout import Layout
from clary.instance.node import OWN_INTERFACE, Node
from clary.instance.spec import InstanceSpec, InstanceStatus
from clary.instance.wishes import express


class ProcessEngine:
    shares_disk = True
    pulls = False

    def __init__(
        self,
        instances_dir: Path,
        layers_dir: Path,
        sandbox: Sandboxing = "auto",
        uids: str = DEFAULT_RANGE,
        disk_reserve: int = 0,
        environments_dir: Path | None = None,
        images_dir: Path | None = None,
        bind: str = "",
        capacity: str = "",
        oversubscribe: bool = True,
        gpus: Sequence[int] | None = None,
        network: NetworkChoice = "auto",
        urls: Callable[[], list[str]] = list,
    ) -> None:
        """`bind` as `Node.bind`, for an engine whose platform is on another machine; `capacity` as
        `clary.engines.capacity` reads it. Where it may not `oversubscribe`, who does not fit waits. `urls` are those at
        which programs reach the platform: also from a network of their own."""
        self._instances = instances_dir.resolve()
        self._layers = layers_dir.resolve()
        self._environments = (environments_dir or layers_dir.parent / "environments").resolve()
        self._images = (images_dir or layers_dir.parent / "images").resolve()
        self._instances.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._machine = Machine(self._instances, sandbox, disk_reserve)
        self._bind = bind
        self._uids = uid_claims(uids)
        self._addresses = address_claims()
        self._total = parse_capacity(capacity, machine_resources(len(self._machine.gpus)))
        self._gpus = offered(self._machine.gpus, int(self._total.gpus)) if gpus is None else list(gpus)
        self._oversubscribe = oversubscribe
        self._roll = Roll(self._instances, self._agent_ended)
        self._hints = Hints(self._instances / "changes", self._roll.hear)
        self._taking_up = threading.Lock()
        self._taken_up = False
        self._line = Line(self._instances / "line", self.places, self._start, oversubscribe=oversubscribe)
        self._network = network
        self._urls = urls
        FORK_SERVER.warm_soon()

    def start(self, gang: Sequence[InstanceSpec]) -> None:
        self._take_up()
        if any(was_started(self._layout(spec.id)) for spec in gang) or self._has_room_of_its_own(gang):
            # The gang was given its room: what is missing of it does not wait.
            self._start(gang, None, 0.0)
        else:
            self._line.join(gang)

    def _has_room_of_its_own(self, gang: Sequence[InstanceSpec]) -> bool:
        """Whether each comes after one whose room it takes, or has taken when a crash came."""
        return all(spec.after and self._roll.counts(spec.after, spec.id) for spec in gang)

    def _start(self, gang: Sequence[InstanceSpec], _where: Sequence[str] | None, waited_since: float) -> None:
        layouts = [self._layout(spec.id) for spec in gang]
        with contextlib.ExitStack() as stack:
            fresh = [
                (spec, layout, lock)
                for spec, layout in zip(gang, layouts, strict=True)
                if (lock := stack.enter_context(_take(layout))) is not None
            ]
            if not fresh:
                return
            contained = self._contains(gang)
            reach = stack.enter_context(
                reach_of(gang, layouts, self._addresses, choice=self._network, contained=contained)
            )
            unsure = stack.enter_context(self._counted())
            for spec, _, _ in fresh:
                unsure[spec.id] = self._roll.enter(spec, self._gpus, oversubscribe=self._oversubscribe)
            nodes = [self._prepare(layout, spec, reach, unsure[spec.id], waited_since) for spec, layout, _ in fresh]
            for node, (spec, layout, lock) in zip(nodes, fresh, strict=True):
                self._inherit(layout, spec.after)
                self._launch(layout, node, [lock, *reach.held])
                del unsure[spec.id]
                self._roll.follow(layout)

    def _inherit(self, layout: Layout, after: str) -> None:
        """Make all of the instance before this one's own, in one step."""
        before = self._layout(after)
        if after and os.path.exists(before["status.json"]):
            self._clear(before)
            os.rename(before.root, layout["before"])

    def _contains(self, gang: Sequence[InstanceSpec]) -> bool:  # noqa: ARG002 - other engines look at it
        """Whether the gang's programs run in sandboxes, which can have networks of their own."""
        return self._machine.possible().containment != "none"

    @contextlib.contextmanager
    def _counted(self) -> Iterator[dict[str, Grant]]:
        """For the instances that are counted and not yet started: those that never are do not count."""
        unsure: dict[str, Grant] = {}
        try:
            yield unsure
        finally:
            self._roll.strike(unsure)

    def _prepare(self, layout: Layout, spec: InstanceSpec, reach: Reach, grant: Grant, waited_since: float) -> Node:
        """Write down what the instance and its machine are told: whoever makes a gang whole that was cut in half finds
        the same addresses."""
        node = self._node(layout, spec, reach)
        self._machine.grant(node, grant)
        node.waited_since = waited_since
        write_atomically(layout["spec.json"], spec.to_json())
        write_atomically(layout["node.json"], node.to_json())
        return node

    def _node(self, layout: Layout, spec: InstanceSpec, reach: Reach) -> Node:
        """How the program is enclosed, and what else its agent has to know of this machine."""
        run = f"{self._short(layout)}/run"
        node = self._machine.node(spec, reach.hosts, instance=layout.root, layers=str(self._layers), run=run)
        node.bind, node.images = self._bind, str(self._images)
        node.namespaces, node.outward, node.refusal = reach.namespaces, reach.outward, node.refusal or reach.refusal
        if spec.hosts:
            node.interface = interface_of(spec.hosts[spec.hostname])
        if reach.namespaces:
            node.interface = OWN_INTERFACE
            node.doors = doors(self._urls(), [*node.environment.values(), pip_settings(node.pip_configuration)])
        if reach.notice:
            node.notices.append(reach.notice)
        if spec.image or spec.requirements:
            node.tools = machine_tools(self._environments)
        return node

    def _launch(self, layout: Layout, node: Node, held: list[int]) -> None:
        with contextlib.ExitStack() as stack:
            if self._machine.possible().own_uids:
                node.uid, claim = stack.enter_context(self._uids.claim())
                held.append(claim)
                write_atomically(layout["node.json"], node.to_json())
            errors = os.open(layout["agent.err"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, errors)
            FORK_SERVER.start(layout["node.json"], errors, held)

    def _agent_ended(self, instance_id: str, heard: float) -> None:
        if self._is_news(instance_id, heard):
            self._hints.tell(instance_id)
        self._line.look()

    def _is_news(self, instance_id: str, heard: float) -> bool:
        """Whether nobody was told yet how the agent ended."""
        try:
            status = self.poll(instance_id)
        except (KeyError, FileNotFoundError):
            # Most often it was released. One that ended before its first word is to be started again.
            return os.path.exists(self._layout(instance_id)["agent.lock"])
        return status.lost or heard < status.entered["Done"]

    def _take_up(self) -> None:
        """Once, when the engine is first used: go on with the waiting line, beside what its user does."""
        with self._taking_up:
            if self._taken_up:
                return
            self._taken_up = True
            self._roll.recover()
            started = {each for each in self._line.instances() if was_started(self._layout(each))}
            threading.Thread(target=self._line.take_up, args=(started,), name="line", daemon=True).start()

    def poll(self, instance_id: str) -> InstanceStatus:
        if waiting := self._line.status(instance_id):
            return waiting
        return read_status(self._known(instance_id))

    def stop(self, instance_id: str) -> None:
        if self._line.stop(instance_id):
            self._hints.tell(instance_id)
            return
        express(self._known(instance_id), "stop")

    def logs(self, instance_id: str, offset: int) -> tuple[list[LogLine], int]:
        return read_log(self._known(instance_id), offset)

    def address(self, instance_id: str) -> str:
        layout = self._known(instance_id)
        return self.poll(instance_id).address if self._bind else f"unix:{self._short(layout)}/run/server.sock"

    def output(self, instance_id: str, name: str) -> Path | None:
        path = Path(self._known(instance_id)[f"outputs/{name}"])
        return path.resolve() if path.exists() else None

    def release(self, instance_id: str) -> None:
        if self._line.release(instance_id) and not os.path.exists(self._layout(instance_id).root):
            return
        layout = self._known(instance_id)
        end_agent(layout)
        self._clear(layout)
        remove(layout)
        if self._roll.let_go(instance_id):
            self._line.look()

    def places(self) -> list[Place]:
        self._roll.recover()
        return [Place(os.uname().nodename, self._total, self._roll.promised())]

    def _clear(self, layout: Layout) -> None:
        """Take away what of the instance lies outside of its directory, now that its agent has ended."""

    def instances(self) -> list[str]:
        started = [lock.parent.name for lock in self._instances.glob("*/agent.lock")]
        return list({*self._line.instances(), *started})

    def on_change(self, callback: Callable[[str], None]) -> None:
        self._hints.listen(callback)
        self._take_up()

    def _layout(self, instance_id: str) -> Layout:
        return Layout(str(self._instances / instance_id))

    def _known(self, instance_id: str) -> Layout:
        layout = self._layout(instance_id)
        if not os.path.exists(layout["agent.lock"]) and not self._line.status(instance_id):
            raise KeyError(instance_id)
        return layout

    def _short(self, layout: Layout) -> str:
        return f"{short_directory(str(self._instances))}/{layout.id}"


@contextlib.contextmanager
def _take(layout: Layout) -> Iterator[int | None]:
    """The lock of an instance that has not been started; None where it was."""
    layout.create()
    lock = os.open(layout["agent.lock"], os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield lock if locks.take(lock) and not os.path.exists(layout["status.json"]) else None
    finally:
        os.close(lock)
