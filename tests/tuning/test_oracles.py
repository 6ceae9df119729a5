"""The oracles, played without training: what they choose, what a kill leaves, what a failure and a dead worker cost."""

import json
import os
import shutil

import pytest
from keras_tuner.engine.trial import Trial, TrialStatus

from lq_fda import tuning
from lq_fda.errors import LqFdaError
from lq_fda.tuning import oracles
from lq_fda.tuning.oracles import OBJECTIVE, build_oracle

RATE = "learning_rate=0.001..0.1:log"


@pytest.fixture
def build(open_tiny, tmp_path):
    """An oracle in the test's folder; called again, what a new process would find there."""

    def make(name, *changes, folder="search", space=(RATE,), **options):
        directory = tuning.SearchDir(tmp_path / folder)
        return build_oracle(open_tiny(tmp_path / "described", *changes, space=space, oracle=name, **options), directory)

    return make


def score(values):
    """Best at a learning rate of 0.01; more epochs help."""
    return 1 - abs(values["learning_rate"] - 0.01) + values.get("tuner/epochs", 0) / 100


def end(oracle, trial, value=None):
    trial.status = TrialStatus.FAILED if value is None else TrialStatus.COMPLETED
    if value is not None:
        oracle.update_trial(trial.trial_id, {OBJECTIVE: value})
    oracle.end_trial(trial)


def play(oracle, rate=score, most=1000):
    """Runs trials until there are no more; `rate` gives their accuracy, or None for a failure."""
    played = []
    while len(played) < most:
        trial = oracle.create_trial("tuner0")
        if trial.status == TrialStatus.STOPPED:
            break
        played.append(dict(trial.hyperparameters.values))
        end(oracle, trial, rate(trial.hyperparameters.values))
    return played


@pytest.mark.parametrize("name", ["random", "bayesian"])
def test_a_seed_gives_the_same_trials_and_another_one_others(name, build):
    first, again, other = (
        build(name, folder=folder, trials=6, seed=seed) for folder, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    played = play(first)
    assert len(played) == 6 and play(again) == played != play(other)


def test_a_search_that_was_cut_goes_on_to_the_same_trials(build):
    whole = play(build("random", folder="whole", trials=6))
    begun = play(build("random", trials=6), most=3)
    assert begun + play(build("random", trials=6)) == whole


def test_more_trials_may_be_asked_for_when_a_search_has_ended(build):
    assert len(play(build("random", trials=3))) == 3
    assert build("random", trials=3).finished
    resumed = build("random", trials=5)
    assert not resumed.finished and len(play(resumed)) == 2


def test_a_space_that_is_exhausted_ends_the_search(build):
    assert len(play(build("random", space=["clip_norm=none|1|5"], trials=20), lambda _: 0.5)) == 3


@pytest.mark.parametrize("name", ["random", "bayesian", "hyperband"])
def test_a_kill_at_any_write_leaves_every_trial_where_it_can_go_on(name, build, tmp_path, monkeypatch):
    """A copy of the folder after each write is what a kill there would leave."""
    changes = ["epochs=3"] if name == "hyperband" else []
    options = {} if name == "hyperband" else {"trials": 5}
    copies = []
    replace = os.replace

    def watched(source, target):
        replace(source, target)
        copies.append(tmp_path / f"copy{len(copies)}")
        shutil.copytree(tmp_path / "search", copies[-1])

    monkeypatch.setattr(os, "replace", watched)
    whole = len(play(build(name, *changes, **options)))
    monkeypatch.setattr(os, "replace", replace)
    assert len(copies) > 2 * whole
    for copy in copies:
        oracle = build(name, *changes, folder=copy.name, **options)
        ended = len(oracle.end_order)
        rest = play(oracle)
        assert ended + len(rest) == len(oracle.trials) == whole, copy
        assert {trial.status for trial in oracle.trials.values()} == {"COMPLETED"}


def test_the_state_is_whole_or_absent_when_the_disk_is_full(build, monkeypatch, tmp_path):
    oracle = build("random", trials=5)
    play(oracle, most=2)
    before = (tmp_path / "search" / "oracle.json").read_text()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(LqFdaError, match="No space left"):
        oracle.create_trial("tuner0")
    assert (tmp_path / "search" / "oracle.json").read_text() == before


@pytest.mark.parametrize("content", ["{}", "[]", '{"trials": {"0": {}}}', '{"trials": {"0": null}}'])
def test_a_damaged_state_is_one_error(content, build, tmp_path):
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "oracle.json").write_text(content)
    with pytest.raises(LqFdaError, match="state of the search is damaged"):
        build("random", trials=5)


def test_the_gaussian_process_finds_the_best_rate_sooner_than_chance(build):
    def nearest(name, seed):
        played = play(build(name, folder=f"{name}{seed}", trials=14, seed=seed))
        return min(abs(values["learning_rate"] - 0.01) for values in played)

    seeds = range(3)
    assert sum(nearest("bayesian", seed) for seed in seeds) < sum(nearest("random", seed) for seed in seeds)


