"""The report, one HTML file with everything that a run measured and nothing that it did not; and the model card."""

from lq_fda.reporting.model_card import write_model_card
from lq_fda.reporting.plots import bars
from lq_fda.reporting.report import write_report

__all__ = ["bars", "write_model_card", "write_report"]
