"""The states of a kind of job, and what its gang does when it enters them."""

from collections.abc import Mapping
from dataclasses import dataclass

from clary.instance.spec import Outcome, Phase
from clary.records.record import State


@dataclass(frozen=True)
class Course:
    progress: Mapping[Phase, State]
    """In their order; a phase that is not named changes no state."""
    stopping: State
    ended: Mapping[Outcome, State]
    messages: Mapping[State, str]
    pending: tuple[State, State] | None = None
    """Of a job that waits in line, and of one that has left it; None where those are told of as jobs that start."""
    restarting: State | None = None
    """Of a job that is tried again; None where that kind of job never is."""
    interrupted: State | None = None
    """Of a job whose instances are taken away, until it starts again; None where they never are."""
    overdue: State | None = None
    """The end of a job that may be interrupted and took too long for that."""
    pulling: str = "Downloading the training image"
    """The message of the first state while the image is made ready."""

    def ends_gang(self, state: State) -> bool:
        """Whether the instances of a job in this state are being stopped."""
        return state in (self.stopping, self.interrupted)
