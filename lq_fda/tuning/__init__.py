"""Search over layers and recipes, with a budget on the device.

    open_search    what is varied, by whom, within which budget; or the search that a folder holds
    tune           runs it: alone, as a chief, or as a chief's worker
    read_trials    what it has found so far
    write_best     the recipe of the best trial

A trial's network is converted and measured before it is trained: over the budget, it fails. The others are compared by
their accuracy on the validation split.

```python
import tempfile
from lq_fda import tuning

with tempfile.TemporaryDirectory() as folder:
    parts, budget = ["model.parts=[]|adjustment"], ["size_bytes=1"]
    search = tuning.open_search(f"{folder}/search", space=parts, budget=budget, trials=2)
    trials = tuning.tune(search, f"{folder}/search", progress=False)
assert {trial.outcome.failure for trial in trials} == {"over budget"}
```
"""

from lq_fda.tuning.budget import Budget, parse_budget
from lq_fda.tuning.costs import NetworkCost, network_cost
from lq_fda.tuning.results import Trial, best_trial, pareto_front, read_trials, write_best, write_results
from lq_fda.tuning.running import SearchInterrupted, tune
from lq_fda.tuning.search import OracleName, Search, SearchDir, open_search
from lq_fda.tuning.space import Choice, Dimension, Range, default_space, parse_space
from lq_fda.tuning.tables import trial_table
from lq_fda.tuning.trial import Outcome

__all__ = [
    "Budget",
    "Choice",
    "Dimension",
    "NetworkCost",
    "OracleName",
    "Outcome",
    "Range",
    "Search",
    "SearchDir",
    "SearchInterrupted",
    "Trial",
    "best_trial",
    "default_space",
    "network_cost",
    "open_search",
    "pareto_front",
    "parse_budget",
    "parse_space",
    "read_trials",
    "trial_table",
    "tune",
    "write_best",
    "write_results",
]
