"""When a bundle is good enough."""

import dataclasses
from collections.abc import Iterable, Mapping

from lq_fda.artifacts import Bundle, FileParity, Gate, LayerParity, SplitAccuracy

KERAS, KERAS_FLOAT, GOLDEN = "keras", "keras float", "golden"
EQUAL_SIGNS = "keras, equal signs"
LCE = "lce"
# The 1-bit file in LiteRT with the delegate, among the files.
DELEGATE = "model.tflite (lq_fda)"


@dataclasses.dataclass(frozen=True)
class Limits:
    """The limits of the gates; `gates` says why they are what they are.

    Args:
        agreement: Least share of images with the same top-1 class as in Keras.
        margin: Greatest distance from zero at which a sign may differ.
        logits_difference: Greatest typical difference of the 1-bit file's logits on images where all signs agree.
        float_difference: Greatest relative difference of the float file's logits.
        golden_difference: Greatest relative difference from the golden outputs.
        accuracy_loss: Greatest change of the 1-bit file's test accuracy against Keras.
        int8_accuracy_loss: Greatest loss of the int8 file against the float file.
    """

    agreement: float = 0.98
    margin: float = 1e-3
    logits_difference: float = 1e-3
    float_difference: float = 1e-3
    golden_difference: float = 0.25
    accuracy_loss: float = 0.01
    int8_accuracy_loss: float = 0.03


def gates(
    files: Iterable[FileParity],
    layers: Iterable[LayerParity],
    accuracy: Mapping[str, SplitAccuracy],
    limits: Limits,
    *,
    trained_twins: bool,
) -> tuple[Gate, ...]:
    """Compares what was found with the limits."""
    rows = {(row.file, row.reference): row for row in files}
    top1 = {name: found.top1 for name, found in accuracy.items()}
    found = [
        _at_least(
            "top-1 agreement of the 1-bit file with Keras",
            rows[Bundle.MODEL, KERAS].agreement,
            limits.agreement,
            "Float rounding may flip a sign that lies on its threshold, and a flip changes logits: equality is not to "
            "be had, but only images between two classes may change sides.",
        ),
        _at_most(
            "distance from zero of a sign that flips first",
            max((layer.margin for layer in layers), default=0.0),
            limits.margin,
            "In float32 two orders of summation differ by some 1e-6 of the values' size. A sign that flips farther "
            "from zero, while all layers before it agree, was computed from something else: a wrong threshold, "
            "padding or weight.",
        ),
        _at_most(
            "relative difference of the 1-bit file from Keras where all signs agree",
            rows[Bundle.MODEL, EQUAL_SIGNS].typical_difference if (Bundle.MODEL, EQUAL_SIGNS) in rows else None,
            limits.logits_difference,
            "Behind equal signs only rounding is left, and an error after the last sign shows here alone. The median "
            "over the images, as signs between bitpacked layers are out of sight. If no image has equal signs "
            "throughout, compare more images.",
        ),
        _at_most(
            "change of the 1-bit file's test accuracy against Keras",
            abs(top1[Bundle.MODEL] - top1[KERAS]),
            limits.accuracy_loss,
            "Rounding moves images across the border in both directions alike.",
        ),
        _at_most(
            "relative difference of the files from their golden outputs",
            max(row.relative_difference for row in rows.values() if row.reference == GOLDEN),
            limits.golden_difference,
            "Zero on the machine that converted. On another one a few signs may flip; a broken kernel moves logits "
            "by their own size.",
        ),
    ]
    if (DELEGATE, LCE) in rows:
        found.append(
            _at_least(
                "top-1 agreement of the delegate with LCE's interpreter",
                rows[DELEGATE, LCE].agreement,
                limits.agreement,
                "Binary convolutions are equal to the bit; the float operators between them round differently, which "
                "may flip a sign that lies on its threshold.",
            )
        )
        found.append(
            _at_most(
                "typical relative difference of the delegate from LCE's interpreter",
                rows[DELEGATE, LCE].typical_difference,
                limits.logits_difference,
                "The median over the images: most flip no sign, and then only rounding is left.",
            )
        )
        found.append(
            _at_most(
                "change of test accuracy by the delegate",
                abs(top1[DELEGATE] - top1[Bundle.MODEL]),
                limits.accuracy_loss,
                "Rounding moves images across the border in both directions alike.",
            )
        )
    if (Bundle.FLOAT, KERAS_FLOAT) in rows:
        found.append(
            _at_most(
                "relative difference of the float file from Keras",
                rows[Bundle.FLOAT, KERAS_FLOAT].relative_difference,
                limits.float_difference,
                "Same weights, same float32, no sign in between: only rounding is left.",
            )
        )
    if trained_twins:
        found.append(
            _at_most(
                "loss of test accuracy of the int8 file against the float file",
                max(0.0, top1[Bundle.FLOAT] - top1[Bundle.INT8]),
                limits.int8_accuracy_loss,
                "Int8 after training costs a residual network about a point, and a small test split counts in steps of "
                "its own; one that loses much more has bad ranges and is no honest peer.",
            )
        )
    return tuple(found)


def _at_least(name: str, value: float, limit: float, why: str) -> Gate:
    return Gate(name=name, passed=value >= limit, value=value, condition=f"at least {limit:g}", why=why)


def _at_most(name: str, value: float | None, limit: float, why: str) -> Gate:
    return Gate(
        name=name, passed=value is not None and value <= limit, value=value, condition=f"at most {limit:g}", why=why
    )
