"""The error that a user is meant to read."""

from __future__ import annotations


class LqFdaRuntimeError(RuntimeError):
    """Something the user can put right; the command line prints it without a traceback.

    It is a `RuntimeError`, as LiteRT's own errors are, so that code written for the stock interpreter catches it.

    Args:
        problem: What is wrong, what was expected, and `Received: name=value`.
        cure: What to do about it, as an imperative sentence.

    ```python
    from lq_fda_runtime import LqFdaRuntimeError

    error = LqFdaRuntimeError("No such file. Received: path='model.tflite'.", cure="Check the path.")
    assert str(error).endswith("Check the path.")
    ```
    """

    def __init__(self, problem: str, *, cure: str):
        super().__init__(f"{problem} {cure}")
        self.problem = problem
        self.cure = cure


def first_line(error: BaseException) -> str:
    """The first line of what an error says; runtimes append their source locations below it."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def printable(text: str) -> str:
    """A text of unknown origin as a terminal may see it: what is no visible character, and would move the cursor or
    change colours, is escaped."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
