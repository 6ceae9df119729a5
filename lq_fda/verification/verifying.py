"""Keras against the files of a bundle, on real images."""

import textwrap
from collections.abc import Callable, Mapping

import numpy as np

from lq_fda import data, models, runtimes
from lq_fda.artifacts import Bundle, FileParity, RunDir, SplitAccuracy, Verification
from lq_fda.errors import LqFdaError
from lq_fda.verification.gates import DELEGATE, EQUAL_SIGNS, GOLDEN, KERAS, KERAS_FLOAT, LCE, Limits, gates
from lq_fda.verification.inference import batches, inference
from lq_fda.verification.taps import compare_layers

_BATCH = 128

Network = Callable[[np.ndarray], list[np.ndarray]]


def verify(
    bundle: Bundle,
    run: RunDir,
    *,
    float_run: RunDir | None = None,
    dataset: data.Dataset | None = None,
    images: int = 128,
    limits: Limits = Limits(),  # noqa: B008
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Verification:
    """Compares a bundle with the networks that it was made from: outputs, signs layer by layer, test accuracy.

    The 1-bit file runs in LCE's interpreter and, where `lq-fda-runtime` is installed, in LiteRT with its delegate.

    Args:
        bundle: Its files are compared with the manifest first.
        run: The run of the binarized network.
        float_run: The run of the float twin, if the bundle has trained twins.
        dataset: The run's data set, if it is loaded already.
        images: Test images on which logits and signs are compared; accuracy is of the whole test split.
        limits: Of the gates.
        progress: Called with a step's name, the images done and the images in all.

    Returns:
        What was found. A failed gate is a result, not an error: see `Verification.require_passed`.

    Raises:
        LqFdaError: The bundle is damaged or was made from another run or for other data, a file gives numbers that are
            not finite, the float run is no twin, or a run or the data set cannot be read.

    ```python
    import tempfile
    from lq_fda import conversion, training, verification
    from lq_fda.artifacts import RunDir
    from lq_fda.data import DataConfig

    recipe = training.recipe_for("tiny", DataConfig(name="digits", image_size=8), ["model.parts="], epochs=1)
    with tempfile.TemporaryDirectory() as folder:
        training.train(recipe, f"{folder}/run", progress=False)
        run = RunDir(f"{folder}/run")
        found = verification.verify(conversion.convert(run, f"{folder}/bundle"), run, images=16)
    assert found.layers[0].margin < 1e-3
    ```
    """
    if images < 1:
        raise LqFdaError(
            f"There is nothing to compare. Expected at least one image. Received: images={images}.",
            cure="Pass, say, images=128.",
        )
    bundle.check()
    _require_origin(bundle, run)
    manifest = bundle.manifest
    contents = {name: bundle.file(name).read_bytes() for name in Bundle.RUNTIMES}
    sessions = {name: runtimes.open_session(Bundle.RUNTIMES[name], content) for name, content in contents.items()}
    if not runtimes.available()[Bundle.DELEGATE]:
        sessions[DELEGATE] = runtimes.open_session(Bundle.DELEGATE, contents[Bundle.MODEL])
    model = models.load(run)
    networks = {KERAS: inference(model)}
    if float_run is not None:
        models.require_twin(float_run, run)
        networks[KERAS_FLOAT] = inference(models.load(float_run))
    dataset = dataset or data.load(models.configs(run)[1])
    _require_same_data(bundle, dataset)
    inputs = data.normalize(dataset.raw("test", images)[0], manifest.preprocessing)

    outputs = {name: session.predict(inputs) for name, session in sessions.items()}
    expected = {
        name: np.concatenate([network(batch)[0] for batch in batches(inputs, _BATCH)])
        for name, network in networks.items()
    }
    for name, values in {**outputs, **expected}.items():
        _require_finite(name, values)
    signs = compare_layers(
        model,
        contents[Bundle.MODEL],
        manifest.conversion,
        inputs,
        lambda done, total: progress("layers", done, total),
    )
    files = [
        _compare(name, sessions[name], reference, outputs[name], expected[reference])
        for name, reference in _references(bundle, networks)
    ]
    if signs.agreeing.any():
        equal = (outputs[Bundle.MODEL][signs.agreeing], expected[KERAS][signs.agreeing])
        files.append(_compare(Bundle.MODEL, sessions[Bundle.MODEL], EQUAL_SIGNS, *equal))
    if DELEGATE in sessions:
        files.append(_compare(DELEGATE, sessions[DELEGATE], KERAS, outputs[DELEGATE], expected[KERAS]))
        files.append(_compare(DELEGATE, sessions[DELEGATE], LCE, outputs[DELEGATE], outputs[Bundle.MODEL]))
    files += _compare_golden(bundle, sessions)
    accuracy = _accuracy(sessions, networks, dataset, lambda done, total: progress("test split", done, total))
    conditions = gates(files, signs.layers, accuracy, limits, trained_twins=manifest.trained_twins)
    return Verification(
        bundle=manifest.name,
        files=tuple(files),
        layers=signs.layers,
        accuracy=accuracy,
        gates=conditions,
        passed=all(gate.passed for gate in conditions),
    )


def _require_origin(bundle: Bundle, run: RunDir) -> None:
    models.configs(run)
    if bundle.manifest.model != run.recipe()["model"]:
        raise LqFdaError(
            f"The bundle was not made from this run: their networks differ. "
            f"Received: {str(bundle.path)!r} and {str(run.path)!r}.",
            cure="Verify the bundle with the run that it was converted from.",
        )


def _require_same_data(bundle: Bundle, dataset: data.Dataset) -> None:
    """A device follows the manifest and the labels: what is measured here must be what it will see."""
    for name, expected, received in (
        ("preprocessing", dataset.preprocessing, bundle.manifest.preprocessing),
        ("labels", list(dataset.label_names), bundle.labels()),
    ):
        if received != expected:
            raise LqFdaError(
                f"The bundle was not made for this data set. Expected {name} {_shown(expected)}. "
                f"Received: {_shown(received)} in {str(bundle.path)!r}.",
                cure="Pass the data set that the run was trained on, or convert the run again.",
            )


def _shown(value: object) -> str:
    return textwrap.shorten(str(value), 200)


def _require_finite(name: str, values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise LqFdaError(
            f"The outputs are not finite. Expected logits. Received: NaN or infinity from {name}.",
            cure="Look at the run's losses, train again with a smaller learning rate, and convert again.",
        )


def _references(bundle: Bundle, networks: Mapping[str, Network]) -> list[tuple[str, str]]:
    """Which file is compared with which network: the twins only with weights that they were made from."""
    pairs = [(Bundle.MODEL, KERAS)]
    if bundle.manifest.trained_twins and KERAS_FLOAT in networks:
        pairs += [(Bundle.FLOAT, KERAS_FLOAT), (Bundle.INT8, KERAS_FLOAT)]
    return pairs


def _compare(
    name: str, session: runtimes.Session, reference: str, found: np.ndarray, expected: np.ndarray
) -> FileParity:
    differences = np.abs(found - expected).max(-1)
    size = max(float(np.sqrt(np.mean(np.square(expected, dtype=np.float64)))), 1e-30)
    return FileParity(
        file=name,
        runtime=f"{session.runtime} {session.version}",
        reference=reference,
        images=len(expected),
        agreement=float((found.argmax(-1) == expected.argmax(-1)).mean()),
        difference=float(differences.max()),
        relative_difference=float(differences.max()) / size,
        typical_difference=float(np.median(differences)) / size,
    )


def _compare_golden(bundle: Bundle, sessions: Mapping[str, runtimes.Session]) -> list[FileParity]:
    golden = bundle.golden()
    rows = []
    for name, session in sessions.items():
        found = session.predict(golden.inputs)
        _require_finite(name, found)
        file = Bundle.MODEL if name == DELEGATE else name
        rows.append(_compare(name, session, GOLDEN, found, golden.outputs[file]))
    return rows


def _accuracy(
    sessions: Mapping[str, runtimes.Session],
    networks: Mapping[str, Network],
    dataset: data.Dataset,
    progress: Callable[[int, int], None],
) -> dict[str, SplitAccuracy]:
    """Top-1 of every file and network on the whole test split."""
    predict = {name: session.predict for name, session in sessions.items()}
    predict |= {name: lambda batch, network=network: network(batch)[0] for name, network in networks.items()}
    correct, total = dict.fromkeys(predict, 0), 0
    with dataset.reading():
        for batch, labels in dataset.test(_BATCH).as_numpy_iterator():
            for name, function in predict.items():
                correct[name] += int((function(batch).argmax(-1) == labels).sum())
            total += len(labels)
            progress(total, dataset.sizes["test"])
    return {name: SplitAccuracy(split="test", images=total, top1=hits / total) for name, hits in correct.items()}
