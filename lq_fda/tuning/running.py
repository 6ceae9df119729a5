"""A search from its description to its results."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from lq_fda import data
from lq_fda.errors import LqFdaError
from lq_fda.training import TrainingInterrupted
from lq_fda.tuning.oracles import build_oracle
from lq_fda.tuning.results import Trial, write_results
from lq_fda.tuning.search import Search, SearchDir, begin, locked
from lq_fda.tuning.service import chief_required, is_chief, is_worker, role, serve
from lq_fda.tuning.tuner import TrialTuner
from lq_fda.tuning.watching import watching


class SearchInterrupted(LqFdaError):
    """Somebody pressed Ctrl-C; the search goes on with the same command."""


def tune(
    search: Search,
    output: Path | str,
    *,
    chief: str | None = None,
    worker: str | None = None,
    progress: bool = True,
) -> list[Trial]:
    """Runs a search, or goes on with one that was cut, and writes its results.

    Every trial is trained without a look at the test split. After a kill at any moment the same call goes on: trials
    that have ended stay, one that was cut resumes from its checkpoint.

    Args:
        search: What `open_search` gave for this folder.
        output: The folder; several processes see the same one.
        chief: HOST:PORT to give trials to workers, without running any.
        worker: HOST:PORT of the chief whose trials to run.
        progress: Show the trials while they run; a worker is silent.

    Returns:
        The trials.

    Raises:
        LqFdaError: The folder holds another search, or another process works in it; the data cannot be read; nothing
            can be written; there is no chief. What a trial does wrong is no error: it fails.
        SearchInterrupted: Ctrl-C.

    ```python
    import tempfile
    from lq_fda import training, tuning

    tiny = ["epochs=1", "data.image_size=8", "model.parts=", "model.width=0.25"]
    with tempfile.TemporaryDirectory() as folder:
        search = tuning.open_search(f"{folder}/search", overrides=tiny, space=["learning_rate"], trials=1)
        (trial,) = tuning.tune(search, f"{folder}/search", progress=False)
    assert trial.completed and trial.outcome.cost.size_bytes > 0
    ```
    """
    directory = SearchDir(output)
    part = f" --chief {chief}" if chief else f" --worker {worker}" if worker else ""
    with role(chief=chief, worker=worker), _interruptible(directory, part):
        if is_worker():
            directory.search()  # The chief writes it down before it listens.
            with chief_required():
                TrialTuner(search, directory).search()
            return []
        data.load(search.recipe.data)  # Before anything is written: without data there is no trial.
        directory.path.mkdir(parents=True, exist_ok=True)
        with locked(directory.lock, wait=False):
            begin(search, directory)
            try:
                with watching(output) if progress else contextlib.nullcontext():
                    if is_chief():
                        serve(build_oracle(search, directory))
                    else:
                        TrialTuner(search, directory).search()
            finally:
                trials = write_results(output)
    return trials


@contextlib.contextmanager
def _interruptible(directory: SearchDir, part: str) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, TrainingInterrupted):
        raise SearchInterrupted(
            f"The search was interrupted. The trials that have ended and the whole epochs of the others are in "
            f"{str(directory.path)!r}.",
            cure=f"Go on with it: `lq-fda tune --output {directory.path}{part}`.",
        ) from None
