"""ResNets with a shortcut around every 3x3 convolution.

He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; binarized after Liu et al., "Bi-Real Net",
ECCV 2018.
"""

from lq_fda._keras import keras
from lq_fda.models.blocks import Block, classifier, float_conv, residual_conv
from lq_fda.models.config import ModelConfig


def _resnet(
    config: ModelConfig,
    widths: tuple[int, ...],
    convs: tuple[int, ...],
    *,
    imagenet: bool,
    groups: int | None,
    reduction: int,
) -> keras.Model:
    block = Block.of(config, groups=groups, reduction=reduction)
    widths = tuple(config.channels(width) for width in widths)
    inputs = x = keras.Input(config.input_shape, name="image")
    if imagenet:
        x = float_conv(x, widths[0], 7, 2, name="stem")
        x = keras.layers.ReLU(name="stem_relu")(x)
        x = keras.layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)
    else:
        x = float_conv(x, widths[0], 3, name="stem")
    for stage, (width, count) in enumerate(zip(widths, convs, strict=True)):
        for index in range(config.convolutions(count)):
            strides = 2 if stage > 0 and index == 0 else 1
            x = residual_conv(x, width, strides, block=block, name=f"stage{stage + 1}_{index + 1}")
    return keras.Model(inputs, classifier(x, config.classes), name=config.name)


def resnet20(config: ModelConfig) -> keras.Model:
    """ResNet-20 with the CIFAR stem: 18 binary convolutions, 16 to 64 channels."""
    return _resnet(config, (16, 32, 64), (6, 6, 6), imagenet=False, groups=4, reduction=2)


def resnet18(config: ModelConfig) -> keras.Model:
    """ResNet-18 with the CIFAR stem: 16 binary convolutions, 64 to 512 channels."""
    return _resnet(config, (64, 128, 256, 512), (4, 4, 4, 4), imagenet=False, groups=None, reduction=2)


def resnet18_imagenet(config: ModelConfig) -> keras.Model:
    """ResNet-18 with the ImageNet stem (7x7 stride 2 and max pooling)."""
    return _resnet(config, (64, 128, 256, 512), (4, 4, 4, 4), imagenet=True, groups=None, reduction=2)


def resnet34_imagenet(config: ModelConfig) -> keras.Model:
    """ResNet-34 with the ImageNet stem: 32 binary convolutions."""
    return _resnet(config, (64, 128, 256, 512), (6, 8, 12, 6), imagenet=True, groups=None, reduction=2)


def tiny(config: ModelConfig) -> keras.Model:
    """Four binary convolutions of 32 and 64 channels: trains in seconds, for the demo and for tests."""
    return _resnet(config, (32, 64), (2, 2), imagenet=False, groups=4, reduction=2)
