"""What people read: the HTML report of a run, with nothing that was not measured; the model card; an analysis."""

from lq_fda.reporting.analysis import analysis_summary, write_analysis
from lq_fda.reporting.model_card import write_model_card
from lq_fda.reporting.plots import bars
from lq_fda.reporting.report import write_report

__all__ = ["analysis_summary", "bars", "write_analysis", "write_model_card", "write_report"]
