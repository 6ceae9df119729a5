"""Trains a recipe under a strategy and writes a digest of every replica's weights.

`mirrored` runs on two virtual CPU devices; `multi_worker` takes its part from TF_CONFIG.
"""

import hashlib
import json
from pathlib import Path

from lq_fda import training
from lq_fda._keras import tf
from lq_fda.training import loop


def main(recipe: str, output: str, strategy: training.StrategyName, report: str) -> None:
    if strategy == "mirrored":
        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        mirrored = tf.distribute.MirroredStrategy
        tf.distribute.MirroredStrategy = lambda: mirrored(["CPU:0", "CPU:1"])
    build, trainers = loop.build_trainer, []
    loop.build_trainer = lambda *args: trainers.append(build(*args)) or trainers[-1]
    run = Path(output)
    resume = (run / "recipe.json").exists()
    result = training.train(training.read_recipe(Path(recipe)), run, resume=resume, strategy=strategy, progress=False)
    digests = []
    for replica in range(2 if strategy == "mirrored" else 1):
        digest = hashlib.sha256()
        for variable in trainers[0].network.trainable_variables:
            digest.update(variable.values[replica].numpy().tobytes())
        digests.append(digest.hexdigest())
    values = {"weights": digests, "resumed": resume, "result": result and result.model_dump(mode="json")}
    Path(report).write_text(json.dumps(values))
