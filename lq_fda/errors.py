"""The error that a user is meant to read, and what it quotes of others."""

import re

# TensorFlow's names of graph nodes.
_NODES = re.compile(r"\{\{.*?\}\}\s*|\s*\[Op:.*?\]|\s*name:\s*$")


class LqFdaError(Exception):
    """Something the user can put right; the command line prints it without a traceback.

    Args:
        problem: What is wrong, what was expected, and `Received: name=value`.
        cure: What to do about it, as an imperative sentence.

    ```python
    from lq_fda.errors import LqFdaError

    error = LqFdaError("No such model. Received: name='resnet21'.", cure="Run `lq-fda models`.")
    assert str(error).endswith("Run `lq-fda models`.")
    ```
    """

    def __init__(self, problem: str, *, cure: str):
        super().__init__(f"{problem} {cure}")
        self.problem = problem
        self.cure = cure


def reason(error: BaseException) -> str:
    """The first line of what an error says, for a sentence of ours; its kind where it says nothing.

    ```python
    from lq_fda.errors import reason

    assert reason(ValueError("no such file")) == "no such file"
    assert reason(MemoryError()) == "MemoryError"
    ```
    """
    return _NODES.sub("", str(error).strip().partition("\n")[0]) or type(error).__name__


def printable(text: str) -> str:
    r"""A text of unknown origin as a terminal may see it: what is no visible character, and would move the cursor or
    change colours, is escaped.

    ```python
    from lq_fda.errors import printable

    assert printable("café") == "café" and "\x1b" not in printable("\x1b[2J")
    ```
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
