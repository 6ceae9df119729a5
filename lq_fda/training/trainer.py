"""One training step."""

import dataclasses

from lq_fda import models
from lq_fda._keras import keras, precision, tf
from lq_fda.training.distillation import Loss, build_loss
from lq_fda.training.earlier_run import start_from
from lq_fda.training.optimizers import Optimizer, build_optimizer, optimizer_state
from lq_fda.training.recipe import Recipe

# Hides Keras's overhead a step; a progress bar still moves a few times a second, and Ctrl-C waits this long at most.
STEPS_PER_EXECUTION = 8

_FIRST = tf.VariableAggregation.ONLY_FIRST_REPLICA


class Trainer(keras.Model):
    """A network, its optimizer and, where asked for, the running mean of its weights.

    `fit` trains, on images of `image_size` by `image_size` where that is not None; `state` is all that resuming needs;
    `shipped` is what would be deployed now.
    Under a strategy, make it in the strategy's scope.

    Args:
        network: Maps images to float32 logits.
        optimizer: Already built for the network's trainable variables.
        loss: Images, labels, logits -> the mean loss of the batch.
        ema: Decay of the running mean of the trainable weights; None keeps none.
    """

    def __init__(self, network: keras.Model, optimizer: Optimizer, loss: Loss, ema: float | None = None):
        super().__init__(dtype="float32")
        self.network = network
        self._loss_of = loss
        self._ema = ema
        self._loss_mean = keras.metrics.Mean("loss", dtype="float32")
        self._accuracy = keras.metrics.SparseCategoricalAccuracy("accuracy", dtype="float32")
        self._averages = [
            tf.Variable(variable.read_value(), trainable=False, name="average", dtype=tf.float32)
            for variable in (network.trainable_variables if ema else ())
        ]
        # Keras's own counter starts anew with every `fit`, and the Bop optimizer's stays at zero.
        self._image_size: int | None = None
        self._steps = tf.Variable(0, trainable=False, dtype=tf.int64, aggregation=_FIRST)
        self.compile(optimizer, steps_per_execution=STEPS_PER_EXECUTION)

    @property
    def image_size(self) -> int | None:
        """Height and width that the network sees; None: those of the images. It can change between two epochs."""
        return self._image_size

    @image_size.setter
    def image_size(self, size: int | None) -> None:
        if size != self._image_size:
            self._image_size = size
            # The step is compiled for a size, and `fit` looks the function up anew for every execution.
            self.train_function = self.make_train_function(force=True)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self._loss_mean, self._accuracy]

    def train_step(self, batch: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        images, labels = batch
        with tf.GradientTape() as tape:
            logits = self.network(self._resized(images), training=True)
            loss = self._loss_of(images, labels, logits)
            if self.network.losses:
                loss += tf.add_n(self.network.losses)
            # The optimizer sums the gradients of the replicas.
            share = loss / self.distribute_strategy.num_replicas_in_sync
        self.optimizer.minimize(share, self.network.trainable_variables, tape=tape)
        if self._averages:
            tf.distribute.get_replica_context().merge_call(self._move_averages)
        self._loss_mean.update_state(loss)
        self._accuracy.update_state(labels, logits)
        return {metric.name: metric.result() for metric in self.metrics}

    def _resized(self, images: tf.Tensor) -> tf.Tensor:
        size = self._image_size
        return images if size is None else tf.image.resize(images, (size, size))

    def _move_averages(self, strategy: tf.distribute.Strategy) -> None:
        """average += (1 - decay) (weight - average), with less decay in the first steps: they start far away."""
        step = tf.cast(self._steps.assign_add(1), tf.float32)
        rate = 1 - tf.minimum(self._ema, (1 + step) / (10 + step))
        for average, variable in zip(self._averages, self.network.trainable_variables, strict=True):
            strategy.extended.update(average, lambda a, v: a.assign_sub(rate * (a - v)), args=(variable,), group=False)

    @property
    def state(self) -> list[tf.Variable]:
        """Every variable that the next step depends on, always in the same order."""
        return [*self.network.weights, *self._averages, self._steps, *optimizer_state(self.optimizer)]

    @property
    def shipped(self) -> list[tf.Variable]:
        """The variables whose values are to be deployed, in the order of the network's weights."""
        averages = {
            id(variable): average
            for variable, average in zip(self.network.trainable_variables, self._averages, strict=False)
        }
        return [averages.get(id(variable), variable) for variable in self.network.weights]


def build_trainer(recipe: Recipe, steps_per_epoch: int) -> Trainer:
    """The trainer of a recipe, with fresh weights; under a strategy, call it in the strategy's scope.

    Seeds Python's, NumPy's and TensorFlow's global generators with the recipe's seed.

    Raises:
        LqFdaError: There is no such network, its parts do not fit together, or an earlier run cannot be loaded.
    """
    keras.utils.set_random_seed(recipe.seed)
    with precision(recipe.precision):
        network = models.build(recipe.model if recipe.small_images is None else _of_any_size(recipe.model))
    start_from(network, recipe)
    optimizer = build_optimizer(recipe, network.trainable_variables, steps_per_epoch)
    return Trainer(network, optimizer, build_loss(recipe), recipe.ema)


def _of_any_size(config: models.ModelConfig) -> models.ModelConfig:
    return dataclasses.replace(config, input_shape=(None, None, config.input_shape[2]))
