"""pip's configuration in uv's words."""

import os
from pathlib import Path

from clary.engines.indexes import uv_environment, uv_options
from clary.engines.machine import visible_paths


def test_files_and_variables_in_pips_order_of_precedence(tmp_path: Path) -> None:
    system, home = tmp_path / "xdg", tmp_path / "home"
    for path, text in {
        system / "pip/pip.conf": "[global]\nindex-url = https://system/simple\nconstraint = /etc/caps.txt\n",
        home / ".pip/pip.conf": "[global]\nindex-url = https://old/simple\n",
        home / ".config/pip/pip.conf": (
            "[global]\nfind_links =\n    /one\n    /two\nextra-index-url = https://a https://b\n"
            "[install]\nindex-url = https://user:p%20w@mine/simple\n"
        ),
        tmp_path / "own.conf": "[global]\ntrusted-host = a b\nno-index = false\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    environment = {
        "HOME": str(home),
        "XDG_CONFIG_DIRS": str(system),
        "PIP_CONFIG_FILE": str(tmp_path / "own.conf"),
        "PIP_CERT": "/certs.pem",
        "UV_HTTP_TIMEOUT": "9",
        "PIP_DEFAULT_TIMEOUT": "180",
    }
    found = uv_environment(environment)
    assert found["UV_DEFAULT_INDEX"] == "https://user:p%20w@mine/simple"
    assert found["UV_INDEX"] == "https://a https://b"
    assert found["UV_FIND_LINKS"] == "/one,/two"
    assert found["UV_CONSTRAINT"] == "/etc/caps.txt"
    assert found["UV_INSECURE_HOST"] == "a b"
    assert found["SSL_CERT_FILE"] == "/certs.pem"
    assert found["UV_HTTP_TIMEOUT"] == "9"
    assert found["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert uv_options(environment) == []


def test_files_that_are_no_configuration_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "own.conf").write_text("not = [a\nfile")
    environment = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "own.conf"), "PIP_NO_INDEX": "1"}
    assert uv_options(environment) == ["--no-index"]


def test_of_uvs_own_variables_only_those_about_indexes_are_passed_on() -> None:
    own = {"UV_OFFLINE": "1", "UV_INDEX_OURS_PASSWORD": "p", "UV_PUBLISH_TOKEN": "secret", "UV_PROJECT": "/home/me"}
    found = uv_environment({"PIP_CONFIG_FILE": os.devnull, **own})
    assert found == {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_OFFLINE": "1", "UV_INDEX_OURS_PASSWORD": "p"}


def test_a_mirror_on_this_disk_is_seen_with_the_files_that_it_lists(tmp_path: Path) -> None:
    mirror, wheels = tmp_path / "mirror", tmp_path / "wheels"
    for directory in (mirror / "simple", mirror / "packages", wheels):
        directory.mkdir(parents=True)
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = file://{mirror}/simple/\nfind-links = {wheels}\n")
    assert visible_paths({}, str(tmp_path / "pip.conf")) == [str(mirror), str(wheels)]
