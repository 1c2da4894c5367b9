"""SeaweedFS as an external S3 service, from the benchmarks' environment (`make bench-environment`)."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

WEED = Path(__file__).parents[3] / ".cache" / "clients" / "bench" / "bin" / "weed"
START_TIMEOUT = 60.0

DEVIATIONS = frozenset(
    {
        "test_a_bucket_with_objects_is_not_deleted",
        "test_attributes",
        "test_a_checksum_is_verified_kept_and_returned",
        "test_a_copy_may_have_another_checksum",
        "test_a_delete_marker_hides_and_its_removal_shows_again",
        "test_a_part_can_be_sent_again",
        "test_access_control_lists_are_switched_off",
        "test_any_key_is_a_key_and_never_a_path",
        "test_batch_delete_of_versions",
        "test_content_md5",
        "test_copy_keeps_or_replaces_metadata",
        "test_copy_of_what_is_not_there",
        "test_cors_is_kept_and_returned",
        "test_creating_ones_own_bucket_again_is_fine_in_us_east_1",
        "test_encryption_public_access_and_ownership",
        "test_every_version_can_be_read",
        "test_expected_bucket_owner",
        "test_metadata_and_headers_come_back",
        "test_missing_bucket_is_named_for_every_use",
        "test_parts_and_uploads_are_listed",
        "test_parts_are_copied_whole_or_in_ranges",
        "test_put_only_over_what_is_expected",
        "test_tags",
        "test_too_much_metadata",
        "test_uploads_of_one_key_are_listed_in_pages",
        "test_v2_says_what_it_was_asked",
        "test_what_cannot_be_completed",
        "test_what_was_never_set_is_answered_so",
    }
)
"""Tests of the conformance suite that SeaweedFS does not pass in full: keys that are no paths to it, versions under
markers, checksums, error codes and whole documents."""


class SeaweedFS:
    access_key = "external"
    secret_key = "external-secret"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def up(self) -> "SeaweedFS":
        """Start it and return when it stores objects."""
        identity = {
            "name": "tests",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        identities = self._directory / "identities.json"
        identities.write_text(json.dumps({"identities": [identity]}))
        master, volume, filer, s3, *grpc = _free_ports(8)
        self.url = f"http://127.0.0.1:{s3}"
        options = {
            "dir": self._directory,
            "ip": "127.0.0.1",
            "master.port": master,
            "volume.port": volume,
            "filer.port": filer,
            "s3.port": s3,
            "master.port.grpc": grpc[0],
            "volume.port.grpc": grpc[1],
            "filer.port.grpc": grpc[2],
            "s3.port.grpc": grpc[3],
            "s3.config": identities,
            "master.telemetry": "false",
            "volume.max": 4000,  # each bucket takes several
            "master.volumeSizeLimitMB": 64,
        }
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [WEED, "server", "-s3", *(f"-{name}={value}" for name, value in options.items())],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._serves():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("SeaweedFS did not start:\n" + (self._directory / "log").read_text()[-4000:])
            time.sleep(0.2)
        return self

    def down(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)

    def _serves(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/status", timeout=2):
                return True
        except urllib.error.HTTPError:
            return True  # it asks for a signature: it is there
        except OSError:
            return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
