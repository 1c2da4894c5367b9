"""The tools that people push and pull with."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.pictures import DOCKER_MANIFEST, OCI_INDEX, digest_of, index_of, picture, write_layout
from tests.platform import Platform
from tests.services.distribution.conftest import Client

needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo (Debian has it)")


def run(*command: str, stdin: str | None = None, **environment: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, input=stdin, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def remote(client: Client) -> str:
    """The repository as tools name it."""
    return f"{urlsplit(client.url).netloc}/{client.name}"


@pytest.fixture
def password(ecr: Any) -> str:
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return base64.b64decode(token).decode().removeprefix("AWS:")


@needs_skopeo
def test_skopeo_copies_an_image_there_and_back(tmp_path: Path, remote: str, password: str) -> None:
    made = picture({"hello": b"hello"}, Cmd=["/hello"])
    layout = write_layout(tmp_path / "layout", made, "latest")
    run(
        "skopeo",
        "copy",
        "--dest-tls-verify=false",
        f"--dest-creds=AWS:{password}",
        f"oci:{layout}:latest",
        f"docker://{remote}:v1",
    )
    login = ("--tls-verify=false", f"--creds=AWS:{password}")
    inspected = json.loads(run("skopeo", "inspect", *login, f"docker://{remote}:v1"))
    assert (inspected["Digest"], inspected["RepoTags"]) == (made.digest, ["v1"])
    back = tmp_path / "back"
    run(
        "skopeo",
        "copy",
        "--src-tls-verify=false",
        f"--src-creds=AWS:{password}",
        f"docker://{remote}@{made.digest}",
        f"oci:{back}:latest",
    )
    index = json.loads((back / "index.json").read_text())
    assert index["manifests"][0]["digest"] == made.digest
    run("skopeo", "delete", *login, f"docker://{remote}:v1")
    refused = subprocess.run(
        ["skopeo", "inspect", *login, f"docker://{remote}:v1"], capture_output=True, text=True, check=False
    )
    assert "manifest unknown" in refused.stderr


@needs_skopeo
def test_skopeo_copies_an_index_and_an_image_in_dockers_form(
    tmp_path: Path, client: Client, remote: str, password: str
) -> None:
    images = {name: picture({name: b"x"}, architecture=name) for name in ("amd64", "arm64")}
    for made in images.values():
        client.push(made, made.digest)
    index = index_of(images)
    client.call("PUT", "manifests/all", index, Content_Type=OCI_INDEX)
    login = ("--src-tls-verify=false", f"--src-creds=AWS:{password}")
    run("skopeo", "copy", *login, "--all", f"docker://{remote}:all", f"oci:{tmp_path / 'all'}:all")
    (named,) = json.loads((tmp_path / "all" / "index.json").read_text())["manifests"]
    assert named["digest"] == digest_of(index)
    there = ("--dest-tls-verify=false", f"--dest-creds=AWS:{password}")
    one = ("--override-arch", "arm64", "--format", "v2s2")
    run("skopeo", *one[:2], "copy", *one[2:], *login, *there, f"docker://{remote}:all", f"docker://{remote}:docker")
    assert client.call("HEAD", "manifests/docker").headers["content-type"] == DOCKER_MANIFEST


@needs_skopeo
def test_a_push_without_a_login_or_to_no_repository_is_refused(tmp_path: Path, remote: str, password: str) -> None:
    layout = write_layout(tmp_path / "layout", picture({"hello": b"hello"}), "latest")
    for target, login, reason in (
        (remote, "--dest-no-creds", "authentication required"),
        (f"{remote}-nobody-made", f"--dest-creds=AWS:{password}", "does not exist"),
    ):
        refused = subprocess.run(
            ["skopeo", "copy", "--dest-tls-verify=false", login, f"oci:{layout}:latest", f"docker://{target}:v1"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert refused.returncode != 0
        assert reason in refused.stderr


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[tuple[str, ...]]:
    if shutil.which("podman") is None or shutil.which("runc") is None or os.geteuid() != 0:
        pytest.skip("needs podman and runc (Debian has them), as root")
    run_root = tempfile.mkdtemp(prefix="clary-podman-")  # podman takes no more than 50 characters
    places = ("--root", str(tmp_path / "root"), "--runroot", run_root, "--storage-driver", "vfs")
    command = ("podman", *places, "--runtime", "runc")
    tried = subprocess.run([*command, "info"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"podman does not work here: {tried.stderr.strip()}")
    yield command
    subprocess.run([*command, "system", "reset", "--force"], capture_output=True, check=False)
    shutil.rmtree(run_root, ignore_errors=True)


def test_podman_logs_in_pushes_and_pulls(
    tmp_path: Path, podman: tuple[str, ...], remote: str, password: str, platform: Platform
) -> None:
    made = picture({"hello": b"hello"}, Cmd=["/hello"])
    layout = write_layout(tmp_path / "layout", made, "latest")
    auth = ("--authfile", str(tmp_path / "auth.json"))
    host = urlsplit(platform.url).netloc
    run(*podman, "login", *auth, "--tls-verify=false", "-u", "AWS", "--password-stdin", host, stdin=password)
    image = run(*podman, "pull", "-q", f"oci:{layout}:latest").strip()
    run(*podman, "push", *auth, "--tls-verify=false", image, f"docker://{remote}:v2")
    run(*podman, "rmi", "--force", image)
    run(*podman, "pull", *auth, "--tls-verify=false", f"docker://{remote}:v2")
    (shown,) = json.loads(run(*podman, "image", "inspect", f"{remote}:v2"))
    assert shown["Config"]["Cmd"] == ["/hello"]


def test_the_aws_cli_gives_the_password(platform: Platform, client: Client) -> None:
    if shutil.which("aws") is None:
        pytest.skip("needs the AWS CLI")
    printed = run("aws", "ecr", "get-login-password", **platform.program_environment())
    token = base64.b64encode(f"AWS:{printed.strip()}".encode()).decode()
    client.authorization = f"Basic {token}"
    assert client.call("GET", "/v2/").status == 200
