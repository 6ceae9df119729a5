"""Deaths are counted where nothing else has come further, and only deaths."""

import pytest

from lq_fda.errors import LqFdaError
from lq_fda.tuning.attempts import attempt


def die(file, progress):
    with pytest.raises(MemoryError), attempt(file, progress) as deaths:
        raise MemoryError
    return deaths


def test_deaths_at_one_place_add_up_and_progress_forgets_them(tmp_path):
    file = tmp_path / "attempt.json"
    assert [die(file, 0), die(file, 0), die(file, 70), die(file, 70)] == [0, 1, 0, 1]
    with attempt(file, 70) as deaths:
        assert deaths == 2
    assert not file.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), LqFdaError("The disk is full.", cure="Free some space.")])
def test_who_is_stopped_has_not_died(tmp_path, error):
    file = tmp_path / "attempt.json"
    die(file, 0)
    with pytest.raises(type(error)), attempt(file, 0):
        raise error
    assert not file.exists()


@pytest.mark.parametrize("content", ["{}", "[]", "no JSON"])
def test_a_damaged_record_is_one_error(tmp_path, content):
    file = tmp_path / "attempt.json"
    file.write_text(content)
    with pytest.raises(LqFdaError, match="damaged"), attempt(file, 0):
        pytest.fail("it ran")
