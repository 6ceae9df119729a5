"""Training: from a recipe to a run directory, resumable at any moment.

```python
import tempfile
from lq_fda import training
from lq_fda.artifacts import RunDir

recipe = training.apply_overrides(training.digits_demo(), ["epochs=1", "data.image_size=8"])
with tempfile.TemporaryDirectory() as folder:
    result = training.train(recipe, f"{folder}/run", progress=False)
    assert training.evaluate(RunDir(f"{folder}/run"), "test") == result.test
```
"""

from lq_fda.artifacts import Result
from lq_fda.training.ablation import VARIANTS, ablate, variant
from lq_fda.training.callbacks import TrainingDiverged
from lq_fda.training.distillation import load_teacher
from lq_fda.training.evaluation import evaluate
from lq_fda.training.loop import TrainingInterrupted, train
from lq_fda.training.overrides import apply_overrides, override_keys
from lq_fda.training.recipe import (
    DistillationConfig,
    Recipe,
    SmallImagesConfig,
    float_twin,
    load_recipe,
    read_recipe,
    to_values,
)
from lq_fda.training.recipes import digits_demo, get_recipe, recipe_for, recipe_names, recipe_note
from lq_fda.training.speed import block_cases, measure_speed
from lq_fda.training.strategies import StrategyName

__all__ = [
    "VARIANTS",
    "DistillationConfig",
    "Recipe",
    "Result",
    "SmallImagesConfig",
    "StrategyName",
    "TrainingDiverged",
    "TrainingInterrupted",
    "ablate",
    "apply_overrides",
    "block_cases",
    "digits_demo",
    "evaluate",
    "float_twin",
    "get_recipe",
    "load_recipe",
    "load_teacher",
    "measure_speed",
    "override_keys",
    "read_recipe",
    "recipe_for",
    "recipe_names",
    "recipe_note",
    "to_values",
    "train",
    "variant",
]
