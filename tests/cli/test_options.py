"""What commands share."""

import io

import pytest
from rich.console import Console

from lq_fda.cli import options


@pytest.mark.parametrize("words", ["ssh://pi@[fe80::1]: rounds", "[/bold] of nothing"])
def test_the_progress_bar_takes_a_devices_words_as_they_are(monkeypatch, words):
    text = io.StringIO()
    monkeypatch.setattr(options, "Console", lambda stderr: Console(file=text, force_terminal=True, width=100))
    with options.progress_bar() as progress:
        progress("pushing", 0, 2)
        progress(words, 2, 2)
    assert words in text.getvalue()
