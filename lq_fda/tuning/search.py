"""What a search is, as plain values, and the folder that it lives in.

search.json    what was asked for
oracle.json    Keras Tuner's state: every trial, its values and its status
costs/         what each network costs on the device
trials/NNNN/   run/ (a run directory) and outcome.json (how the trial ended)
trials.csv     the table
trials.png     accuracy against latency and size
best.json      the recipe of the best trial, for `lq-fda train`
"""

import contextlib
import fcntl
import functools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pydantic
from pydantic import Field

from lq_fda import conversion
from lq_fda.artifacts import RunDir, read_json, understood, write_json
from lq_fda.errors import LqFdaError
from lq_fda.training import Recipe, apply_overrides, digits_demo
from lq_fda.tuning.budget import Budget, parse_budget
from lq_fda.tuning.costs import best_runtime
from lq_fda.tuning.space import DEFAULT, Dimension, parse_space

OracleName = Literal["random", "bayesian", "hyperband"]
"""Who chooses the next trial."""
_TRIALS = 20


class Search(pydantic.BaseModel):
    """A search: what is varied, in which order, and what counts.

    Args:
        recipe: What all trials share; its epochs are those of a whole trial.
        space: One text a dimension, see `parse_space`.
        oracle: Who chooses: `"random"`; `"bayesian"`, a Gaussian process with an upper confidence bound; `"hyperband"`,
            many short trials of which the best go on (Li et al., JMLR 18, 2018).
        trials: How many there are, those over the budget included; None with Hyperband, whose epochs decide it.
        budget: What a network may cost on the device.
        seed: Of the oracle; that of the training is the recipe's.
        runtime: What measures latency.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    recipe: Recipe
    space: tuple[str, ...]
    oracle: OracleName = "bayesian"
    trials: int | None = Field(default=_TRIALS, ge=1)
    budget: Budget = Budget()
    seed: int = Field(default=0, ge=0, lt=2**31)
    runtime: str

    @functools.cached_property
    def dimensions(self) -> list[Dimension]:
        return parse_space(self.space, self.recipe)


class SearchDir:
    """A search on disk.

    Args:
        path: The folder; it need not exist yet.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self.lock = self.path / ".lock"
        self.search_file = self.path / "search.json"
        self.oracle_file = self.path / "oracle.json"
        self.costs = self.path / "costs"
        self.table_file = self.path / "trials.csv"
        self.figure_file = self.path / "trials.png"
        self.best_file = self.path / "best.json"

    @property
    def exists(self) -> bool:
        return self.search_file.is_file()

    def holds_something(self) -> bool:
        """Whether the folder has files, but for hidden ones: a search that could not begin leaves its lock."""
        return self.path.is_dir() and any(not entry.name.startswith(".") for entry in self.path.iterdir())

    def trial(self, trial_id: str) -> Path:
        """A trial's folder."""
        return self.path / "trials" / f"{int(trial_id):04d}"

    def run(self, trial_id: str) -> RunDir:
        return RunDir(self.trial(trial_id) / "run")

    def outcome_file(self, trial_id: str) -> Path:
        return self.trial(trial_id) / "outcome.json"

    def search(self) -> Search:
        """What was asked for.

        Raises:
            LqFdaError: The folder holds no search, or its description is damaged.
        """
        if not self.exists:
            raise LqFdaError(
                f"This folder holds no search. Expected search.json. Received: {str(self.path)!r}.",
                cure="Begin one: `lq-fda tune --recipe RECIPE --output DIR`; of several processes, the chief first.",
            )
        with understood(self.search_file, "The description of the search"):
            return Search.model_validate_json(json.dumps(read_json(self.search_file)))


