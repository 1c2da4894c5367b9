"""How a command says that it cannot go on."""


class CommandError(Exception):
    """What is wrong in one sentence, and what the user can do about it.

    `main` prints both and exits with `code`, without a traceback: raise it only where the cause is known.
    """

    def __init__(self, problem: str, remedy: str = "", code: int = 1) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.code = code
