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
        "test_a_bucket_is_not_made_with_tags_that_cannot_be",
        "test_a_bucket_with_objects_is_not_deleted",
        "test_a_checksum_is_verified_kept_and_returned",
        "test_a_completed_upload_is_forgotten_with_its_bucket",
        "test_a_composite_checksum_ends_in_the_number_of_parts",
        "test_a_composite_checksum_needs_every_parts",
        "test_a_copy_may_have_another_checksum",
        "test_a_delete_marker_hides_and_its_removal_shows_again",
        "test_a_delete_marker_is_no_source_of_a_copy",
        "test_a_delete_marker_says_what_it_is",
        "test_a_header_cannot_set_what_aws_keeps_for_itself",
        "test_a_header_that_holds_no_tags",
        "test_a_part_can_be_sent_again",
        "test_a_part_has_its_own_checksum_where_the_objects_is_made_of_them",
        "test_a_part_has_no_checksum_where_the_objects_is_of_the_whole",
        "test_a_part_is_answered_with_206_and_the_number_of_parts",
        "test_a_range_behind_the_end_says_where_that_is",
        "test_a_range_is_answered_with_206",
        "test_a_version_marker_must_be_one",
        "test_access_control_lists_are_switched_off",
        "test_an_object_has_ten_tags_a_bucket_fifty",
        "test_an_object_put_whole_has_one_part",
        "test_any_key_is_a_key_and_never_a_path",
        "test_attributes",
        "test_batch_delete_of_versions",
        "test_checksums_that_no_upload_has",
        "test_completing_again_is_answered_alike",
        "test_conditional_copies",
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
        "test_no_tags_are_read_as_never_set",
        "test_objects_tell_when_they_expire",
        "test_of_many_completions_at_once_all_succeed",
        "test_open_uploads_go_with_their_bucket",
        "test_parts_and_uploads_are_listed",
        "test_parts_are_copied_whole_or_in_ranges",
        "test_parts_are_listed_from_a_marker_on",
        "test_parts_that_are_not_there",
        "test_put_only_over_what_is_expected",
        "test_rules_are_described_as_they_were_put",
        "test_rules_that_are_none",
        "test_rules_that_do_not_go_together",
        "test_rules_that_make_no_sense",
        "test_tags",
        "test_tags_of_every_kind",
        "test_tags_that_cannot_be",
        "test_the_answer_may_be_asked_to_expire",
        "test_the_head_of_a_bucket_has_a_content_type",
        "test_the_parts_of_an_object_are_counted_where_its_checksum_is_of_the_whole",
        "test_the_parts_of_an_object_are_listed_where_its_checksum_is_made_of_theirs",
        "test_too_much_metadata",
        "test_uploads_are_listed_on_although_the_last_one_shown_is_gone",
        "test_uploads_of_one_key_are_listed_in_pages",
        "test_uploads_tell_when_they_are_aborted",
        "test_v2_says_what_it_was_asked",
        "test_versions_are_listed_on_although_the_last_one_shown_is_gone",
        "test_versions_that_nobody_gave_out",
        "test_what_a_configuration_does_not_say_is_added",
        "test_what_cannot_be_completed",
        "test_what_is_missing_is_named",
        "test_what_is_not_modified_is_still_identified",
        "test_what_is_wrong_with_a_list_of_parts_is_named",
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
