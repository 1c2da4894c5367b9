"""`kill -9` while objects are written: what was acknowledged is there and whole, and nothing is torn."""

import hashlib
import os
import random
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from tests.platform import Platform

SIZES = (100, 70_000, 3 << 20)
WRITERS = 6


class Writer:
    """Puts objects under keys of its own, and copies some onto themselves, until the platform is gone; remembers
    what was acknowledged."""

    def __init__(self, s3: Any, name: str, enough: threading.Semaphore) -> None:
        self._s3 = s3
        self._name = name
        self._enough = enough
        self.attempted: dict[str, str] = {}
        """Key → MD5 of the last body sent."""
        self.acknowledged: dict[str, str] = {}

    def run(self) -> None:
        chance = random.Random(self._name)
        while True:
            key = f"{self._name}/{chance.randrange(5)}"
            body = os.urandom(chance.choice(SIZES))
            digest = hashlib.md5(body).hexdigest()
            self.attempted[key] = digest
            try:
                self._s3.put_object(Bucket="killed", Key=key, Body=body)
                if chance.random() < 0.5:
                    source = {"Bucket": "killed", "Key": key}
                    self._s3.copy_object(Bucket="killed", Key=key, CopySource=source, MetadataDirective="REPLACE")
            except (HTTPClientError, BotoCoreError, ClientError):
                return
            self.acknowledged[key] = digest
            self._enough.release()


def test_nothing_acknowledged_is_lost_and_nothing_is_torn(own_platform: Platform) -> None:
    own_platform.client("s3").create_bucket(Bucket="killed")
    for life in range(2):
        s3 = own_platform.client("s3", max_pool_connections=WRITERS)
        enough = threading.Semaphore(0)
        writers = [Writer(s3, f"{life}-{number}", enough) for number in range(WRITERS)]
        with ThreadPoolExecutor(WRITERS) as pool:
            running = [pool.submit(writer.run) for writer in writers]
            for _ in range(40):
                assert enough.acquire(timeout=30)
            own_platform.kill()
            for each in running:
                each.result()
        own_platform.up()
        check(own_platform.client("s3"), writers)
        check_the_dead(own_platform.state / "clary.db")


def check(s3: Any, writers: list[Writer]) -> None:
    for writer in writers:
        for key, last in writer.attempted.items():
            try:
                answer = s3.get_object(Bucket="killed", Key=key)
            except s3.exceptions.NoSuchKey:
                assert key not in writer.acknowledged
                continue
            digest = hashlib.md5(answer["Body"].read()).hexdigest()
            assert answer["ETag"] == f'"{digest}"'
            # The last put may have been stored without its answer having got through.
            assert digest in (writer.acknowledged.get(key), last)


def check_the_dead(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        (dead,) = connection.execute("SELECT count(*) FROM dead_bodies").fetchone()
        living = "SELECT count(*) FROM dead_bodies JOIN object_versions USING (body)"
        assert connection.execute(living).fetchone() == (0,)
    assert dead


@pytest.mark.slow
def test_an_interrupted_write_leaves_no_file_behind(own_platform: Platform) -> None:
    s3 = own_platform.client("s3")
    s3.create_bucket(Bucket="killed")
    objects = own_platform.state / "objects"

    def files() -> list[str]:
        return [path for path, _, names in os.walk(objects) for _ in names]

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(s3.put_object, Bucket="killed", Key="key", Body=bytes(256 << 20))
        while not files():
            threading.Event().wait(0.001)
        own_platform.kill()
        assert isinstance(sending.exception(), (HTTPClientError, BotoCoreError, ClientError))
    assert files()
    own_platform.up()
    for _ in range(1000):
        if not files():
            break
        threading.Event().wait(0.01)
    assert files() == []
