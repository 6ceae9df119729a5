"""What every layer must do, so that a new layer's test is ten lines."""

from collections.abc import Callable

import numpy as np
import pytest

from lq_fda._keras import keras, tf

FORMATS = {"keras": "model.keras", "h5": "model.h5", "saved_model": "model"}


def check_layer(make: Callable[[], keras.layers.Layer], channels: int, tmp_path) -> None:
    """Builds, trains one step in each precision, round-trips the config, and saves and loads in every format."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 5, 7, channels)).astype("float32")

    copy = type(make()).from_config(make().get_config())
    assert copy.get_config() == {**make().get_config(), "name": copy.name}

    for policy in ("float32", "mixed_bfloat16", "mixed_float16"):
        keras.mixed_precision.set_global_policy(policy)
        try:
            inputs = keras.Input((None, None, channels))
            outputs = make()(inputs)
            first = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
            # Normalized, for sums of +-1 overflow the scaled loss of float16, and the step would be skipped.
            normalized = keras.layers.BatchNormalization()(first)
            model = keras.Model(inputs, keras.layers.Dense(2, dtype="float32")(normalized))
            model.compile("sgd", "mse")
            before = [weight.numpy() for weight in model.trainable_weights]
            loss = model.train_on_batch(x, np.zeros((*model(x).shape[:-1], 2)))
            assert np.isfinite(loss)
            changed = [not np.array_equal(a, b) for a, b in zip(before, model.trainable_weights, strict=True)]
            assert any(changed)
            expected = model.predict(x, verbose=0)
            for name in FORMATS.values():
                path = tmp_path / policy / name
                path.parent.mkdir(exist_ok=True)
                model.save(path)
                loaded = keras.models.load_model(path)
                np.testing.assert_array_equal(loaded.predict(x, verbose=0), expected)
        finally:
            keras.mixed_precision.set_global_policy("float32")


def refuses(layer: keras.layers.Layer, shape: tuple, *words: str) -> None:
    with pytest.raises(ValueError) as caught:
        layer(tf.zeros(shape) if not isinstance(shape, list) else [tf.zeros(s) for s in shape])
    assert "Received" in str(caught.value)
    for word in words:
        assert word in str(caught.value)
