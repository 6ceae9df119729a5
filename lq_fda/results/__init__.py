"""What was measured, for people: tables and figures from the records that `results/` keeps.

The documents hold no figure that somebody typed in: between a table's marks stands what its records say.

```markdown
<!-- ablation -->
<!-- /ablation -->
```
"""

from lq_fda.results.documents import DOCUMENT_TABLES, disagreeing, fill
from lq_fda.results.plots import outdated_plots, write_plots
from lq_fda.results.tables import (
    ablation_table,
    accuracy_table,
    breadth_table,
    peer_table,
    rows,
    speed_table,
    trial_table,
)

__all__ = [
    "DOCUMENT_TABLES",
    "ablation_table",
    "accuracy_table",
    "breadth_table",
    "disagreeing",
    "fill",
    "outdated_plots",
    "peer_table",
    "rows",
    "speed_table",
    "trial_table",
    "write_plots",
]
