"""Records as tables and figures: figures worked out by hand, documents filled and checked."""

import json

import pytest
from typer.testing import CliRunner

from lq_fda import cli, results
from lq_fda.artifacts import PeerRecord, Result, RunRecord, SplitAccuracy, TrainingSpeed, append_record
from lq_fda.errors import LqFdaError

MACHINE = {"cpu": "A CPU", "cores": 2, "versions": {"larq-compute-engine": "0.16.0", "ai-edge-litert": "2.3.0"}}


def run(name: str, top1: float, study: str = "ablation", *, epochs: int = 8, rate: float = 0.01, **model) -> RunRecord:
    split = SplitAccuracy(split="test", images=100, top1=top1)
    recipe = {
        "model": {"name": "resnet20", "binarized": True, "parts": [], "estimator": "window", **model},
        "data": {"name": "cifar10"},
        "epochs": epochs,
        "batch_size": 128,
        "optimizer": "adamw",
        "learning_rate": rate,
        "precision": "float32",
    }
    return RunRecord(
        study=study,
        name=name,
        date="2026-01-01",
        recipe=recipe,
        result=Result(epochs=1, best_epoch=1, validation=split, test=split, seconds=1, images_per_second=1),
        history=[{"epoch": 1, "validation_accuracy": top1}],
        environment=MACHINE,
    )


def peer(median: float, form: str, runtime: str, round_of: str = "b", **settings) -> PeerRecord:
    return PeerRecord(
        run=round_of,
        date="2026-01-02T00:00:00",
        model="resnet18",
        input_shape=(1, 32, 32, 3),
        form=form,
        runtime=runtime,
        runtime_version="1",
        settings=settings,
        threads=1,
        warmups=1,
        rounds=2,
        settle=3,
        median_ms=median,
        min_ms=median,
        p90_ms=median,
        file_bytes=2048,
        delegated_nodes=None,
        total_nodes=None,
        environment=MACHINE,
        command="",
    )


PEERS = [
    peer(9.0, "int8", "litert", "an older run"),
    peer(0.5, "1-bit", "lq_fda", isa="avx2"),
    peer(0.6, "1-bit, all parts", "lq_fda", isa="avx2", fuse=False),
    peer(4.0, "1-bit", "lce"),
    peer(2.0, "int8", "litert"),
]


def rows(table) -> list[tuple[str, ...]]:
    return [tuple(row.values()) for row in results.rows(table)]


def test_the_ablation_has_means_spread_and_gain_the_weakest_first():
    records = [
        run("plain_seed0", 0.5),
        run("plain_seed1", 0.52),
        run("all_seed0", 0.6, parts=["a_part", "b"], estimator="triangle"),
        run("float_seed0", 0.8, binarized=False, parts=["a_part"]),
    ]
    assert rows(results.ablation_table(records[::-1])) == [
        ("plain", "none", "2", "51.00", "51.00", "1.41", "+0.00"),
        ("all", "a part, b, triangle", "1", "60.00", "60.00", "", "+9.00"),
        ("float", "float twin", "1", "80.00", "80.00", "", "+29.00"),
    ]
    assert rows(results.ablation_table(records[2:3]))[0][-1] == ""
    for parts, shown in ((["adjustment"], "adjustment, triangle"), (["excitation"], "excitation"), ([], "none")):
        assert rows(results.ablation_table([run("a_seed0", 0.5, parts=parts, estimator=None)]))[0][1] == shown
    assert rows(results.ablation_table([])) == []


def test_runs_that_differ_in_more_than_network_and_seed_are_no_ablation():
    with pytest.raises(LqFdaError, match=r"ablation cannot be compared.*8 epochs.*60 epochs"):
        results.ablation_table([run("plain_seed0", 0.5), run("all_seed0", 0.6, epochs=60)])


def test_a_trial_names_what_it_changes():
    records = [run("base", 0.5), run("fast", 0.6, rate=0.1), run("more", 0.7, parts=["a", "b"])]
    assert [row[:2] for row in rows(results.trial_table(records))] == [
        ("base", "-"),
        ("fast", "learning_rate=0.1"),
        ("more", "model.parts=a,b"),
    ]
    assert rows(results.trial_table([])) == []


def test_the_accuracy_has_a_gap_where_there_is_a_float_twin():
    whole = {"network": "resnet20", "method": "M", "top1": 88.5, "float": 92.1}
    published = {"protocol": "long", "figures": [whole, {"network": "resnet20", "method": "N", "gap": 0.4}]}
    records = [run("a", 0.86), run("b", 0.9, binarized=False), run("c", 0.87, epochs=60)]
    assert rows(results.accuracy_table(records, published)) == [
        ("resnet20", "ours, one seed", "8", "86.00", "90.00", "4.00", "validation"),
        ("resnet20", "ours, one seed", "60", "87.00", "not yet run", "", "validation"),
        ("resnet20", "M", ">= 400", "88.5", "92.1", "3.6", "test"),
        ("resnet20", "N", "not public", "", "", "0.4", "not public"),
    ]


