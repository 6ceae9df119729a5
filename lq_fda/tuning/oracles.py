"""Keras Tuner's oracles, made fit for searches that are cut and for workers that die.

- The whole state is one file that is written at once, so that a kill at any moment loses nothing and no trial is half
  there.
- A trial whose worker has not been heard of for a while is given to the next worker that asks.
- A worker is sent home only when nobody else's trial can come back.
- A failed trial takes nothing from the search: Hyperband fills its place, the Gaussian process avoids its corner.
"""

import threading
import time
import warnings
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus
from sklearn.exceptions import ConvergenceWarning

from lq_fda.artifacts import read_json, understood, write_json
from lq_fda.tuning.search import Search, SearchDir
from lq_fda.tuning.space import hyperparameters

OBJECTIVE = "validation_accuracy"
# A worker calls every few seconds, but a converter may hold Python's lock for as long as it runs.
LEASE_SECONDS = 60.0
_MOST_FAILURES = 50
_FIRST_POINTS = 4


class Durable(keras_tuner.Oracle):
    """What all oracles here have in common.

    Args:
        directory: Where the state is kept.
        **options: Keras Tuner's.
    """

    def __init__(self, directory: SearchDir, **options: Any):
        self._kept_in = directory
        self._guard = threading.RLock()
        self._seen: dict[str, float] = {}
        self.finished = False
        # None: failures in a row are no reason to stop, for a tight budget makes many.
        super().__init__(
            objective=keras_tuner.Objective(OBJECTIVE, "max"), max_consecutive_failed_trials=None, **options
        )
        self.verbose = 0

    def create_trial(self, tuner_id: str) -> Trial:
        with self._guard:
            self._seen[tuner_id] = time.monotonic()
            self.release_lost()
            trial = super().create_trial(tuner_id)
            if trial.status == TrialStatus.STOPPED:
                if self.ongoing_trials:
                    trial.status = TrialStatus.IDLE
                    self.tuner_ids.add(tuner_id)
                else:
                    self.finished = True
                    self.save()
            return trial

    def get_trial(self, trial_id: str) -> Trial:
        """A trial; that somebody asks for one that is running is the sign of its worker's life."""
        with self._guard:
            for tuner_id, trial in self.ongoing_trials.items():
                if trial.trial_id == trial_id:
                    self._seen[tuner_id] = time.monotonic()
            return super().get_trial(trial_id)

    def end_trial(self, trial: Trial) -> None:
        """Ends a trial, unless it was ended already by a worker that was thought dead."""
        with self._guard:
            if self._runs(trial.trial_id):
                super().end_trial(trial)

    def _runs(self, trial_id: str) -> bool:
        return trial_id in {trial.trial_id for trial in self.ongoing_trials.values()}

    def release_lost(self) -> None:
        """Takes the trials of workers that are silent back into the queue."""
        with self._guard:
            now = time.monotonic()
            for tuner_id in [name for name in self.tuner_ids if now - self._seen[name] > LEASE_SECONDS]:
                self.tuner_ids.discard(tuner_id)
                if trial := self.ongoing_trials.pop(tuner_id, None):
                    self._retry_queue.append(trial.trial_id)
                    self.save()

    def get_state(self) -> dict[str, Any]:
        trials = {trial_id: trial.get_state() for trial_id, trial in self.trials.items()}
        return {**super().get_state(), "trials": trials, "finished": self.finished, "max_trials": self.max_trials}

    def set_state(self, state: dict[str, Any]) -> None:
        self.trials = {trial_id: Trial.from_state(trial) for trial_id, trial in state["trials"].items()}
        super().set_state(state)
        self.finished = state["finished"] and state["max_trials"] == self.max_trials

    def save(self) -> None:
        write_json(self._kept_in.oracle_file, self.get_state())

    def _save_trial(self, trial: Trial) -> None:
        """Trials are part of the state: in files of their own, a kill would leave one that the state does not know."""

    def reload(self) -> None:
        """Goes back to what was saved; trials that were running wait for a worker.

        Raises:
            LqFdaError: The file is damaged.
        """
        with understood(self._kept_in.oracle_file, "The state of the search"):
            self.set_state(read_json(self._kept_in.oracle_file))
        # Keras Tuner saves the end of a trial while it still counts as running.
        running = [trial.trial_id for trial in self.ongoing_trials.values() if trial.trial_id not in self.end_order]
        self._retry_queue += running
        self.ongoing_trials = {}


class Random(Durable, keras_tuner.oracles.RandomSearchOracle):
    """Draws every trial independently."""


class Bayesian(Durable, keras_tuner.oracles.BayesianOptimizationOracle):
    """Chooses where a Gaussian process expects most; after a few trials that are drawn."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # Of a process with few points: nobody can act on it.
            response = super().populate_space(trial_id)
        if response["values"] and self._duplicate(response["values"]):
            return self._random_populate_space()  # The best point known teaches nothing a second time.
        return response

    def _vectorize_trials(self) -> tuple[np.ndarray, np.ndarray]:
        """The points to learn from. Failed trials count as the worst one there: else it would ask for them for ever."""
        points, losses = super()._vectorize_trials()
        failed = [
            [hp.value_to_prob(trial.hyperparameters.values.get(hp.name, hp.default)) for hp in self._nonfixed_space()]
            for trial in self.trials.values()
            if trial.status == TrialStatus.FAILED
        ]
        if not failed:
            return points, losses
        return np.concatenate([points, failed]), np.concatenate([losses, np.full(len(failed), losses.max())])


class Hyperband(Durable, keras_tuner.oracles.HyperbandOracle):
    """Begins many short trials and goes on with the best."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        last = [self.trials[ended].status for ended in self.end_order[-_MOST_FAILURES:]]
        if len(last) == _MOST_FAILURES and set(last) == {TrialStatus.FAILED} and not self.ongoing_trials:
            return {"status": TrialStatus.STOPPED}
        return super().populate_space(trial_id)

    def end_trial(self, trial: Trial) -> None:
        with self._guard:
            if trial.status == TrialStatus.FAILED and self._runs(trial.trial_id):
                self._leave_bracket(trial.trial_id)
            super().end_trial(trial)

    def _leave_bracket(self, trial_id: str | None) -> None:
        """Gives up the place of a trial and of those that it went on from: another one is drawn for it.

        Keras Tuner promotes nobody from a round that has not enough trials with a score.
        """
        line = set()
        while trial_id is not None:
            line.add(trial_id)
            trial_id = self.trials[trial_id].hyperparameters.values.get("tuner/trial_id")
        for bracket in self._brackets:
            bracket["rounds"] = [[info for info in held if info["id"] not in line] for held in bracket["rounds"]]


def build_oracle(search: Search, directory: SearchDir) -> Durable:
    """The oracle of a search, in the state that it was left in.

    Raises:
        LqFdaError: That state is damaged.
    """
    # Keras Tuner takes a seed of 0 for none.
    options = {"hyperparameters": hyperparameters(search.dimensions), "seed": search.seed + 1}
    if search.oracle == "hyperband":
        oracle = Hyperband(directory, max_epochs=search.recipe.epochs, **options)
    elif search.oracle == "bayesian":
        # Its own default, three points a dimension, is often more than all trials.
        oracle = Bayesian(directory, max_trials=search.trials, num_initial_points=_FIRST_POINTS, **options)
    else:
        oracle = Random(directory, max_trials=search.trials, **options)
    if directory.oracle_file.is_file():
        oracle.reload()
    return oracle
