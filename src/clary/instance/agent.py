"""The agent of one instance: a process of its own session that outlives the platform, outside the sandbox.

    Starting     read the spec
    Pulling      the environment of its image, or the image itself, where it is not there yet (`pulling`,
                 `environments`, `roots`)
    Downloading  files, channels, pipes, archives, requirements (`staging`, `pipes`, `packing`, `layers`)
    Running      the program, in its sandbox (`surroundings`, `sandbox`, `program`)
    Uploading    keep the outputs (`packing`), also of a program that failed or was stopped
    Done

Every step is told through `Report`. It is forked from the engine's `fork_server`, and imports the standard library
alone, and of that only what every instance needs: its start-up time is every job's.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from clary.instance import reasons
from clary.instance.data.packing import as_one_file, is_plain_directory, pack, unpack
from clary.instance.data.staging import bring, fill, is_remote, write_files
from clary.instance.environments.recipe import Recipe
from clary.instance.errors import Refused, StopAsked
from clary.instance.layout import VIEW, Layout
from clary.instance.meter import Meter
from clary.instance.node import Node, Runtime
from clary.instance.own_images.oci import OciImage
from clary.instance.program import Ending, Limits, Supervisor
from clary.instance.report import Report
from clary.instance.room import Room
from clary.instance.sandbox.cgroups import Group, machine_memory
from clary.instance.spec import INTERFACE, InstanceSpec, Outcome, Source
from clary.instance.surroundings import Surroundings
from clary.instance.wishes import Wishes

if TYPE_CHECKING:
    from clary.instance.data.legacy import Legacy
    from clary.instance.data.mirrors import Mirrors
    from clary.instance.data.pipes import Pipes
    from clary.instance.transform.process import Transforming
    from clary.instance.vessel import Vessel


def main(path: str, lock: int, *held: int) -> None:
    """`path` is that of `node.json`; `lock` the open and locked `agent.lock`, which stays locked for as long as this
    process lives, as do the files `held`. Who started it wrote its pid there."""
    for fd in (lock, *held):
        os.set_inheritable(fd, False)
    with open(path, encoding="utf-8") as file:
        node = Node.from_json(file.read())
    os.environ.clear()
    os.environ.update(node.environment)
    layout = Layout(node.instance)
    with open(layout["spec.json"], encoding="utf-8") as file:
        spec = InstanceSpec.from_json(file.read())
    # The platform is not behind the machine's proxy, which this process has from its environment.
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), spec.environment.get("NO_PROXY"))))
    Agent(node, layout, spec).work()
    # All has been said. A download that hangs must not keep the process, nor its lock, until it ends.
    os._exit(0)


class Agent:
    def __init__(self, node: Node, layout: Layout, spec: InstanceSpec) -> None:
        self._node = node
        self._layout = layout
        self._spec = spec
        self._report = Report(layout)
        if node.waited_since:
            self._report.status.entered["Pending"] = node.waited_since
        self._wishes = Wishes(layout)
        self._room = Room([layout.root], node.reserve)
        self._pipes: Pipes | None = None
        self._transforming: Transforming | None = None

    def work(self) -> None:
        try:
            self._report.enter("Starting")
            self._work()
        except StopAsked:
            self._report.done(self._stopped())
        except Refused as refused:
            self._fail(str(refused))
        except Exception as error:
            # Whatever it is, somebody waits for this instance: a full disk, a spec that makes no sense.
            self._fail(f"InternalServerError: {type(error).__name__}: {error}")

    def _work(self) -> None:
        if self._spec.image and not self._node.refusal:
            self._pull(self._spec.image)
        for notice in self._node.notices:
            self._report.notice(notice)
        if self._node.refusal:
            raise Refused(self._node.refusal)
        surroundings = self._surroundings()
        group = surroundings.group()
        try:
            if group.notice:
                self._report.notice(group.notice)
            self._report.enter("Downloading")
            self._stage_in(surroundings)
            if self._spec.is_called and self._node.bind and isinstance(surroundings, Surroundings):
                self._bind(surroundings)
            mirrors = self._mirrors()
            self._report.enter("Running")
            ending = self._run(surroundings, group, mirrors)
            seen = self._out_of_memory() if group.out_of_memory() else ending.seen
        finally:
            group.remove()
        if (self._spec.outputs or mirrors) and self._wishes.current() != "kill" and not ending.seen:
            self._report.enter("Uploading")
            self._keep()
            self._store(ending, mirrors)
        self._conclude(ending, seen)

    def _pull(self, recipe: Recipe) -> None:
        from clary.instance.pulling import pull

        self._spec.interpreter = pull(self._node.tools, recipe, self._report, self._wishes).python

    def _surroundings(self) -> Surroundings | Vessel:
        """A container where the node has a runtime for it, else a sandbox."""
        if self._node.runtime:
            return self._vessel(self._node.runtime)
        if self._spec.container:
            return self._of_own_image(self._spec.container)
        return Surroundings(self._node, self._layout, self._spec)

    def _vessel(self, runtime: Runtime) -> Vessel:
        from clary.instance.vessel import Vessel

        vessel = Vessel(runtime, self._node, self._layout, self._spec)
        vessel.pull(self._report, self._wishes)
        return vessel

    def _of_own_image(self, image: OciImage) -> Surroundings:
        from clary.instance.own_images.surroundings import OwnImage
        from clary.instance.pulling import pull_own

        root = pull_own(self._node, image, self._report, self._wishes)
        surroundings = OwnImage(self._node, self._layout, self._spec, image, root)
        for notice in surroundings.notices:
            self._report.notice(notice)
        return surroundings

    def _stage_in(self, surroundings: Surroundings | Vessel) -> None:
        spec, check, say = self._spec, self._check, self._report.log.say
        check()
        for directory in (spec.workdir, *spec.kept):
            # A working directory elsewhere is the image's own.
            if directory.startswith(VIEW):
                os.makedirs(self._layout.host(directory), exist_ok=True)
        interface = self._node.interface
        write_files(self._layout, {path: text.replace(INTERFACE, interface) for path, text in spec.files.items()})
        legacy = self._legacy()
        for directory, sources in spec.channels.items():
            self._fill(directory, sources, surroundings, legacy)
        if legacy:
            legacy.close()
        if spec.models:
            self._prepare_models()
        for path, mount in spec.mounts.items():
            if notice := surroundings.mount(path, mount):
                self._report.notice(notice)
        if spec.pipes:
            from clary.instance.data.pipes import Pipes

            self._pipes = Pipes(self._layout, spec.pipes, check)
            self._room.besides.add(self._layout["feed"])
        if spec.transform:
            from clary.instance.transform.process import Transforming

            self._transforming = Transforming(self._layout, spec.transform, check)
            self._room.besides.add(self._layout["feed"])
        for archive in spec.archives:
            # The query of a presigned URL is a secret; the reason of a failure is not.
            name = os.path.basename(archive.location.partition("?")[0])
            path = bring(Source(name, archive.location), self._layout["scratch"], check, say)
            unpack(path, self._layout.host(archive.into), check)
        requirements = next((path for path in spec.requirements if os.path.isfile(self._layout.host(path))), None)
        if requirements and isinstance(surroundings, Surroundings):
            from clary.instance.environments.layers import add_requirements

            add_requirements(
                requirements, surroundings, self._node, self._layout, self._report, self._wishes, self._room
            )

    def _legacy(self) -> Legacy | None:
        """What this instance has of the one before, and leaves to the one after it."""
        if not self._spec.lasting:
            return None
        from clary.instance.data.legacy import Legacy

        legacy = Legacy(self._layout)
        for directory in self._spec.lasting:
            if not legacy.take(directory):
                os.makedirs(self._layout.host(directory), exist_ok=True)
        return legacy

    def _fill(
        self, directory: str, sources: list[Source], surroundings: Surroundings | Vessel, legacy: Legacy | None
    ) -> None:
        """Stage a channel in, or take it as it is from the instance before."""
        # What is downloaded is the instance's own, to write to and to account for.
        local = not any(map(is_remote, sources))
        link = local and surroundings.links(directory, sum(source.size for source in sources))
        # What may be handed on the program changes in an overlay alone.
        keep = link or (legacy is not None and surroundings.overlays and surroundings.links(directory, 0))
        if legacy and keep and legacy.take_channel(directory, sources):
            self._report.log.say(f"{directory} is as the job before had it: nothing is staged in.")
        else:
            fill(self._layout.host(directory), sources, link=link, check=self._check, say=self._report.log.say)
        if keep:
            surroundings.protect(directory)
            if legacy:
                legacy.note(directory, sources)
        if link:
            self._room.besides.add(self._layout.host(directory))
            if not surroundings.overlays:
                self._report.notice(f"{directory} cannot be written to: this machine allows no overlay of it.")

    def _prepare_models(self) -> None:
        from clary.instance.models import process

        if self._node.runtime:
            raise Refused("ClientError: containers of multi-model endpoints are not built for this engine yet.")
        self._spec.mounts[process.MODELS] = process.mount_of(self._layout)

    def _bind(self, surroundings: Surroundings) -> None:
        from clary.instance.network.listening import bind

        listener, self._report.status.address = bind(self._node.bind)
        surroundings.serve_on(listener)

    def _mirrors(self) -> Mirrors | None:
        if not self._spec.mirrors:
            return None
        from clary.instance.data.mirrors import Mirrors

        return Mirrors(self._spec.mirrors, self._layout, self._check_uploading, self._report.log.say)

    def _meter(self) -> Meter | None:
        """Of what serves. A container's processes are not the agent's."""
        if not self._spec.serves or self._node.runtime:
            return None
        return Meter(self._report.measured, self._layout.root, self._spec.memory or machine_memory())

    def _run(self, surroundings: Surroundings | Vessel, group: Group, mirrors: Mirrors | None) -> Ending:
        command = surroundings.command(group.join)
        limits = Limits(self._spec.max_runtime, self._spec.grace, self._room, self._meter())
        if self._pipes:
            command = self._pipes.accompany(command)
        if self._transforming:
            command = self._transforming.accompany(command)
        supervisor = Supervisor(command, self._report.log, self._wishes, limits)
        if mirrors:
            mirrors.start()
        ending = supervisor.run()
        if ending.alarmed and self._pipes:
            raise Refused(self._pipes.trouble())
        return ending

    def _check(self) -> None:
        self._wishes.check()
        self._room.check()

    def _keep(self) -> None:
        for output in self._spec.outputs:
            directory, result = self._layout.host(output.directory), self._layout[f"outputs/{output.name}"]
            if not output.directory:
                continue
            if output.packed:
                pack(directory, self._layout.root, result, self._room.check)
            elif is_plain_directory(directory, self._layout.root):
                os.symlink(directory, result)

    def _store(self, ending: Ending, mirrors: Mirrors | None) -> None:
        """Bring the mirrors' files, and the outputs that have a destination, there."""
        try:
            if mirrors:
                mirrors.finish()
            self._upload()
        except Refused as refused:
            if not ending.exit_code or ending.cause:
                raise
            # That the program failed is the greater news.
            self._report.log.say(str(refused))

    def _upload(self) -> None:
        from clary.instance.data.upload import upload

        for output in self._spec.outputs:
            result = self._layout[f"outputs/{output.name}"]
            if not output.destination or not os.path.lexists(result):
                continue
            if not output.packed:
                result = as_one_file(result, self._room.check)
            size = upload(result, output.destination, self._check_uploading, self._report.log.say)
            self._report.status.stored[output.name] = size

    def _check_uploading(self) -> None:
        """What was made is kept all the same when a stop is asked for now."""
        if self._wishes.current() == "kill":
            raise StopAsked

    def _conclude(self, ending: Ending, seen: str) -> None:
        code, status = ending.exit_code, self._report.status
        try:
            status.message = reasons.message(self._layout)
        except UnicodeDecodeError:
            self._report.done("Failed", code, f"ClientError: {reasons.MESSAGE_FILE} is not UTF-8.")
            return
        if ending.cause:
            self._report.done(self._stopped() if ending.cause == "Stopped" else ending.cause, code)
        elif self._transforming and ending.alarmed:
            # What failed are objects, for which the other instances of its gang are not to be stopped.
            status.message = self._transforming.reason()
            self._transforming.dismiss()
            self._report.done("Completed")
        elif code == 0 and not self._spec.serves:
            self._report.done("Completed", code)
        else:
            self._report.done("Failed", code, self._reason(code, ending.tail, seen))

    def _reason(self, code: int, tail: list[bytes], seen: str) -> str:
        mistake = reasons.user_mistake(self._layout, code) if self._spec.judges and not seen else ""
        return mistake or reasons.algorithm_error(self._layout, code, tail, seen)

    def _stopped(self) -> Outcome:
        """One that is there for another has done its part when that needs it no more."""
        return "Completed" if self._spec.lodges else "Stopped"

    def _out_of_memory(self) -> str:
        limit = self._spec.memory / 2**30
        return f"OutOfMemoryError: the program used more than the {limit:.4g} GiB of its instance"

    def _fail(self, reason: str) -> None:
        self._report.log.say(reason)
        self._report.done("Failed", reason=reason)
