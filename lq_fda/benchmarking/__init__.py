"""Latency, memory and size of a bundle's files, measured so that their ratios mean something.

On this machine by `benchmark`, on others by `lq_fda.benchmarking.devices`. Neither LCE's interpreter nor LiteRT's gives
Python a profile by operator, so a record has none.
"""

from lq_fda.benchmarking import devices
from lq_fda.benchmarking.benchmark_model import BenchmarkModelRecord, benchmark_model_table, read_benchmark_model
from lq_fda.benchmarking.latency import Protocol, benchmark, summarize, time_interleaved
from lq_fda.benchmarking.tables import device_table, latency_table, ratio_to_int8

__all__ = [
    "BenchmarkModelRecord",
    "Protocol",
    "benchmark",
    "benchmark_model_table",
    "device_table",
    "devices",
    "latency_table",
    "ratio_to_int8",
    "read_benchmark_model",
    "summarize",
    "time_interleaved",
]
