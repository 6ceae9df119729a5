"""Runs Larq Compute Engine's `.tflite` files in a stock LiteRT interpreter.

```python
import numpy as np
from lq_fda_runtime import Interpreter

interpreter = Interpreter("model.tflite", num_threads=2)
interpreter.allocate_tensors()
entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
interpreter.set_tensor(entry["index"], np.zeros(entry["shape"], entry["dtype"]))
interpreter.invoke()
print(interpreter.get_tensor(result["index"]))
```

Modules are loaded when they are first asked for: the package imports without a runtime, and its errors say what is
missing.
"""

import importlib

__version__ = "0.1.0"

_PLACES = {
    "Bundle": "bundle",
    "Interpreter": "interpreter",
    "LqFdaRuntimeError": "errors",
    "available_isas": "delegate",
    "library_path": "delegate",
    "load_delegate": "delegate",
    "preprocess": "preprocessing",
}
__all__ = ["__version__", *_PLACES]


def __getattr__(name):
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__():
    return __all__
