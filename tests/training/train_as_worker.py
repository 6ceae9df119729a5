"""Trains a recipe under a strategy and prints a digest of the weights: `train_as_worker.py RECIPE OUTPUT STRATEGY`.

`mirrored` runs on two virtual CPU devices; `multi_worker` takes its part from TF_CONFIG.
"""

import hashlib
import json
import sys
from pathlib import Path

from lq_fda import training
from lq_fda._keras import tf
from lq_fda.training import checkpoints, loop


def main(recipe: str, output: str, strategy: training.StrategyName) -> None:
    if strategy == "mirrored":
        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        mirrored, devices = tf.distribute.MirroredStrategy, ["CPU:0", "CPU:1"]
        tf.distribute.MirroredStrategy = lambda: mirrored(devices)
    build, trainers = loop.build_trainer, []
    loop.build_trainer = lambda *args: trainers.append(build(*args)) or trainers[-1]
    run = Path(output)
    result = training.train(
        training.read_recipe(Path(recipe)),
        run,
        resume=(run / "recipe.json").exists(),
        strategy=strategy,
        progress=False,
    )
    digest = hashlib.sha256()
    for value in checkpoints.read_values(trainers[0].shipped):
        digest.update(value.tobytes())
    print(json.dumps({"weights": digest.hexdigest(), "result": result and result.model_dump(mode="json")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
