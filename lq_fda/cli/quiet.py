"""Keeps the logs of TensorFlow's native code away from the answer."""

import logging
import os
import sys


def silence_native_code() -> None:
    """Sends what native code writes to standard error to nowhere; Python's own messages still appear.

    TensorFlow, its converter and XNNPACK write to file descriptor 2, some of it before any setting of theirs is read.
    A crash in native code is reported by `faulthandler`, which must be enabled afterwards on `sys.stderr`.
    """
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # Advice to programmers, such as on retracing.
    sys.stderr.flush()
    ours = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = os.fdopen(ours, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
