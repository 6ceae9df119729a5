"""From a training run to a bundle: every file that a device needs, written at once or not at all."""

import dataclasses
import datetime
import io
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from lq_fda import data, models, runtimes
from lq_fda._keras import keras
from lq_fda.artifacts import Bundle, Manifest, RunDir, SplitAccuracy, atomic_directory, describe_environment
from lq_fda.artifacts.bundle import file_entry
from lq_fda.conversion.folded_layers import ChannelAffine
from lq_fda.conversion.folding import fold
from lq_fda.conversion.lce import require_lce, to_lce
from lq_fda.conversion.report import report, require_binary
from lq_fda.conversion.twins import to_float, to_int8
from lq_fda.errors import LqFdaError

_STEPS = 5


def convert(
    run: RunDir,
    output: Path | str,
    *,
    float_run: RunDir | None = None,
    dataset: data.Dataset | None = None,
    allow_float: Collection[str] = (),
    calibration_images: int = 100,
    golden_images: int = 8,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Bundle:
    """Converts a trained run to a bundle: the LCE file, its float and int8 twins, and what proves them intact.

    golden.npz holds test images (`images`, uint8; `labels`), what goes into the network (`inputs`), and what must
    come out: `outputs_keras` of the network before folding, and `outputs_model`, `outputs_float`, `outputs_int8` of
    the three files.

    Args:
        run: A run of a binarized network.
        output: The bundle's folder; one that stands there is replaced when the new one is complete.
        float_run: A run of its float twin. Without it the twins have random weights: good for latency, not accuracy.
        dataset: The run's data set, if it is loaded already.
        allow_float: Names of quantized layers that may stay float.
        calibration_images: Training images that set the int8 twin's ranges.
        golden_images: Test images in golden.npz.
        progress: Called with the name of each step as it begins, its number and how many there are.

    Returns:
        The bundle.

    Raises:
        LqFdaError: A run cannot be read, the two do not belong together, a layer stayed float, a converter failed, the
            folder cannot be written, or something other than a bundle stands there.

    ```python
    import tempfile
    from lq_fda import conversion, training
    from lq_fda.artifacts import RunDir
    from lq_fda.data import DataConfig

    recipe = training.recipe_for("tiny", DataConfig(name="digits", image_size=8), ["model.parts="], epochs=1)
    with tempfile.TemporaryDirectory() as folder:
        training.train(recipe, f"{folder}/run", progress=False)
        bundle = conversion.convert(RunDir(f"{folder}/run"), f"{folder}/bundle")
        bundle.check()
    ```
    """
    require_lce()
    _require_replaceable(Path(output))
    config, data_config = models.configs(run)
    if not config.binarized:
        raise LqFdaError(
            f"The run is of a float network. Expected a binarized one. Received: {str(run.path)!r}.",
            cure="Pass the binarized run, and this one as the float run.",
        )
    if float_run is not None:
        models.require_twin(float_run, run)
    dataset = dataset or data.load(data_config)
    _require_same_task(config, dataset)
    shape = dataset.input_shape
    accuracy = _accuracy({"binarized": run, "float": float_run})

    progress("fold", 0, _STEPS)
    model = models.load(run, input_shape=shape)
    folded = fold(model)
    progress("LCE", 1, _STEPS)
    contents = {Bundle.MODEL: to_lce(folded)}
    account = report(folded, contents[Bundle.MODEL], notes=_notes(run, folded))
    require_binary(account, allow_float=allow_float)
    progress("float twin", 2, _STEPS)
    if float_run is None:
        twin = fold(models.build(dataclasses.replace(config, binarized=False, input_shape=shape)))
    else:
        twin = fold(models.load(float_run, input_shape=shape))
    contents[Bundle.FLOAT] = to_float(twin)
    progress("int8 twin", 3, _STEPS)
    contents[Bundle.INT8] = to_int8(twin, dataset.calibration(calibration_images))
    progress("golden outputs", 4, _STEPS)
    contents[Bundle.GOLDEN] = _golden(model, contents, dataset, golden_images)
    contents[Bundle.LABELS] = "".join(f"{name}\n" for name in dataset.label_names).encode()

    with atomic_directory(Path(output)) as folder:
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        manifest = Manifest(
            name=f"{config.name}-{dataset.name}",
            created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            model=run.recipe()["model"],
            dataset=dataset.name,
            preprocessing=dataset.preprocessing,
            classes=dataset.classes,
            files={name: file_entry(folder / name) for name in contents},
            trained_twins=float_run is not None,
            accuracy=accuracy,
            versions=describe_environment()["versions"],
            conversion=account,
        )
        (folder / Bundle.MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    progress("done", _STEPS, _STEPS)
    return Bundle(output)


def _require_replaceable(output: Path) -> None:
    """A new bundle takes the place of an old one, of an empty folder, and of nothing else."""
    if found := _foreign(output):
        raise LqFdaError(
            "The output is in use. Expected a new folder, an empty one or an old bundle. "
            f"Received: {str(output)!r}, which {found}.",
            cure="Choose another output folder.",
        )


def _foreign(output: Path) -> str:
    """Why the output is neither free nor an old bundle; empty when it is."""
    if not output.is_dir():
        return "is a file" if output.exists() else ""
    names = {entry.name for entry in output.iterdir()}
    others = sorted(names - {*Bundle.RUNTIMES, Bundle.LABELS, Bundle.GOLDEN, Bundle.MANIFEST, Bundle.CARD})
    if others:
        return f"holds {', '.join(others[:3])}"
    try:
        if names:
            Bundle(output)
    except LqFdaError:
        return f"holds {', '.join(sorted(names)[:3])} without a manifest that fits"
    return ""


def _require_same_task(config: models.ModelConfig, dataset: data.Dataset) -> None:
    sizes = zip(config.input_shape, dataset.input_shape, strict=True)
    if any(size not in (None, given) for size, given in sizes) or config.classes != dataset.classes:
        raise LqFdaError(
            f"The network does not fit the data set. Expected input {dataset.input_shape} and {dataset.classes} "
            f"classes. Received: input {config.input_shape} and {config.classes} classes.",
            cure="Pass the data set of the run's recipe.",
        )


def _notes(run: RunDir, folded: keras.Model) -> list[str]:
    notes = []
    precision = run.recipe().get("precision", "float32")
    if precision != "float32":
        notes.append(f"Trained in {precision}; rebuilt in float32 for the conversion, which takes nothing else.")
    additions = [layer.name for layer in folded.layers if isinstance(layer, ChannelAffine)]
    if additions:
        notes.append(f"Constants that nothing could absorb, one operator each: {', '.join(additions)}.")
    return notes


def _golden(model: keras.Model, contents: dict[str, bytes], dataset: data.Dataset, count: int) -> bytes:
    images, labels = dataset.raw("test", count)
    inputs = data.normalize(images, dataset.preprocessing)
    outputs = {"outputs_keras": model.predict(inputs, verbose=0)}
    for name, runtime in Bundle.RUNTIMES.items():
        outputs[f"outputs_{Path(name).stem}"] = runtimes.open_session(runtime, contents[name]).predict(inputs)
    broken = [name for name, values in outputs.items() if not np.isfinite(values).all()]
    if broken:
        raise LqFdaError(
            f"Numbers that are not finite come out of the network. Expected logits. Received: {', '.join(broken)}.",
            cure="Look at the run's losses, and train again with a smaller learning rate or clip_norm=1.",
        )
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=images, labels=labels, inputs=inputs, **outputs)
    return buffer.getvalue()


def _accuracy(runs: dict[str, RunDir | None]) -> dict[str, SplitAccuracy]:
    """Test accuracy of the Keras networks, of the runs that have ended."""
    return {name: run.result().test for name, run in runs.items() if run is not None and run.finished}
