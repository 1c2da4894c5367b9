"""How a container ended, where its runtime is slow to tell."""

from typing import Any, cast

import pytest

from clary.engines.containers import runner
from clary.engines.containers.runtime import RuntimeUnusable


class Ended:
    """A container as Podman tells of one on a busy machine."""

    attrs: dict[str, Any] = {"State": {"Status": "exited", "ExitCode": 0}}  # noqa: RUF012 - as docker's own class

    def __init__(self, *codes: int) -> None:
        self._codes = list(codes)

    def reload(self) -> None: ...

    def wait(self, timeout: float | None = None) -> dict[str, int]:
        assert timeout is None
        return {"StatusCode": self._codes.pop(0) if len(self._codes) > 1 else self._codes[0]}


def test_the_exit_code_is_waited_for() -> None:
    assert runner._ending(cast(Any, Ended(-1, -1, 3)))["ExitCode"] == 3


def test_an_end_that_nobody_knows_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "CODE", 0.1)
    with pytest.raises(RuntimeUnusable):
        runner._ending(cast(Any, Ended(-1)))
