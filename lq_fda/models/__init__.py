"""Backbones, each with its float twin.

```python
from lq_fda import models

binarized = models.create("resnet20", classes=10)
twin = models.create("resnet20", classes=10, binarized=False)
```
"""

from lq_fda.models.blocks import Block, residual_conv
from lq_fda.models.config import COUSINS, PARTS, RECOMMENDED, ModelConfig
from lq_fda.models.profiling import profile, summary
from lq_fda.models.registry import build, create, describe, names
from lq_fda.models.trained import configs, load, require_comparable, require_twin

__all__ = [
    "COUSINS",
    "PARTS",
    "RECOMMENDED",
    "Block",
    "ModelConfig",
    "build",
    "configs",
    "create",
    "describe",
    "load",
    "names",
    "profile",
    "require_comparable",
    "require_twin",
    "residual_conv",
    "summary",
]
