"""Latency, memory and size of a bundle's files, measured so that their ratios mean something.

Neither LCE's interpreter nor LiteRT's gives Python a profile by operator, so a record has none.
"""

from lq_fda.benchmarking.latency import Protocol, benchmark, summarize, time_interleaved
from lq_fda.benchmarking.tables import latency_table, ratio_to_int8

__all__ = ["Protocol", "benchmark", "latency_table", "ratio_to_int8", "summarize", "time_interleaved"]
