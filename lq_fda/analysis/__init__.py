"""Which layer of a binarized network loses information, and what to try.

```python
import numpy as np
from lq_fda import analysis, models

images = np.random.default_rng(0).normal(size=(4, 32, 32, 3)).astype("float32")
found = analysis.measure_distribution(models.create("tiny"), images, "validation")
worst = min(found.points, key=lambda point: point.kept)
assert 0 <= worst.kept <= 1
```
"""

from lq_fda.analysis.analyzing import analyze
from lq_fda.analysis.findings import worst_layers
from lq_fda.analysis.measuring import measure_distribution
from lq_fda.analysis.tables import tables

__all__ = ["analyze", "measure_distribution", "tables", "worst_layers"]
