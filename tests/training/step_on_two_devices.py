"""One training step on one device and on two virtual ones: the largest difference of a weight, and the largest step."""

import json
from pathlib import Path

import numpy as np

from lq_fda import training
from lq_fda._keras import keras, larq, tf
from lq_fda.training.distillation import build_loss
from lq_fda.training.optimizers import build_optimizer
from lq_fda.training.trainer import Trainer


def step(recipe: training.Recipe, batch: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
    """The weights of a small network without batch statistics, and their running mean, after one step."""
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.layers.Conv2D(4, 3, padding="same", input_shape=(4, 4, 3)),
            larq.layers.QuantConv2D(4, 3, input_quantizer="ste_sign", kernel_quantizer="ste_sign"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, kernel_regularizer="l2"),
        ]
    )
    optimizer = build_optimizer(recipe, network.trainable_variables, steps_per_epoch=1)
    trainer = Trainer(network, optimizer, build_loss(recipe), recipe.ema)
    before = network.get_weights()
    trainer.fit(tf.data.Dataset.from_tensors(batch), steps_per_epoch=1, verbose=0)
    return [*before, *network.get_weights(), *(variable.numpy() for variable in trainer.shipped)]


def main(recipe: str, report: str) -> None:
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    random = np.random.default_rng(0)
    batch = random.normal(size=(8, 4, 4, 3)).astype(np.float32), random.integers(10, size=8).astype(np.int32)
    read = training.read_recipe(Path(recipe))
    alone = step(read, batch)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        together = step(read, batch)
    count = len(alone) // 3
    values = {
        "difference": max(float(abs(a - b).max()) for a, b in zip(alone, together, strict=True)),
        "moved": min(float(abs(a - b).max()) for a, b in zip(alone[:count], alone[count : 2 * count], strict=True)),
    }
    Path(report).write_text(json.dumps(values))
