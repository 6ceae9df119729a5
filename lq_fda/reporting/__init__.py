"""What people read: the HTML report of a run, with nothing that was not measured; the model card; an analysis."""

from lq_fda.reporting.analysis import analysis_summary, write_analysis
from lq_fda.reporting.model_card import write_model_card
from lq_fda.reporting.plots import bars
from lq_fda.reporting.report import write_report
from lq_fda.reporting.trade_off import TradeOffPoint, trade_off

__all__ = [
    "TradeOffPoint",
    "analysis_summary",
    "bars",
    "trade_off",
    "write_analysis",
    "write_model_card",
    "write_report",
]
