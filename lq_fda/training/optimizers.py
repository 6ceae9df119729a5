"""Optimizers that know which weights are binary."""

from collections.abc import Sequence

from lq_fda._keras import keras, larq, tf
from lq_fda.errors import LqFdaError
from lq_fda.training.recipe import Recipe
from lq_fda.training.schedules import warmup_cosine

Optimizer = keras.optimizers.Optimizer | keras.optimizers.legacy.Optimizer


def is_binary(variable: tf.Variable) -> bool:
    """Whether a layer uses no more of this variable than its sign."""
    return larq.optimizers.Bop.is_binary_variable(variable)


def spared_from_decay(variable: tf.Variable) -> bool:
    """Whether weight decay would do harm or nothing.

    Shrinking a latent weight does not shrink its sign, it makes it flip more often; biases, norms and shifts place the
    values in front of a sign.
    """
    return is_binary(variable) or variable.shape.rank <= 1


def build_optimizer(recipe: Recipe, variables: Sequence[tf.Variable], steps_per_epoch: int) -> Optimizer:
    """The optimizer of a recipe, with all its state variables already made, so that a checkpoint can fill them.

    Under a strategy, call it in the strategy's scope.

    Raises:
        LqFdaError: Bop is asked for and no variable is binary.
    """
    rate = learning_rate(recipe, steps_per_epoch)
    clip = recipe.clip_norm
    if recipe.optimizer == "bop":
        return _bop(recipe, variables, steps_per_epoch)
    if recipe.optimizer == "adam":
        optimizer = keras.optimizers.Adam(rate, global_clipnorm=clip)
    elif recipe.optimizer == "adamw":
        optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, global_clipnorm=clip)
    else:
        optimizer = keras.optimizers.SGD(
            rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay or None,
            global_clipnorm=clip,
        )
    optimizer.exclude_from_weight_decay([variable for variable in variables if spared_from_decay(variable)])
    optimizer = _scaled(optimizer, recipe)
    optimizer.build(variables)
    return optimizer


def optimizer_state(optimizer: Optimizer) -> list[tf.Variable]:
    """Every variable that an optimizer needs to go on where it stopped, always in the same order."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    legacy = isinstance(inner, keras.optimizers.legacy.Optimizer)
    state = list(inner.weights if legacy else inner.variables)
    if inner is not optimizer:
        state += [optimizer._loss_scale.current_loss_scale, optimizer.dynamic_counter]
    return state


def learning_rate(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate of a recipe at every step."""
    return _schedule(recipe, recipe.learning_rate, steps_per_epoch)


def _schedule(recipe: Recipe, peak: float, steps_per_epoch: int) -> keras.optimizers.schedules.LearningRateSchedule:
    return warmup_cosine(
        peak, epochs=recipe.epochs, warmup_epochs=recipe.warmup_epochs, steps_per_epoch=steps_per_epoch
    )


def _scaled(optimizer: Optimizer, recipe: Recipe) -> Optimizer:
    """float16 gradients vanish unless the loss is scaled up; bfloat16 has float32's range."""
    return keras.mixed_precision.LossScaleOptimizer(optimizer) if recipe.precision == "mixed_float16" else optimizer


def _bop(recipe: Recipe, variables: Sequence[tf.Variable], steps_per_epoch: int) -> Optimizer:
    """Larq's Bop on the binary kernels, Adam on the rest; Larq speaks the legacy optimizers only."""
    binary = [variable for variable in variables if is_binary(variable)]
    if not binary:
        raise LqFdaError(
            "Bop trains binary kernels, and this network has none. Received: optimizer='bop'.",
            cure="Choose optimizer=adam, or a binarized network.",
        )
    bop = larq.optimizers.Bop(recipe.bop_threshold, _schedule(recipe, recipe.bop_gamma, steps_per_epoch))
    adam = keras.optimizers.legacy.Adam(learning_rate(recipe, steps_per_epoch), global_clipnorm=recipe.clip_norm)
    optimizer = larq.optimizers.CaseOptimizer((is_binary, bop), default_optimizer=adam)
    # Legacy optimizers make their state at the first step, which is too late for a checkpoint.
    bop._create_all_weights(binary)
    adam._create_all_weights([variable for variable in variables if not is_binary(variable)])
    return _scaled(optimizer, recipe)
