"""Layers: what a requirements.txt installs, installed once and used by every later instance that asks for the same.

    requirements.txt + interpreter → key → <layers>/<key>/ complete? → on the program's PYTHONPATH and PATH
                                               └ no: lock → uv, in the sandbox → mark complete

A layer is a virtual environment (PEP 405) made by hand on top of the interpreter's own, so that what is installed there
and satisfies the requirements is left alone (`borrowed`). It is built where it will be used, since console scripts hold
absolute paths; a layer without its mark was interrupted and is built anew. Its `python` lies outside `bin`, so that a
program with the layer on its PATH still finds the interpreter's own.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import time
from dataclasses import replace

from clary.files import write_atomically
from clary.instance.environments.borrowed import borrow, give_back
from clary.instance.environments.interpreter import Interpreter
from clary.instance.errors import Refused, StopAsked
from clary.instance.layout import Layout
from clary.instance.node import Node, Tools
from clary.instance.program import Limits, run
from clary.instance.reasons import last_lines
from clary.instance.report import Report
from clary.instance.room import Room
from clary.instance.surroundings import Surroundings
from clary.instance.wishes import Wishes

MARK = "complete"
PYTHON = "interpreter/python"
LOCK_LOOK = 0.1
"""Seconds between two tries for the lock of a layer that another instance installs."""
OPTIONS = ("--no-progress", "--color", "never", "--compile-bytecode")
GRACE = 5.0
REASON_ROOM = 800
LOCAL = re.compile(r"^\s*(-r|-c|-e|--requirement|--constraint|--editable|\.|/|file:)|@\s*file:", re.MULTILINE)
"""Lines that name other files, which then belong to the key."""


def add_requirements(
    path: str,
    surroundings: Surroundings,
    node: Node,
    layout: Layout,
    report: Report,
    wishes: Wishes,
    room: Room,
) -> None:
    """Put the layer of the requirements at `path` (of the program's view) into the program's surroundings."""
    interpreter = surroundings.interpreter
    if interpreter is None:
        raise Refused(f"{path} cannot be installed: the instance has no interpreter.")
    layer = f"{node.layers}/{key(layout.host(path), interpreter)}"
    if not os.path.exists(f"{layer}/{MARK}"):
        os.makedirs(node.layers, exist_ok=True)
        lock = _lock(f"{layer}.lock", report, wishes)
        try:
            if not os.path.exists(f"{layer}/{MARK}"):
                around = replace(room, directories=[*room.directories, layer])
                _build(layer, path, node.tools, surroundings, report, wishes, around)
        finally:
            os.close(lock)
    surroundings.add_layer(layer, f"{layer}/{interpreter.library}/site-packages")


def key(requirements: str, interpreter: Interpreter) -> str:
    """Changes with the requirements, and with what is installed already."""
    with open(requirements, "rb") as file:
        content = file.read()
    digest = hashlib.sha256(content)
    if LOCAL.search(content.decode(errors="replace")):
        _add_files(digest, os.path.dirname(requirements))
    installed = os.stat(interpreter.site).st_mtime_ns if os.path.isdir(interpreter.site) else 0
    digest.update(f"\0{interpreter.executable}\0{interpreter.real}\0{installed}".encode())
    return digest.hexdigest()


def _add_files(digest: hashlib._Hash, directory: str) -> None:
    for parent, directories, names in os.walk(directory):
        directories.sort()
        for name in sorted(names):
            path = f"{parent}/{name}"
            digest.update(f"\0{path[len(directory) :]}\0".encode())
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())


def _lock(path: str, report: Report, wishes: Wishes) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    waiting = False
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except OSError as error:
            if error.errno != errno.EWOULDBLOCK:
                raise
        wishes.check()
        if not waiting:
            report.log.say("Waiting for another instance that installs the same requirements.")
            waiting = True
        time.sleep(LOCK_LOOK)


def _build(
    layer: str,
    path: str,
    tools: Tools,
    surroundings: Surroundings,
    report: Report,
    wishes: Wishes,
    room: Room,
) -> None:
    interpreter = surroundings.interpreter
    assert interpreter
    if not tools.uv:
        raise Refused(f"InternalServerError: {path} cannot be installed: uv is not installed.")
    shutil.rmtree(layer, ignore_errors=True)
    _lay_out(layer, interpreter)
    site = f"{layer}/{interpreter.library}/site-packages"
    borrow(interpreter.site, site)
    # The cache of images is not for foreign code to write to; links from one of the layer's own cost nothing.
    cache = f"{layer}/cache"
    install = [tools.uv, "pip", "install", *OPTIONS, *tools.options, "--cache-dir", cache]
    install += ["--python", f"{layer}/{PYTHON}", "-r", path]
    command = surroundings.tool(install, os.path.dirname(path), writable=layer, readable=tools.uv)
    ending = run(command, report.log, wishes, Limits(grace=GRACE, room=room))
    give_back(site, layer)
    shutil.rmtree(cache, ignore_errors=True)
    if ending.cause:
        raise StopAsked
    if ending.exit_code:
        shutil.rmtree(layer)
        raise Refused(
            f"AlgorithmError: InstallRequirementsError: could not install {path}: "
            f"{ending.seen or last_lines(ending.tail, REASON_ROOM)}, exit code: {ending.exit_code}"
        )
    write_atomically(f"{layer}/{MARK}", "", durable=True)


def _lay_out(layer: str, interpreter: Interpreter) -> None:
    site = f"{layer}/{interpreter.library}/site-packages"
    for directory in (site, f"{layer}/bin", os.path.dirname(f"{layer}/{PYTHON}")):
        os.makedirs(directory)
    os.symlink(interpreter.real, f"{layer}/{PYTHON}")
    shares = str(interpreter.shares_site).lower()
    write_atomically(
        f"{layer}/pyvenv.cfg",
        f"home = {os.path.dirname(interpreter.real)}\ninclude-system-site-packages = {shares}\n",
    )
    # As a site directory and not as a bare path: its own .pth files count too.
    write_atomically(f"{site}/_below.pth", f"import site; site.addsitedir({interpreter.site!r})\n")
