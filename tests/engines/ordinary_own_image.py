"""A program of `test_own_images`: an image of the user's own, unpacked and run by a user without rights. In a directory
of that user's, by the standard library alone."""

import gzip
import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

from clary.engines.machine import find_bwrap, probe
from clary.engines.process import ProcessEngine
from clary.instance.own_images.oci import Blob, OciImage
from clary.instance.spec import InstanceSpec
from tests.engines.instances import Watch, texts

BUSYBOX = Path("/usr/bin/busybox")
TRAIN = b"#!/bin/sh\nid -u\ncat /closed/x\necho weights > /opt/ml/model/weights && echo saved\n"


def blob(data: bytes) -> Blob:
    digest = hashlib.sha256(data).hexdigest()
    path = Path.cwd() / digest
    path.write_bytes(data)
    return Blob(f"sha256:{digest}", "", len(data), str(path))


def layer() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(BUSYBOX, "bin/busybox")
        for name in ("sh", "id", "cat"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        closed = tarfile.TarInfo("closed")
        closed.type, closed.mode = tarfile.DIRTYPE, 0
        archive.addfile(closed)
        for path, content in (("bin/train", TRAIN), ("closed/x", b"readable\n")):
            file = tarfile.TarInfo(path)
            file.size, file.mode = len(content), 0o500
            archive.addfile(file, io.BytesIO(content))
    return packed.getvalue()


def main() -> None:
    if not BUSYBOX.exists():
        sys.exit("skip: busybox-static is not installed")
    if probe(find_bwrap(), str(Path.cwd()))[0] == "none":
        sys.exit("skip: no sandbox")
    tar = layer()
    rootfs = {"diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}"]}
    config = blob(json.dumps({"rootfs": rootfs, "config": {"User": "1000"}}).encode())
    image = OciImage("own", "", config, [blob(gzip.compress(tar))])
    engine = ProcessEngine(Path("instances"), Path("layers"), "require")
    spec = InstanceSpec("own", ["train"], container=image)
    status = Watch(engine).run(spec)
    print(status.outcome, status.reason)
    print("\n".join(texts(engine, spec)[-3:]))
    engine.release(spec.id)


if __name__ == "__main__":
    main()
