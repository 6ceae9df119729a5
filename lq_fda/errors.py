"""The error that a user is meant to read."""


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
