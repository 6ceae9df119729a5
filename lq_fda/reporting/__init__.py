"""The report: one HTML file with everything that a run measured, and nothing that it did not."""

from lq_fda.reporting.plots import bars
from lq_fda.reporting.report import write_report

__all__ = ["bars", "write_report"]
