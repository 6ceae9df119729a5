"""How the learning rate moves: up along a line, then down along a cosine."""

from lq_fda._keras import keras


def warmup_cosine(
    peak: float, *, epochs: int, warmup_epochs: float, steps_per_epoch: int
) -> keras.optimizers.schedules.CosineDecay:
    """Linear warm-up to `peak`, then a cosine to zero at the last step; a serializable Keras schedule.

        rate(t) = peak t / W                                    t < W
        rate(t) = peak (1 + cos(pi (t - W) / (T - W))) / 2      t >= W

    Loshchilov and Hutter, "SGDR", ICLR 2017; warm-up after Goyal et al., 2017.

    Args:
        peak: The highest learning rate.
        epochs: T in epochs.
        warmup_epochs: W in epochs; fractions are fine.
        steps_per_epoch: Steps of an epoch.

    ```python
    from lq_fda.training.schedules import warmup_cosine

    rate = warmup_cosine(0.1, epochs=10, warmup_epochs=1, steps_per_epoch=100)
    assert float(rate(0)) == 0 and abs(float(rate(100)) - 0.1) < 1e-6 and float(rate(1000)) < 1e-8
    ```
    """
    warmup = round(warmup_epochs * steps_per_epoch)
    decay = epochs * steps_per_epoch - warmup
    if warmup == 0:
        return keras.optimizers.schedules.CosineDecay(peak, decay)
    return keras.optimizers.schedules.CosineDecay(0.0, decay, warmup_target=peak, warmup_steps=warmup)
