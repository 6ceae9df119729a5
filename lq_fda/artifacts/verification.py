"""What verification found; `verification.json` holds it, and the report shows it."""

from typing import Annotated

import pydantic
from pydantic import Field

from lq_fda.artifacts.bundle import SplitAccuracy
from lq_fda.errors import LqFdaError

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
NotNegative = Annotated[float, Field(ge=0)]


class _Result(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class FileParity(_Result):
    """A file against a reference, on the same images.

    Args:
        file: Of the bundle.
        runtime: What ran it.
        reference: The Keras network, or the golden outputs.
        images: How many were compared.
        agreement: Share of images on which both put the same class first.
        difference: The largest difference of a logit.
        relative_difference: The same, divided by the root mean square of the reference's logits.
        typical_difference: The median over the images of an image's largest difference, divided likewise.
    """

    file: str
    runtime: str
    reference: str
    images: Count
    agreement: Fraction
    difference: NotNegative
    relative_difference: NotNegative
    typical_difference: NotNegative


class LayerParity(_Result):
    """What the sign of one binary layer sees, in Keras and in the file.

    Args:
        name: Of the Keras layer.
        signs: How many were compared; 0 where the file keeps the layer's input bitpacked, out of sight.
        differing: How many differ, for whatever reason.
        images: Images on which all earlier layers agree: here a difference begins.
        first_differing: Signs that differ on those images.
        margin: How far from zero Keras's value was where they differ, as a share of its channel's root mean square.
    """

    name: str
    signs: Count
    differing: Count
    images: Count
    first_differing: Count
    margin: NotNegative


class Gate(_Result):
    """A condition, with the reason for its limit; `value` is None where there was nothing to measure."""

    name: str
    passed: bool
    value: float | None
    condition: str
    why: str

    @property
    def found(self) -> str:
        """The value for people."""
        return "nothing to compare" if self.value is None else f"{self.value:.4g}"


class Verification(_Result):
    """Everything that was compared, and whether it is good enough.

    Args:
        bundle: Its name.
        files: One row a file and reference.
        layers: One row a binary layer, in the order of the graph.
        accuracy: Top-1 on the whole test split, of each file and of the Keras networks.
        gates: The conditions.
        passed: Whether all of them hold.
    """

    bundle: str
    files: tuple[FileParity, ...]
    layers: tuple[LayerParity, ...]
    accuracy: dict[str, SplitAccuracy]
    gates: tuple[Gate, ...]
    passed: bool

    @property
    def first_difference(self) -> LayerParity | None:
        """The first layer whose signs differ on any image; None if all agree."""
        return next((layer for layer in self.layers if layer.differing), None)

    def require_passed(self) -> None:
        """Does nothing if every gate holds.

        Raises:
            LqFdaError: One does not.
        """
        failed = [gate for gate in self.gates if not gate.passed]
        if failed:
            found = "; ".join(f"{gate.name} is {gate.found}, expected {gate.condition}" for gate in failed)
            raise LqFdaError(
                f"The bundle failed {len(failed)} of {len(self.gates)} gates: {found}. Received: {self.bundle!r}.",
                cure="Look at the first layer that differs; convert again if the run has changed since.",
            )
