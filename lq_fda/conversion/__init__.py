"""From a trained network to files that a device runs, and an account of what became of every layer.

    fold       move constants to where they cost nothing
    to_lce     the 1-bit file, by Larq Compute Engine
    to_float   the float32 peer
    to_int8    the int8 peer
    report     per layer: binary or not, what was fused, and why not
    convert    all of it, from a run directory to a bundle

```python
from lq_fda import conversion, models

folded = conversion.fold(models.create("tiny"))
content = conversion.to_lce(folded)
conversion.require_binary(conversion.report(folded, content))
```
"""

from lq_fda.conversion.bundling import convert
from lq_fda.conversion.folding import fold
from lq_fda.conversion.lce import require_lce, to_lce
from lq_fda.conversion.macs import count_macs
from lq_fda.conversion.report import report, require_binary
from lq_fda.conversion.tables import layer_table
from lq_fda.conversion.twins import to_float, to_int8

__all__ = [
    "convert",
    "count_macs",
    "fold",
    "layer_table",
    "report",
    "require_binary",
    "require_lce",
    "to_float",
    "to_int8",
    "to_lce",
]
