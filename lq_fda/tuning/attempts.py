"""How often a trial's process died: a network that needs more memory than there is would end every worker in turn."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from lq_fda.artifacts import read_json, understood, write_json
from lq_fda.errors import LqFdaError

MOST_DEATHS = 3


@contextlib.contextmanager
def attempt(file: Path, progress: int) -> Iterator[int]:
    """Yields how many processes have died in this block before, none of which got further than this one begins.

    A process that is interrupted, or stopped by a full disk, has not died.

    Args:
        file: Where that is kept while the block runs.
        progress: How far the work has come; any number that grows.

    ```python
    import tempfile
    from pathlib import Path
    from lq_fda.tuning.attempts import attempt

    with tempfile.TemporaryDirectory() as folder, attempt(Path(folder) / "attempt.json", progress=0) as deaths:
        assert deaths == 0
    ```

    Raises:
        LqFdaError: The file is damaged or cannot be written.
    """
    deaths = 0
    if file.is_file():
        with understood(file, "The record of an attempt", cure="Remove the file."):
            earlier = read_json(file)
            deaths = earlier["deaths"] if earlier["progress"] == progress else 0
    write_json(file, {"progress": progress, "deaths": deaths + 1})
    try:
        yield deaths
    except (LqFdaError, KeyboardInterrupt):
        file.unlink(missing_ok=True)
        raise
    file.unlink(missing_ok=True)