def test_breadth_has_a_row_for_every_network_and_data_set():
    pairs = {"name": "folder", "data_dir": "cifar10_pairs"}
    records = [
        run("pairs", 0.5, input_shape=[32, 32, 3], classes=100),
        run("pairs_float", 0.625, input_shape=[32, 32, 3], classes=100, binarized=False),
        run("vgg", 0.75, epochs=4, input_shape=[16, 16, 3], classes=10),
        run("vgg_seed1", 0.5, epochs=4, input_shape=[16, 16, 3], classes=10),
    ]
    for seed, record in enumerate(records[2:]):
        record.recipe["model"]["name"] = "vgg_small"
        record.recipe["seed"] = seed
    for record in records[:2]:
        record.recipe["data"] = pairs
    assert rows(results.breadth_table(records)) == [
        ("resnet20", "cifar10_pairs", "32x32", "100", "8", "1", "50.00", "62.50", "12.50"),
        ("vgg_small", "cifar10", "16x16", "10", "4", "2", "62.50", "not yet run", ""),
    ]
    second = run("pairs_seed1", 0.6, input_shape=[32, 32, 3], classes=100, parts=["gate"])
    second.recipe["data"] = pairs
    with pytest.raises(LqFdaError, match="The runs pairs, pairs_seed1 cannot be compared"):
        results.breadth_table([*records, second])


def test_long_runs_of_several_seeds_are_a_mean_and_of_several_recipes_no_row():
    published = {"protocol": "long", "figures": [{"network": "resnet20", "method": "M", "top1": 88.5, "float": 92.1}]}
    first, second, other = run("a", 0.86), run("b", 0.9), run("c", 0.99, rate=0.5)
    second.recipe["seed"] = 1
    assert rows(results.accuracy_table([first, second], published))[0] == (
        "resnet20", "ours, mean of 2 seeds", "8", "88.00", "not yet run", "", "validation"
    )  # fmt: skip
    with pytest.raises(LqFdaError, match="The runs a, c cannot be compared"):
        results.accuracy_table([first, other], published)


def test_a_run_that_was_recorded_again_counts_once(folder, tmp_path):
    document = tmp_path / "page.md"
    document.write_text("<!-- ablation -->\n<!-- /ablation -->\n")
    append_record(folder / "runs.jsonl", run("plain_seed0", 0.75))
    results.fill(document, folder)
    assert "| plain | none | 1 | 75.00 | 75.00 |  | +0.00 |" in document.read_text()


def test_peers_of_several_days_say_so_and_one_that_is_missing_leaves_its_ratio_empty():
    later = [
        record.model_copy(update={"model": "mobile", "run": "c", "date": "2026-03-04", "rounds": 9})
        for record in PEERS[1:3]
    ]
    table = results.peer_table([*PEERS, *later])
    assert rows(table)[-1] == (
        "mobile, 32x32",
        "1-bit, all parts",
        "lq_fda, avx2, unfused",
        "0.600",
        "0.600",
        "",
        "",
        "2",
    )
    for part in ("resnet18: A CPU, 2 cores; 2026-01-02", "mobile: A CPU, 2 cores; 2026-03-04", "; 9 interleaved"):
        assert part in table.caption
    assert results.peer_table(PEERS).caption.startswith("A CPU, 2 cores; 2026-01-02; 1 thread; ")


def test_peers_are_ratios_within_the_newest_run():
    network = "resnet18, 32x32"
    assert rows(results.peer_table(PEERS)) == [
        (network, "1-bit", "lq_fda, avx2", "0.500", "0.500", "0.250", "0.125", "2"),
        (network, "1-bit, all parts", "lq_fda, avx2, unfused", "0.600", "0.600", "0.300", "0.150", "2"),
        (network, "1-bit", "lce", "4.000", "4.000", "2.000", "1.000", "2"),
        (network, "int8", "litert", "2.000", "2.000", "1.000", "0.500", "2"),
    ]
    assert results.peer_table([]).row_count == 0


def test_speeds_are_ratios_within_one_precision_of_the_newest_run():
    def speed(case: str, value: float, round_of: str = "b") -> TrainingSpeed:
        return TrainingSpeed(
            run=round_of,
            date="2026-01-02",
            case=case,
            model={"name": "resnet20"},
            precision=case.split()[1],
            optimizer="adam",
            batch_size=8,
            steps=4,
            rounds=2,
            images_per_second=value,
            slowest=value,
            fastest=value,
            environment=MACHINE,
            command="",
        )

    records = [
        speed("larq float32", 1.0, "older"),
        speed("larq float32", 100.0),
        speed("full float32", 80.0),
        speed("full bfloat16", 120.0),
    ]
    assert [row[-1] for row in rows(results.speed_table(records))] == ["1.00", "0.80", ""]


@pytest.fixture
def folder(tmp_path):
    records = tmp_path / "results"
    for record in (run("plain_seed0", 0.5), run("r20", 0.8, "long"), run("f20", 0.9, "long", binarized=False)):
        append_record(records / "runs.jsonl", record)
    for record in PEERS:
        append_record(records / "peers.jsonl", record)
    (records / "published.json").write_text(json.dumps({"protocol": "p", "figures": []}))
    return records


