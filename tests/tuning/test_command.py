"""`lq-fda tune` as its user types it."""

import json

import pytest
from typer.testing import CliRunner

from lq_fda import training
from lq_fda.cli import app
from lq_fda.errors import LqFdaError
from lq_fda.tuning import trial

QUICK = [
    *("tune", "--set", "epochs=1", "--set", "data.image_size=8", "--set", "model.parts=", "--set", "batch_size=128"),
    *("--oracle", "random", "--trials", "2", "--space", "learning_rate"),
]


@pytest.fixture
def free_costs(monkeypatch, cost):
    monkeypatch.setattr(trial, "network_cost", lambda *_: cost())


def test_searching_and_asking_for_the_best(tmp_path, free_costs):
    folder, runner = str(tmp_path / "search"), CliRunner()
    searched = runner.invoke(app, [*QUICK, "--output", folder])
    assert searched.exit_code == 0, searched.exception
    assert "2 completed" in searched.stdout and "Best trial:" in searched.stdout
    assert f"lq-fda train --recipe {folder}/best.json --output RUN" in searched.stdout
    again = runner.invoke(app, ["tune", "--output", folder, "--json"])
    assert [one["status"] for one in json.loads(again.stdout)] == ["completed"] * 2
    told = runner.invoke(app, ["tune", "--output", folder, "--best", str(tmp_path / "mine.json"), "--json"])
    best = max(json.loads(again.stdout), key=lambda one: one["accuracy"])
    assert json.loads(told.stdout) == best
    recipe = training.read_recipe(tmp_path / "mine.json")
    assert f"learning_rate={recipe.learning_rate:.4g}" == f"learning_rate={best['values']['learning_rate']}"
    assert recipe == training.read_recipe(tmp_path / "search" / "best.json")


def test_a_space_with_fewer_points_than_trials_is_said(tmp_path, free_costs):
    small = [word if word != "learning_rate" else "clip_norm=none|1" for word in QUICK]
    searched = CliRunner().invoke(app, [*small, "--trials", "5", "--output", str(tmp_path / "search")])
    assert "The space has no more than these 2 of 5 trials." in searched.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--space", "learning_rat=1..2"), "Did you mean learning_rate"),
        (("--space", ""), "needs a range"),
        (("--budget", ""), "This is no budget"),
        (("--budget", "latency_ms=0"), "This is no budget"),
        (("--oracle", "crystal"), "Input should be 'random', 'bayesian' or 'hyperband'"),
        (("--trials", "0"), "trials=0"),
        (("--recipe", "nope"), "No such recipe"),
        (("--best", "best.json"), "holds no search"),
        (("--chief", "here"), "no address"),
        (("--set", "model.binarized=false"), "Expected the recipe of a binarized network"),
    ],
)
def test_bad_input_is_named_with_the_cure_and_nothing_is_written(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["tune", "--output", "search", *arguments])
    assert isinstance(result.exception, LqFdaError) and words in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_a_worker_starts_after_its_chief(tmp_path):
    result = CliRunner().invoke(app, ["tune", "--output", str(tmp_path / "search"), "--worker", "localhost:1"])
    assert isinstance(result.exception, LqFdaError) and "the chief first" in str(result.exception)
