"""Data sets: splits that stay apart, batches that repeat exactly, and one preprocessing for training and device.

```python
from lq_fda import data

digits = data.load(data.DataConfig(name="digits"))
batches = digits.train(batch_size=64, epochs=2, seed=0)
assert digits.steps_per_epoch(64) == 20
```

`DataConfig`, `preprocess` and `normalize` need no TensorFlow; the rest loads it when it is first used.
"""

from typing import TYPE_CHECKING, Any

from lq_fda.data.config import AUGMENTATIONS, DataConfig
from lq_fda.data.preprocessing import normalize, preprocess

if TYPE_CHECKING:
    from lq_fda.data.dataset import Dataset
    from lq_fda.data.loading import load
    from lq_fda.data.speed import throughput

__all__ = ["AUGMENTATIONS", "DataConfig", "Dataset", "load", "normalize", "preprocess", "throughput"]


def __getattr__(name: str) -> Any:
    if name == "load":
        from lq_fda.data.loading import load

        return load
    if name == "Dataset":
        from lq_fda.data.dataset import Dataset

        return Dataset
    if name == "throughput":
        from lq_fda.data.speed import throughput

        return throughput
    raise AttributeError(f"module 'lq_fda.data' has no attribute {name!r}")
