"""The loop of a process that runs trials: alone, or as the worker of a chief."""

import contextlib
import time

from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import TrialStatus

from lq_fda.tuning.oracles import OBJECTIVE, build_oracle
from lq_fda.tuning.search import Search, SearchDir
from lq_fda.tuning.service import is_worker, keep_alive
from lq_fda.tuning.trial import run_trial

_IDLE_SECONDS = 1.0


class TrialTuner(BaseTuner):
    """Asks the oracle for trials, its own or a chief's, and runs them.

    Keras Tuner's `Tuner` wants a Keras 3 model; `BaseTuner` asks for none.

    Args:
        search: What is searched.
        directory: Where.
    """

    def __init__(self, search: Search, directory: SearchDir):
        self._search = search
        self._directory = directory
        super().__init__(build_oracle(search, directory), directory=str(directory.path), project_name=".")

    def search(self) -> None:
        """Runs trials until the oracle has none left."""
        while (trial := self.oracle.create_trial(self.tuner_id)).status != TrialStatus.STOPPED:
            if trial.status == TrialStatus.IDLE:
                time.sleep(_IDLE_SECONDS)
                continue
            with keep_alive(self.oracle, trial.trial_id) if is_worker() else contextlib.nullcontext():
                outcome = run_trial(self._search, self._directory, trial.trial_id, trial.hyperparameters.values)
            if outcome.failure is None:
                self.oracle.update_trial(trial.trial_id, {OBJECTIVE: outcome.accuracy})
            trial.status = TrialStatus.FAILED if outcome.failure else TrialStatus.COMPLETED
            trial.message = outcome.message
            self.oracle.end_trial(trial)
