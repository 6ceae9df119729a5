"""A small mobile net whose shapes suit LCE: every binary convolution has channels in multiples of 32.

In the spirit of QuickNet (Bannink et al., "Larq Compute Engine", MLSys 2021): a cheap float stem that shrinks the
image early, then residual binary convolutions, with float 1x1 transitions between the stages.
"""

from lq_fda._keras import keras
from lq_fda.models.blocks import Block, batch_norm, classifier, float_conv, residual_conv
from lq_fda.models.config import ModelConfig


def mobile(config: ModelConfig) -> keras.Model:
    """Widths 32, 64, 256, 512 with 4 binary convolutions each, for images of about 64 to 224 pixels."""
    block = Block.of(config, groups=None, reduction=2)
    inputs = keras.Input(config.input_shape, name="image")
    x = float_conv(inputs, config.channels(16), 3, 2, name="stem")
    x = keras.layers.ReLU(name="stem_relu")(x)
    x = keras.layers.DepthwiseConv2D(3, 2, padding="same", use_bias=False, name="stem_depthwise")(x)
    x = batch_norm(x, "stem_depthwise_norm")
    x = float_conv(x, config.channels(32), 1, name="stem_pointwise")
    for stage, width in enumerate((32, 64, 256, 512)):
        for index in range(config.convolutions(4)):
            strides = 2 if stage > 0 and index == 0 else 1
            x = residual_conv(x, config.channels(width), strides, block=block, name=f"stage{stage + 1}_{index + 1}")
    return keras.Model(inputs, classifier(x, config.classes), name=config.name)
