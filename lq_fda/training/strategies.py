"""Where training runs: one device, all devices of a machine, or several machines."""

import json
import os
from typing import Literal, get_args

from lq_fda import data
from lq_fda._keras import tf
from lq_fda.errors import LqFdaError

StrategyName = Literal["none", "mirrored", "multi_worker"]
"""How `tf.distribute` spreads training: one device, all of this machine, or several machines."""

_EXAMPLE = '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, "task": {"type": "worker", "index": 0}}'


def open_strategy(name: StrategyName) -> tf.distribute.Strategy:
    """Makes a strategy; TensorFlow wants `multi_worker` made before it has run anything.

    Args:
        name: `"mirrored"` splits every batch over the GPUs of this machine; `"multi_worker"` splits it over the
            machines of the environment variable TF_CONFIG, on each of which the same command runs.

    Raises:
        LqFdaError: No such strategy, TF_CONFIG is missing or damaged, or TensorFlow is already in use.
    """
    if name == "none":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multi_worker":
        _check_cluster()
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except RuntimeError as error:
            raise LqFdaError(
                f"The workers cannot be joined: {error}. Received: strategy={name!r}.",
                cure="Start a fresh Python process, and train before anything else uses TensorFlow in it.",
            ) from error
    raise LqFdaError(
        f"No such strategy. Expected one of {', '.join(get_args(StrategyName))}. Received: strategy={name!r}.",
        cure="Choose a strategy from the list.",
    )


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes."""
    resolver = strategy.cluster_resolver
    if worker_count(strategy) == 1:
        return True
    # Without a task of type "chief", worker 0 is it.
    has_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (not has_chief and resolver.task_id == 0)


def worker_count(strategy: tf.distribute.Strategy) -> int:
    """How many processes train together."""
    cluster = strategy.cluster_resolver and strategy.cluster_resolver.cluster_spec()
    return sum(cluster.num_tasks(job) for job in cluster.jobs if job in ("chief", "worker")) if cluster else 1


def training_batches(
    dataset: data.Dataset,
    strategy: tf.distribute.Strategy,
    *,
    batch_size: int,
    epochs: int,
    start_epoch: int,
    seed: int,
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """Batches for `fit`; with several machines each prepares no more than its own part of every batch.

    Raises:
        LqFdaError: The batch cannot be divided among the workers.
    """

    def part(worker: int, workers: int) -> tf.data.Dataset:
        return dataset.train(
            batch_size, epochs=epochs, start_epoch=start_epoch, seed=seed, worker=worker, workers=workers
        )

    def pipeline(context: tf.distribute.InputContext) -> tf.data.Dataset:
        batches = part(context.input_pipeline_id, context.num_input_pipelines)
        return batches.rebatch(context.get_per_replica_batch_size(batch_size), drop_remainder=True)

    if worker_count(strategy) == 1:
        return part(0, 1)  # Keras divides it among the devices
    return strategy.distribute_datasets_from_function(pipeline)


def _check_cluster() -> None:
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text)
        workers = [*config["cluster"].get("chief", []), *config["cluster"]["worker"]]
        known = config["task"]["type"] in config["cluster"] and 0 <= int(config["task"]["index"]) < len(workers)
    except (ValueError, KeyError, TypeError, AttributeError):
        known = False
    if not known:
        raise LqFdaError(
            "Training on several machines needs the environment variable TF_CONFIG, a JSON text with the cluster "
            f"and this machine's task. Received: TF_CONFIG={text!r}.",
            cure=f"Set it on every machine, with its own index: TF_CONFIG='{_EXAMPLE}'.",
        )
