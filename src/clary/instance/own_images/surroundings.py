"""What surrounds the program of an image of the user's own: the image's files, and nothing of the host's system.

It runs as `docker run IMAGE train` runs it: Entrypoint, Cmd, Env, WorkingDir and User are the image's, its root
directory is an overlay whose changes stay with the instance, and of `/opt/ml` the image's own files are seen wherever
the instance brings none. A sandbox knows one user: the image's, to whom all files belong.
"""

from __future__ import annotations

import os
from dataclasses import replace

from clary.instance.errors import Refused
from clary.instance.layout import Layout
from clary.instance.node import Node
from clary.instance.own_images.accounts import find_account
from clary.instance.own_images.oci import Config, OciImage
from clary.instance.own_images.rootfs import resolve
from clary.instance.own_images.roots import Root
from clary.instance.sandbox.bubblewrap import Mounts
from clary.instance.spec import InstanceSpec
from clary.instance.surroundings import SYSTEM_PATH, Surroundings

PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}
DEVICES = "CUDA_"
"""Begins the variables that say which graphics cards the instance was given."""
ALWAYS = ("input", "model", "output")
"""Of `/opt/ml`: directories of the instance whatever the image has there."""


class OwnImage(Surroundings):
    def __init__(self, node: Node, layout: Layout, spec: InstanceSpec, image: OciImage, root: Root) -> None:
        if node.containment == "none":
            raise Refused(
                f"InternalServerError: the image {image.reference} needs a sandbox to run in, and this machine allows "
                "none."
            )
        config = root.config
        argv = config.argv(image, spec.command)
        spec = replace(spec, command=argv, workdir=config.workdir)
        super().__init__(node, layout, spec)
        self._config = config
        self._account = find_account(root.directory, config.user)
        self._mounts = Mounts(
            layout,
            node.containment,
            root=root.directory,
            user=(self._account.uid, self._account.gid),
            home=self._account.home,
        )
        for name in ALWAYS:
            os.makedirs(layout[f"ml/{name}"], exist_ok=True)
        self._check_program(argv, root.directory, image)

    @property
    def notices(self) -> list[str]:
        if self.overlays:
            return []
        return [
            "The image's files cannot be written to: this machine allows no overlay of them. Its own files below "
            "/opt/ml are not to be seen."
        ]

    def _check_program(self, argv: list[str], root: str, image: OciImage) -> None:
        if not argv:
            raise Refused(f"ClientError: the image {image.reference} names no program, and neither does the request.")
        path = self._spec.environment.get("PATH") or _environment(self._config)["PATH"]
        if "/" in argv[0] or any(_is_program(root, f"{place}/{argv[0]}") for place in path.split(":")):
            return
        raise Refused(
            f"ClientError: the image {image.reference} has no program {argv[0]!r} on its PATH, which is {path}."
        )

    def _base(self) -> dict[str, str]:
        machine = self._node.environment
        proxies = {name: value for name, value in machine.items() if name.upper() in PROXIES}
        devices = {name: value for name, value in machine.items() if name.startswith(DEVICES)}
        own = {"HOME": self._account.home, "HOSTNAME": self._spec.hostname}
        return {**own, **proxies, **_environment(self._config), **devices, "CLARY_BIND": self._bind}

    def _installs(self) -> dict[str, str]:
        return {}


def _environment(config: Config) -> dict[str, str]:
    return {"PATH": SYSTEM_PATH, **config.environment}


def _is_program(root: str, path: str) -> bool:
    return os.access(resolve(root, path), os.X_OK)