def test_the_gaussian_process_leaves_a_corner_where_trials_fail(build):
    """The best rates are over the budget: without a word about failures it would ask for them to the end."""

    def over_the_budget(values):
        return None if values["learning_rate"] > 0.01 else values["learning_rate"]

    played = play(build("bayesian", trials=24), over_the_budget)
    failed = [over_the_budget(values) is None for values in played]
    assert sum(failed[12:]) < 6 and not all(failed)
    assert max(values["learning_rate"] for values in played if values["learning_rate"] <= 0.01) > 0.005


def test_the_gaussian_process_repeats_no_trial(build):
    values = [
        played["clip_norm"]
        for played in play(build("bayesian", space=["clip_norm=none|1|2|3|4|5"], trials=20), lambda _: 0.5)
    ]
    assert sorted(values) == sorted(set(values)) and len(values) == 6


def rounds(played):
    return [(values["tuner/initial_epoch"], values["tuner/epochs"]) for values in played]


def test_hyperband_goes_on_with_the_best_of_the_short_trials(build):
    played = play(build("hyperband", "epochs=9"))
    first = [values for values in played if values["tuner/bracket"] == 2]
    short = sorted((values for values in first if values["tuner/epochs"] == 1), key=score)
    promoted = [values for values in first if values["tuner/initial_epoch"] == 1]
    assert len(short) > len(promoted) > 1
    rates = {values["learning_rate"] for values in promoted}
    assert rates == {values["learning_rate"] for values in short[-len(promoted) :]}
    assert max(values["tuner/epochs"] for values in first) == 9


def test_a_failed_trial_takes_no_place_in_hyperbands_rounds(build):
    """Two of three fail, as under a tight budget, and one diverges later; the rounds are as full as without."""
    diverged = []

    def sometimes(values):
        if values["tuner/initial_epoch"] == 1 and not diverged:
            diverged.append(values)
            return None
        drawn.append(values)
        return score(values) if values["tuner/initial_epoch"] or len(drawn) % 3 == 0 else None

    drawn = []
    oracle = build("hyperband", "epochs=9", folder="failing")
    play(oracle, sometimes)
    done = [trial.hyperparameters.values for trial in oracle.trials.values() if trial.status == "COMPLETED"]
    whole = rounds(play(build("hyperband", "epochs=9", folder="whole")))
    assert len(diverged) == 1
    left = rounds(done)
    for kind in set(whole):
        assert left.count(kind) >= whole.count(kind), kind


def test_hyperband_gives_up_when_everything_fails(build):
    played = play(build("hyperband", "epochs=9"), lambda values: None)
    assert len(played) == 50


def test_a_dead_workers_trial_is_run_by_another_one_before_anybody_goes_home(build, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(oracles.time, "monotonic", lambda: now[0])
    oracle = build("random", trials=2)
    lost, kept = oracle.create_trial("dies"), oracle.create_trial("lives")
    end(oracle, kept, 0.5)
    for _ in range(3):
        assert oracle.create_trial("lives").status == TrialStatus.IDLE, "the other trial may come back"
    now[0] += oracles.LEASE_SECONDS - 1
    oracle.get_trial(lost.trial_id)  # a sign of life
    now[0] += oracles.LEASE_SECONDS - 1
    assert oracle.create_trial("lives").status == TrialStatus.IDLE
    now[0] += 2
    again = oracle.create_trial("lives")
    assert (again.trial_id, again.hyperparameters.values) == (lost.trial_id, lost.hyperparameters.values)
    assert oracle.tuner_ids == {"lives"}
    end(oracle, again, 0.7)
    assert oracle.create_trial("lives").status == TrialStatus.STOPPED and oracle.finished
    assert {trial.score for trial in oracle.trials.values()} == {0.5, 0.7}


def test_a_worker_that_was_thought_dead_may_still_end_its_trial_once(build, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(oracles.time, "monotonic", lambda: now[0])
    oracle = build("random", trials=1)
    slow = oracle.create_trial("slow")
    now[0] += oracles.LEASE_SECONDS + 1
    again = oracle.create_trial("other")
    assert again.trial_id == slow.trial_id
    end(oracle, slow, 0.5)
    end(oracle, again, 0.5)
    assert oracle.end_order == [slow.trial_id] and not oracle.ongoing_trials


def test_a_late_failure_takes_nothing_from_hyperbands_rounds(build, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(oracles.time, "monotonic", lambda: now[0])
    oracle = build("hyperband", "epochs=9")
    slow = oracle.create_trial("slow")
    now[0] += oracles.LEASE_SECONDS + 1
    again = oracle.create_trial("other")
    assert again.trial_id == slow.trial_id
    end(oracle, again, 0.5)
    before = oracle.get_state()["brackets"][0]["rounds"][0]
    late = Trial(slow.hyperparameters, slow.trial_id)  # as it comes over the network: a copy
    end(oracle, late)
    assert before == [{"past_id": None, "id": slow.trial_id}] == oracle.get_state()["brackets"][0]["rounds"][0]
    assert oracle.trials[slow.trial_id].status == TrialStatus.COMPLETED


def test_a_worker_that_comes_back_under_its_name_gets_its_trial_back(build):
    oracle = build("random", trials=2)
    trial = oracle.create_trial("worker")
    assert oracle.create_trial("worker").trial_id == trial.trial_id


def test_the_state_is_readable_json(build, tmp_path):
    play(build("bayesian", trials=6))
    state = json.loads((tmp_path / "search" / "oracle.json").read_text())
    assert len(state["trials"]) == 6 and state["finished"]
