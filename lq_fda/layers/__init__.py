"""Keras layers that adjust what a binarized network loses: the distribution in front of every sign.

```python
from lq_fda import keras
from lq_fda.layers import BinaryConv2D, FeatureDistributionAdjustment, FeatureFineTuning, GroupExcitation

inputs = keras.Input((32, 32, 64))
x, scale = GroupExcitation(groups=4)(FeatureDistributionAdjustment()(inputs))
branch = keras.layers.BatchNormalization()(BinaryConv2D(64, 3)(x))
outputs = FeatureFineTuning()([branch, inputs, scale])
```
"""

from lq_fda.layers.binary_conv import BinaryConv2D
from lq_fda.layers.feature_distribution import FeatureDistributionAdjustment
from lq_fda.layers.feature_finetuning import FeatureFineTuning
from lq_fda.layers.group_excitation import GroupExcitation
from lq_fda.layers.normalization import MergingBatchNormalization

__all__ = [
    "BinaryConv2D",
    "FeatureDistributionAdjustment",
    "FeatureFineTuning",
    "GroupExcitation",
    "MergingBatchNormalization",
]