def open_search(
    output: Path | str,
    *,
    recipe: Recipe | None = None,
    overrides: Sequence[str] = (),
    space: Sequence[str] | None = None,
    oracle: OracleName | None = None,
    trials: int | None = None,
    budget: Sequence[str] | None = None,
    seed: int | None = None,
) -> Search:
    """The search of a folder: a new one, or the one that is there, which goes on.

    What is left out is that of the search that is there, else the default. What is given must agree with the search
    that is there; only the number of trials may change.

    Args:
        output: The folder; nothing is written.
        recipe: What all trials share; the default is `digits_demo`.
        overrides: Changes to it, as in `apply_overrides`; the default space leaves their keys out.
        space: Texts for `parse_space`; the default is `["default"]`.
        oracle: Who chooses; the default is `"bayesian"`.
        trials: How many; the default is 20.
        budget: Texts for `parse_budget`; the default is none.
        seed: Of the oracle; the default is 0.

    Raises:
        LqFdaError: A value makes no sense, the folder holds something else, or another search.

    ```python
    import tempfile
    from lq_fda import tuning

    with tempfile.TemporaryDirectory() as folder:
        search = tuning.open_search(folder, space=["learning_rate"], budget=["size_bytes=60000"])
    assert search.space == ("learning_rate=0.001..0.016:log",)
    ```
    """
    conversion.require_lce()
    directory = SearchDir(output)
    there = directory.search() if directory.exists else None
    if there is None and directory.holds_something():
        raise LqFdaError(
            f"The output folder holds something else than a search. Expected a new folder, or a search to go on with. "
            f"Received: {str(output)!r}.",
            cure="Choose another folder.",
        )
    base = apply_overrides(recipe or (there.recipe if there else digits_demo()), overrides)
    if not base.model.binarized:
        raise LqFdaError(
            "There is nothing to search. Expected the recipe of a binarized network. Received: model.binarized=False.",
            cure="Leave model.binarized out.",
        )
    fixed = {text.partition("=")[0].strip() for text in overrides}
    wanted = space if space is not None else there.space if there else [DEFAULT]
    oracle = oracle or (there.oracle if there else "bayesian")
    asked = _checked(
        recipe=base,
        space=tuple(map(str, parse_space(wanted, base, fixed=fixed))),
        oracle=oracle,
        trials=_trials(oracle, trials, there),
        budget=parse_budget(budget) if budget is not None else there.budget if there else Budget(),
        seed=seed if seed is not None else there.seed if there else 0,
        runtime=there.runtime if there else best_runtime(),
    )
    if there is not None:
        _require_same(there, asked, directory)
    return asked


def _checked(**fields: Any) -> Search:
    try:
        return Search(**fields)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise LqFdaError(
            f"The search is wrong: {first['msg']}. Received: {first['loc'][0]}={first['input']!r}.",
            cure="Correct the value; `lq_fda.tuning.Search` has the fields.",
        ) from error


def _trials(oracle: str, trials: int | None, there: Search | None) -> int | None:
    if oracle == "hyperband":
        if trials is not None:
            raise LqFdaError(
                f"Hyperband's epochs decide how many trials there are. Expected no number. Received: trials={trials}.",
                cure="Leave --trials out; fewer epochs make fewer trials: --set epochs=9.",
            )
        return None
    return trials if trials is not None else (there and there.trials) or _TRIALS


def _require_same(there: Search, asked: Search, directory: SearchDir) -> None:
    """Refuses to go on with a search as if it were another one."""
    theirs, ours = (search.model_dump(mode="json", exclude={"trials"}) for search in (there, asked))
    differing = [name for name in ours if ours[name] != theirs[name]]
    if differing:
        changes = "; ".join(_change(name, theirs[name], ours[name]) for name in differing)
        raise LqFdaError(
            f"The folder holds another search. Received: {changes} in {str(directory.path)!r}.",
            cure="Go on with it without changes: `lq-fda tune --output DIR`, or search in another folder.",
        )


def _change(name: str, theirs: object, ours: object) -> str:
    """Where two values differ, down to the field."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        keys = [key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key)]
        return "; ".join(_change(f"{name}.{key}", theirs.get(key), ours.get(key)) for key in keys)
    return f"{name}={ours!r} instead of {theirs!r}"


def begin(search: Search, directory: SearchDir) -> None:
    """Writes down what is searched, before the first trial.

    Raises:
        LqFdaError: The folder holds another search, or cannot be written.
    """
    if directory.exists:
        _require_same(directory.search(), search, directory)
    write_json(directory.search_file, search.model_dump(mode="json"))


@contextlib.contextmanager
def locked(file: Path, *, wait: bool) -> Iterator[None]:
    """Holds a file's lock, which the system takes away from a process that dies.

    Args:
        file: Made if it is not there.
        wait: Whether to wait for another process that holds it.

    Raises:
        LqFdaError: Another process holds it, and nobody wants to wait.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise LqFdaError(
                f"Another process works in this folder. Expected one search at a time. Received: {str(file.parent)!r}.",
                cure="Wait until it ends or stop it; to help it, start it with --chief and this one with --worker.",
            ) from None
        yield
