"""The report, one HTML file with everything that a run measured and nothing that it did not; and the model card."""

from lq_fda.reporting.model_card import write_model_card
from lq_fda.reporting.plots import bars
from lq_fda.reporting.report import write_report
from lq_fda.reporting.trade_off import TradeOffPoint, trade_off

__all__ = ["TradeOffPoint", "bars", "trade_off", "write_model_card", "write_report"]
