"""Is the bundle what was trained? Keras and the bundle's files on the same real images.

    outputs    logits and top-1 of every file, against Keras and against the golden outputs
    signs      the first binary layer at which the shipped file differs from Keras, and how near to zero
    accuracy   every file on the whole test split
    gates      what must hold, and why

`verify` compares, `tables` shows it, `artifacts.Verification.require_passed` turns a failed gate into an error.
"""

from lq_fda.verification.gates import Limits
from lq_fda.verification.tables import tables
from lq_fda.verification.verifying import verify

__all__ = ["Limits", "tables", "verify"]
