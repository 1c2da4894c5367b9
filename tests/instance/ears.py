"""Who hears, in tests, how something shared comes about."""

from clary.instance.errors import StopAsked


class Ear:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.begun = 0
        self.stopped = False

    def begin(self) -> None:
        self.begun += 1

    def say(self, text: str) -> None:
        self.said.append(text)

    def check(self) -> None:
        if self.stopped:
            raise StopAsked
