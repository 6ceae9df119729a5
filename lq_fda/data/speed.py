"""How fast the input pipeline is without a model behind it."""

import time

from lq_fda.data.dataset import Dataset

_WARM_UP_BATCHES = 10


def throughput(dataset: Dataset, batch_size: int = 128, *, seconds: float = 2.0) -> float:
    """Training images a second that the pipeline alone delivers, augmented and normalized.

    Compare it with the images a second that training reaches: the pipeline is no bottleneck while it is well above.

    Args:
        dataset: What to read.
        batch_size: Images a step.
        seconds: How long to measure, after a warm-up.

    ```python
    from lq_fda import data

    assert data.throughput(data.load(data.DataConfig(name="digits")), seconds=0.1) > 0
    ```
    """
    with dataset.reading():
        batches = iter(dataset.train(batch_size, epochs=1_000_000, seed=0))
        for _ in range(_WARM_UP_BATCHES):
            next(batches)
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            next(batches)
            count += batch_size
        return count / (time.perf_counter() - start)