def test_a_document_gets_its_tables_and_keeps_the_rest(folder, tmp_path):
    document = tmp_path / "page.md"
    document.write_text("# Title\n\n<!-- ablation -->\nold\n<!-- /ablation -->\n\nThe end.\n")
    assert results.disagreeing([document], folder) == [document]
    assert results.fill(document, folder)
    text = document.read_text()
    assert text.startswith("# Title\n\n<!-- ablation -->\n| block | parts | seeds |")
    assert "| --- | --- | ---: |" in text
    assert "| plain | none | 1 | 50.00 | 50.00 |  | +0.00 |\n\nresnet20 on cifar10" in text
    assert text.endswith("\n<!-- /ablation -->\n\nThe end.\n")
    assert not results.fill(document, folder)
    assert results.disagreeing([document], folder) == []
    append_record(folder / "runs.jsonl", run("plain_seed1", 0.6))
    assert results.disagreeing([document], folder) == [document]


@pytest.mark.parametrize(
    ("text", "received"),
    [("no marks", "no marks in"), ("<!-- ablatoin -->\n<!-- /ablatoin -->", "'ablatoin' in")],
)
def test_a_document_without_a_known_mark_is_refused(folder, tmp_path, text, received):
    document = tmp_path / "page.md"
    document.write_text(text)
    with pytest.raises(LqFdaError, match=f"no place for a table.*Received: {received}"):
        results.fill(document, folder)
    assert document.read_text() == text


@pytest.mark.parametrize("alone", ["<!-- peers -->", "<!-- /peers -->", "<!-- peers -->\n<!-- /peer -->"])
def test_a_mark_that_stands_alone_is_refused(folder, tmp_path, alone):
    document = tmp_path / "page.md"
    document.write_text(f"<!-- ablation -->\n<!-- /ablation -->\n{alone}\n")
    with pytest.raises(LqFdaError, match=r"stands alone.*Received: '<!-- /?peers -->' in"):
        results.disagreeing([document], folder)


def test_a_damaged_record_is_named(folder, tmp_path):
    document = tmp_path / "page.md"
    document.write_text("<!-- ablation -->\n<!-- /ablation -->\n")
    with (folder / "runs.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(LqFdaError, match=r"no record. Expected a RunRecord.*runs\.jsonl:4"):
        results.fill(document, folder)
    with pytest.raises(LqFdaError, match="cannot be read"):
        results.fill(tmp_path / "missing.md", folder)


def test_figures_show_what_there_is(folder, tmp_path):
    written = results.write_plots(folder, tmp_path / "images")
    assert [path.name for path in written] == ["ablation.svg", "long_runs.svg", "latency.svg"]
    texts = [path.read_text() for path in written]
    assert all(text.startswith("<svg") for text in texts)
    assert "plain" in texts[0]
    assert "float, test 90.0 %" in texts[1]
    assert "1-bit (lce)" in texts[2] and "all parts" not in texts[2]  # The unfused one is not shown.
    (folder / "runs.jsonl").write_text("")
    assert [path.name for path in results.write_plots(folder, tmp_path / "fewer")] == ["latency.svg"]


def test_the_command_writes_checks_and_fails(folder, tmp_path):
    document = tmp_path / "page.md"
    document.write_text("<!-- ablation -->\n<!-- /ablation -->\n")
    call = ["results", str(document), "--records", str(folder)]
    runner = CliRunner()
    nothing = runner.invoke(cli.app, ["results", "--records", str(folder), "--check"])
    assert isinstance(nothing.exception, LqFdaError) and "nothing to check" in str(nothing.exception)
    refused = runner.invoke(cli.app, [*call, "--check"])
    assert isinstance(refused.exception, LqFdaError) and "page.md" in str(refused.exception)
    assert "written anew" in runner.invoke(cli.app, call).output
    assert runner.invoke(cli.app, [*call, "--check"]).exit_code == 0
    assert "up to date" in runner.invoke(cli.app, call).output


def test_a_figure_that_the_records_have_left_behind_is_found(folder, tmp_path):
    images = tmp_path / "images"
    call = ["results", "--records", str(folder), "--plots", str(images)]
    runner = CliRunner()
    missing = runner.invoke(cli.app, [*call, "--check"])
    assert isinstance(missing.exception, LqFdaError) and "latency.svg" in str(missing.exception)
    assert not images.exists(), "it was only checked"
    assert runner.invoke(cli.app, call).exit_code == 0
    assert runner.invoke(cli.app, [*call, "--check"]).exit_code == 0
    append_record(folder / "runs.jsonl", run("plain_seed1", 0.6))
    assert [path.name for path in results.outdated_plots(folder, images)] == ["ablation.svg"]


def test_the_command_prints_every_table(folder):
    call = ["results", "--records", str(folder)]
    (folder / "training_speed.jsonl").write_text("")
    printed = CliRunner().invoke(cli.app, [*call, "--json"])
    tables = json.loads(printed.output)
    assert set(tables) == set(results.DOCUMENT_TABLES)
    assert tables["ablation"][0]["test %"] == "50.00"
    assert "50.00" in CliRunner().invoke(cli.app, call).output
