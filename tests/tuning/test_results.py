"""What a search found: the front, the best, the table, the figure."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from lq_fda import tuning
from lq_fda.errors import LqFdaError
from lq_fda.reporting import TradeOffPoint, trade_off
from lq_fda.tuning.results import as_csv
from lq_fda.tuning.search import begin
from lq_fda.tuning.watching import fitting_table


@pytest.fixture
def trial(cost):
    def make(number, accuracy=None, failure=None, message="", **measured):
        status = "failed" if failure else "completed" if accuracy is not None else "running"
        outcome = tuning.Outcome(
            failure=failure, message=message, accuracy=accuracy, epochs=1, cost=cost(**measured) if measured else None
        )
        return tuning.Trial(f"{number:02d}", status, "", {}, {"learning_rate": f"0.{number}"}, outcome)

    return make


@pytest.mark.parametrize("seed", range(30))
def test_the_front_is_what_comparing_every_pair_leaves(seed):
    generator = np.random.default_rng(seed)
    points = generator.integers(0, 6, (generator.integers(0, 20), 2)).astype(float)  # with ties and equals

    def beaten(point) -> bool:
        return any(
            cost <= point[0] and accuracy >= point[1] and (cost, accuracy) != tuple(point) for cost, accuracy in points
        )

    assert tuning.pareto_front([tuple(point) for point in points]) == [not beaten(point) for point in points]


def test_the_best_trial_is_the_most_accurate_and_of_equals_the_fastest(trial):
    trials = [
        trial(0, 0.8, latency_ms=0.1),
        trial(1, 0.9, latency_ms=0.3),
        trial(2, 0.9, latency_ms=0.2),
        trial(3, failure="over budget", latency_ms=0.01),
        trial(4),
    ]
    assert tuning.best_trial(trials) is trials[2]


def test_a_search_without_a_completed_trial_says_what_happened(trial):
    over = trial(0, failure="over budget", message="macs=9, at most 3", latency_ms=1.0)
    with pytest.raises(
        LqFdaError, match=r"2 trials, 1 of them failed. The last one: macs=9, at most 3.*raise the budget"
    ):
        tuning.best_trial([over, trial(1)])


def test_the_table_has_a_row_a_trial_with_its_failure_and_what_was_measured(trial, open_tiny, tmp_path):
    search = open_tiny(tmp_path / "search")
    trials = [trial(0, 0.75, latency_ms=0.25), trial(1, failure="over budget", message="too, large", size_bytes=5000)]
    good, bad = csv.DictReader(io.StringIO(as_csv(trials, search)))
    assert (good["trial"], good["status"], good["validation_accuracy"], good["latency_ms"]) == (
        "0",
        "completed",
        "0.75",
        "0.25",
    )
    assert (bad["status"], bad["failure"], bad["message"]) == ("failed", "over budget", "too, large")
    assert (bad["validation_accuracy"], bad["size_bytes"], bad["learning_rate"]) == ("", "5000", "0.1")


def test_the_table_for_people_names_the_failure_and_fits_a_terminal(trial):
    trials = [trial(number, 0.5 + number / 100, latency_ms=1.0) for number in range(9)]
    trials += [trial(9, failure="over budget", message="size_bytes=5000, at most 4000", size_bytes=5000), trial(10)]

    def shown(**options) -> str:
        console = Console(width=80, record=True, file=io.StringIO())
        console.print(tuning.trial_table(trials, **options))
        return console.export_text()

    assert "1 running, 9 completed, 1 failed" in shown()
    assert "over budget" in shown() and "size_bytes=5000" in shown() and "4000" in shown()
    numbers = [line.split()[0] for line in shown(last=2).splitlines() if line[:4].strip().isdecimal()]
    assert numbers == ["8", "9", "10"], "the best and the newest"


def test_no_value_of_a_trial_is_cut_at_80_columns(cost):
    values = {
        "learning_rate": "0.01416",
        "warmup_epochs": "0.04759",
        "model.parts": "adjustment,excitation,finetuning,standardized_weights",
        "model.reduction": "4",
    }
    outcome = tuning.Outcome(accuracy=0.8, epochs=120, cost=cost(latency_ms=123.4567, size_bytes=10**8, macs=10**10))
    running = tuning.Trial("19", "running", "worker-0a1b2c3d", {}, values, outcome)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(tuning.trial_table([running]))
    text = console.export_text()
    for key, value in values.items():
        assert f"{key}={value}" in text
    (figures,) = [line for line in text.splitlines() if "worker" in line]
    assert figures.split() == ["19", "running", "worker-0a1b2c3d", "120", "80.00", "123.457", "97656.2", "10000.0"]


@pytest.mark.parametrize("height", [6, 24, 50])
def test_the_table_that_changes_fits_the_terminal_and_shows_the_newest(trial, height):
    trials = [trial(number, 0.5, message="word " * 20, latency_ms=1.0) for number in range(30)] + [trial(30)]
    console = Console(width=80, height=height, record=True, file=io.StringIO())
    console.print(fitting_table(trials, console))
    lines = console.export_text().splitlines()
    assert any(line.split()[:2] == ["30", "running"] for line in lines)
    assert len(lines) <= height or height == 6


def test_a_damaged_file_of_a_search_is_one_error(open_tiny, tmp_path):
    directory = tuning.SearchDir(tmp_path)
    begin(open_tiny(tmp_path), directory)
    for content in ("{}", "[]", '{"trials": {"0": {}}, "ongoing_trials": {}}', '{"trials": 3, "ongoing_trials": {}}'):
        directory.oracle_file.write_text(content)
        with pytest.raises(LqFdaError, match=r"state of the search is damaged.*oracle\.json"):
            tuning.read_trials(tmp_path)
    ended = {"hyperparameters": {"values": {"learning_rate": 0.01}}, "status": "COMPLETED"}
    directory.oracle_file.write_text(json.dumps({"trials": {"0": ended}, "ongoing_trials": {"worker-1": "0"}}))
    (one,) = tuning.read_trials(tmp_path)
    assert (one.status, one.worker) == ("completed", ""), "Keras Tuner writes its end while it still counts as running"
    directory.trial("0").mkdir(parents=True)
    directory.outcome_file("0").write_text('{"colour": 1}')
    with pytest.raises(LqFdaError, match=r"outcome of a trial is damaged.*outcome\.json"):
        tuning.read_trials(tmp_path)


def test_the_figure_shows_front_failures_and_budget():
    points = [
        TradeOffPoint("0", 0.8, 0.1, 2000),
        TradeOffPoint("1", 0.9, 0.2, 3000),
        TradeOffPoint("2", None, 0.9, 9000),
    ]
    fronts = {"latency_ms": points[:2], "size_bytes": points[:2]}

    def colours(**options) -> set[tuple[int, ...]]:
        drawn = Image.open(io.BytesIO(trade_off(points, fronts, runtime="lce", **options))).convert("RGB")
        assert drawn.size == (1350, 540)
        return {colour for _, colour in drawn.getcolors(1 << 20)}

    blue, orange = (0, 0x72, 0xB2), (0xD5, 0x5E, 0)
    assert {blue, orange} <= colours(limits={"latency_ms": 0.5})
    points.pop()
    assert orange not in colours(limits={}) and orange in colours(limits={"size_bytes": 2500})


def test_a_figure_without_a_trained_trial_is_drawn_too():
    nothing = {"latency_ms": [], "size_bytes": []}
    for points in ([], [TradeOffPoint("0", None, 0.9, 9000)]):
        assert trade_off(points, nothing, limits={}, runtime="lce").startswith(b"\x89PNG")
