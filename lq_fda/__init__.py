"""Train binarized neural networks in Keras, and ship them as fast, verified LCE `.tflite` files.

Importing `lq_fda` is cheap: TensorFlow loads with the first submodule that needs it. `lq_fda.keras` is the Keras that
all of it speaks, Keras 2 (`tf_keras`), whatever `import keras` would give.

```python
from lq_fda import keras, models

model = models.create("resnet20", classes=10)
assert isinstance(model, keras.Model)
```
"""

import importlib
from importlib import metadata
from typing import Any

__version__ = metadata.version("lq-fda")

_SUBMODULES = (
    "analysis",
    "artifacts",
    "benchmarking",
    "conversion",
    "data",
    "layers",
    "models",
    "part_costs",
    "peers",
    "pipeline",
    "reporting",
    "results",
    "runtimes",
    "training",
    "tuning",
    "verification",
)

__all__ = ["__version__", "keras", *_SUBMODULES]


def __getattr__(name: str) -> Any:
    if name == "keras":
        return importlib.import_module("lq_fda._keras").keras
    if name in _SUBMODULES:
        return importlib.import_module(f"lq_fda.{name}")
    raise AttributeError(f"module 'lq_fda' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
