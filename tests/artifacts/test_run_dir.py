"""What two recipes have apart."""

import pytest

from lq_fda.artifacts import recipe_changes

BASE = {"epochs": 8, "distillation": None, "model": {"parts": [], "width": 1.0}}
TAUGHT = {**BASE, "distillation": {"teacher": "run", "weight": 0.5}}


@pytest.mark.parametrize(
    ("base", "recipe", "changes"),
    [
        (BASE, BASE, {}),
        (BASE, {**BASE, "epochs": 9}, {"epochs": "9"}),
        (BASE, {**BASE, "model": {"parts": ["gate", "shift"], "width": 1.0}}, {"model.parts": "gate,shift"}),
        (BASE, TAUGHT, {"distillation.teacher": "run", "distillation.weight": "0.5"}),
        (TAUGHT, BASE, {"distillation": "None"}),
        ({"epochs": 8}, BASE, {"model.parts": "", "model.width": "1.0"}),  # An older version's has fewer fields.
    ],
)
def test_changes_are_those_of_the_second_recipe(base, recipe, changes):
    assert recipe_changes(base, recipe) == changes
