"""What follows upon a change, in its transaction: both are kept, or neither.

with followed_by(sequel):   each change that this thread or task asks for in the block is followed by `sequel`
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Sequel = Callable[[Any], None]
"""It is given what the change has returned, and runs on the thread that writes."""

_sequel: ContextVar[Sequel | None] = ContextVar("clary_sequel", default=None)


@contextmanager
def followed_by(sequel: Sequel) -> Iterator[None]:
    token = _sequel.set(sequel)
    try:
        yield
    finally:
        _sequel.reset(token)


def with_sequel(change: Callable[P, T]) -> Callable[P, T]:
    """Call it where the change is asked for: the thread that makes it is another."""
    sequel = _sequel.get()
    if sequel is None:
        return change

    def both(*args: P.args, **kwargs: P.kwargs) -> T:
        result = change(*args, **kwargs)
        sequel(result)
        return result

    return both
