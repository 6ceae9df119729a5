"""The progress bar and its lines."""

import io

from rich.console import Console

from lq_fda.training.callbacks import ProgressBar

ROW = {"loss": 0.5, "accuracy": 0.75, "images_per_second": 321.0}


def test_the_bar_moves_and_every_epoch_gets_a_line_that_marks_the_best():
    text, history = io.StringIO(), []
    console = Console(file=text, force_terminal=True, width=200)
    with ProgressBar(history, epochs=3, steps_per_epoch=4, batch_size=8, console=console) as bar:
        for epoch, accuracy in enumerate((0.25, 0.75, 0.75)):
            bar.on_epoch_begin(epoch)
            bar.on_train_batch_end(3, {"loss": 0.5, "accuracy": 0.75})
            history.append({**ROW, "epoch": epoch + 1, "validation_accuracy": accuracy})
            bar.on_epoch_end(epoch)
    lines = [line for line in text.getvalue().splitlines() if "validation" in line]
    assert len(lines) == 3
    assert "epoch 2/3  loss 0.5000  accuracy 0.7500  validation 0.7500 (best)  321 images/s" in lines[1]
    assert ["(best)" in line for line in lines] == [True, True, False], "the first of equals"
    assert "100%" in text.getvalue()


def test_the_bar_of_a_resumed_run_begins_where_it_stopped():
    history = [{**ROW, "epoch": 1, "validation_accuracy": 0.5}]
    bar = ProgressBar(history, epochs=2, steps_per_epoch=4, batch_size=8, console=Console(file=io.StringIO()))
    assert bar._progress.tasks[0].percentage == 50
