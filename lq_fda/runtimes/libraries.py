"""The runtimes' own libraries, loaded without TensorFlow."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from lq_fda.errors import LqFdaError, reason


def litert_module() -> ModuleType:
    return importlib.import_module("ai_edge_litert.interpreter")


def lq_fda_module() -> ModuleType:
    if importlib.util.find_spec("lq_fda_runtime") is None:
        raise ImportError("lq-fda-runtime is not installed; from the repository: pip install ./export/runtime")
    return importlib.import_module("lq_fda_runtime")


def lce_module() -> ModuleType:
    """LCE's interpreter alone: importing its package would load TensorFlow and its 200 MB converter."""
    name = "larq_compute_engine.tflite.python.interpreter_wrapper_lite"
    if name in sys.modules:
        return sys.modules[name]
    package = importlib.util.find_spec("larq_compute_engine")
    if package is None:
        raise ImportError("larq-compute-engine is not installed; it has wheels for x86_64 Linux and arm64 macOS only")
    folder = Path(package.submodule_search_locations[0]) / "tflite" / "python"
    library = next(iter(sorted(folder.glob("interpreter_wrapper_lite*"))), None)
    if library is None:
        raise ImportError(f"larq-compute-engine has no interpreter in {str(folder)!r}")
    spec = importlib.util.spec_from_file_location(name, library)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # The library can be initialised once a process: the package finds it here if it is imported later.
    sys.modules[name] = module
    return module


def verify_buffer(model: bytes) -> None:
    """Refuses a buffer that is no sound `.tflite` file: LiteRT's verifier checks every offset in it.

    Raises:
        LqFdaError: It is damaged.
    """
    try:
        litert_module().Interpreter(model_content=bytes(model), num_threads=1)
    except ValueError as error:
        raise LqFdaError(
            f"The file is damaged or is no .tflite file. Received: {len(model)} bytes ({reason(error)}).",
            cure="Copy the file again, or convert the run again.",
        ) from error
