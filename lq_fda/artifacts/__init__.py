"""What one stage hands to the next: directories and records, readable without TensorFlow.

    data -> models -> training -> RunDir -> conversion -> Bundle -> verification, benchmarking -> records
"""

from lq_fda.artifacts.bundle import (
    Bundle,
    ConversionReport,
    LayerReport,
    Manifest,
    Preprocessing,
    SplitAccuracy,
)
from lq_fda.artifacts.files import (
    atomic_directory,
    read_json,
    sha256_of,
    write_atomic,
    write_json,
)
from lq_fda.artifacts.records import BenchmarkRecord, append_record, read_records
from lq_fda.artifacts.run_dir import RunDir
from lq_fda.artifacts.system import describe_environment

__all__ = [
    "BenchmarkRecord",
    "Bundle",
    "ConversionReport",
    "LayerReport",
    "Manifest",
    "Preprocessing",
    "RunDir",
    "SplitAccuracy",
    "append_record",
    "atomic_directory",
    "describe_environment",
    "read_json",
    "read_records",
    "sha256_of",
    "write_atomic",
    "write_json",
]
