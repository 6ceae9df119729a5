"""What one stage hands to the next: directories and records, readable without TensorFlow.

data -> models -> training -> RunDir -> conversion -> Bundle -> verification, benchmarking -> records
"""

from lq_fda.artifacts.analysis import Analysis, Finding, Remark, RunAnalysis, Trend
from lq_fda.artifacts.bundle import (
    Bundle,
    ConversionReport,
    LayerReport,
    Manifest,
    Preprocessing,
    SplitAccuracy,
)
from lq_fda.artifacts.distribution import BinarizationPoint, Distribution, ValueDistribution
from lq_fda.artifacts.files import (
    atomic_directory,
    atomic_file,
    parse_json,
    read_json,
    remove_leftovers,
    sha256_of,
    understood,
    write_atomic,
    write_json,
)
from lq_fda.artifacts.records import (
    BenchmarkRecord,
    Condition,
    PeerRecord,
    TrainingSpeed,
    append_record,
    read_records,
    write_records,
)
from lq_fda.artifacts.run_dir import Result, RunDir, RunRecord, best_row, recipe_changes, without_places
from lq_fda.artifacts.system import describe_condition, describe_environment, describe_measurement, usable_cores
from lq_fda.artifacts.verification import FileParity, Gate, LayerParity, Verification

__all__ = [
    "Analysis",
    "BenchmarkRecord",
    "BinarizationPoint",
    "Bundle",
    "Condition",
    "ConversionReport",
    "Distribution",
    "FileParity",
    "Finding",
    "Gate",
    "LayerParity",
    "LayerReport",
    "Manifest",
    "PeerRecord",
    "Preprocessing",
    "Remark",
    "Result",
    "RunAnalysis",
    "RunDir",
    "RunRecord",
    "SplitAccuracy",
    "TrainingSpeed",
    "Trend",
    "ValueDistribution",
    "Verification",
    "append_record",
    "atomic_directory",
    "atomic_file",
    "best_row",
    "describe_condition",
    "describe_environment",
    "describe_measurement",
    "parse_json",
    "read_json",
    "read_records",
    "recipe_changes",
    "remove_leftovers",
    "sha256_of",
    "understood",
    "usable_cores",
    "without_places",
    "write_atomic",
    "write_json",
    "write_records",
]
