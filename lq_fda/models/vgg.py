"""VGG-Small: six 3x3 convolutions, the plain-net benchmark of the binarization literature.

Simonyan and Zisserman, ICLR 2015, in the small form of Zhang et al., "LQ-Nets", ECCV 2018. The classifier is global
average pooling and one float dense layer. A shortcut goes around every binary convolution, as in the other families.
"""

from lq_fda._keras import keras
from lq_fda.models.blocks import Block, classifier, float_conv, residual_conv
from lq_fda.models.config import ModelConfig


def vgg_small(config: ModelConfig) -> keras.Model:
    """Widths 128, 128, 256, 256, 512, 512; maximum pooling halves the map after every second convolution."""
    block = Block.of(config, groups=None, reduction=2)
    inputs = keras.Input(config.input_shape, name="image")
    x = float_conv(inputs, config.channels(128), 3, name="stem")
    index = 1
    for width, count in ((128, 1), (256, 2), (512, 2)):
        for _ in range(config.convolutions(count)):
            index += 1
            x = residual_conv(x, config.channels(width), block=block, name=f"conv{index}")
        x = keras.layers.MaxPooling2D(2, padding="same", name=f"pool{index}")(x)
    return keras.Model(inputs, classifier(x, config.classes), name=config.name)
