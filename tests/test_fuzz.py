"""A whole platform under malformed requests: it answers, it lives on, and it writes nowhere but in its state."""

import asyncio
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from clary.wire.credentials import Identity, KeyRing
from tests.platform import Platform
from tests.wire.fuzz import BUCKET, MARK, Attempt, make_requests
from tests.wire.sockets import Answer, Wire

ANSWER_SECONDS = 30
AT_ONCE = 8


async def attempt(port: int, one: Attempt) -> Answer | None:
    """The answer; None where the server hung up instead, as it may on what breaks off."""
    async with Wire(port) as wire:
        try:
            await wire.send(one.data)
            if not one.answered:
                return None
            head_only = one.data.startswith(b"HEAD ")
            return await asyncio.wait_for(wire.answer(head_only), ANSWER_SECONDS)
        except ConnectionError:
            return None


async def bombard(port: int, keys: Identity, seed: int, count: int) -> tuple[Counter[tuple[str, int]], list[str]]:
    """How often each kind got each status, and what should not have happened."""
    statuses: Counter[tuple[str, int]] = Counter()
    failures: list[str] = []
    requests = make_requests(seed, count, keys, port)

    async def worker() -> None:
        for one in requests:
            try:
                answer = await attempt(port, one)
            except TimeoutError:
                failures.append(f"{one.kind}: no answer to {one.data[:2000]!r}")
                continue
            if answer is not None:
                statuses[one.kind, answer.status] += 1
                # S3's own answer to a subresource that is not built.
                if answer.status >= 500 and answer.status != 501:
                    failures.append(f"{one.kind}: {answer.status} to {one.data[:2000]!r}: {answer.body[:500]!r}")

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return statuses, failures


def stray_files(state: Path) -> list[Path]:
    places = {*state.parents, Path.cwd(), Path.home(), Path("/tmp"), Path("/etc")}
    return [path for place in places for path in place.iterdir() if MARK in path.name]


async def check(platform: Platform, seed: int, count: int) -> None:
    port = urlsplit(platform.url).port
    assert port is not None
    keys = KeyRing.open(platform.state).root
    beside = sorted(platform.state.parent.iterdir())
    platform.client("s3").create_bucket(Bucket=BUCKET)
    statuses, failures = await bombard(port, keys, seed, count)
    assert not failures, f"{len(failures)} answers: " + "\n".join(failures[:5])
    # Some of it must have got as far as being done, or only the door was tested.
    assert {"form", "object", "wrong types"} <= {kind for kind, status in statuses if status == 200}
    assert ("posted", 204) in statuses
    platform.client("sagemaker").list_training_jobs()
    log = (platform.state / "platform.log").read_text()
    assert "Traceback" not in log, log[log.index("Traceback") :][:5000]
    assert not stray_files(platform.state)
    assert sorted(platform.state.parent.iterdir()) == beside


async def test_malformed_requests(own_platform: Platform) -> None:
    await check(own_platform, seed=1, count=1_000)


@pytest.mark.slow
async def test_ten_thousand_malformed_requests(own_platform: Platform) -> None:
    await check(own_platform, seed=2, count=10_000)
