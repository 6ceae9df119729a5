"""Search spaces: what a text may say, what it is refused for, and what an oracle draws from it."""

import pytest

from lq_fda import training, tuning
from lq_fda.errors import LqFdaError
from lq_fda.models import RECOMMENDED
from lq_fda.tuning.space import hyperparameters, overrides

DEMO = training.digits_demo()


def keys(texts, recipe=DEMO, **options):
    return [dimension.key for dimension in tuning.parse_space(texts, recipe, **options)]


def test_every_form_of_a_dimension():
    rate, groups, parts = tuning.parse_space(
        ["learning_rate=1e-3..0.03:log", "model.groups=1..4", "model.parts=[]|adjustment, excitation"], DEMO
    )
    assert (rate.low, rate.high, rate.log, rate.whole) == (0.001, 0.03, True, False)
    assert (groups.low, groups.high, groups.log, groups.whole) == (1, 4, False, True)
    assert parts.values == ("[]", "adjustment, excitation")
    assert rate.text(0.00123456) == "0.001235" and groups.text(3.0) == "3"


def test_what_is_written_down_reads_the_same_again():
    adamw = training.apply_overrides(DEMO, ["optimizer=adamw"])
    space = tuning.parse_space(["default", "batch_size=16..64", "ema=none|0.9"], adamw)
    assert tuning.parse_space([str(dimension) for dimension in space], adamw) == space


def test_the_default_space_follows_the_recipe():
    plain = {"learning_rate", "warmup_epochs", "clip_norm"}
    layers = {"model.parts", "model.groups", "model.reduction", "model.width", "model.depth"}
    assert set(keys(["default"])) == plain | layers
    assert set(keys(["default"], training.apply_overrides(DEMO, ["optimizer=adamw"]))) == plain | layers | {
        "weight_decay"
    }
    taught = training.apply_overrides(DEMO, ["distillation.teacher=run"])
    assert set(keys(["default"], taught)) - plain - layers == {"distillation.weight", "distillation.temperature"}
    (parts,) = tuning.parse_space(["model.parts"], DEMO)
    chosen = {training.apply_overrides(DEMO, [f"model.parts={value}"]).model.parts for value in parts.values}
    assert len(chosen) == 2 ** len(RECOMMENDED) and {(), RECOMMENDED} <= chosen


def test_a_key_that_was_set_by_hand_is_not_varied_unless_it_is_named():
    assert "learning_rate" not in keys(["default"], fixed={"learning_rate"})
    assert keys(["learning_rate"], fixed={"learning_rate"}) == ["learning_rate"]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "search space is empty"),
        (["learning_rat=1e-3..1e-2"], "Did you mean learning_rate"),
        (["learning_rate=0.1..0.1"], "range is empty"),
        (["learning_rate=0.2..0.1"], "range is empty"),
        (["weight_decay=0.0..0.1:log"], "reaches zero"),
        (["learning_rate=-1.0..0.1"], "learning_rate=-1"),
        (["learning_rate=0.01"], "--set"),
        (["clip_norm=1|1"], "several different values"),
        (["clip_norm=1|"], "several different values"),
        (["clip_norm=1|high"], "clip_norm='high'"),
        (["batch_size"], "needs a range"),
        (["model.parts=[]|attention"], "model.parts"),
        (["weight_decay=1e-5..1e-3"], "optimizer that has it"),
        (["clip_norm", "clip_norm=1|2"], "twice. Received: 'clip_norm'"),
        (["seed=0..9"], "luck"),
        (["data.seed=0|1"], "different validation images"),
        (["epochs=3..9"], "every trial has the same"),
        (["model.binarized=true|false"], "1-bit file"),
        (["model.parts=[]|adjustment", "model.groups"], "no trial has an excitation"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused(texts, words):
    with pytest.raises(LqFdaError) as caught:
        tuning.parse_space(texts, DEMO)
    assert words in str(caught.value)


def test_groups_are_drawn_only_where_there_is_an_excitation():
    space = tuning.parse_space(["model.groups", "model.parts=adjustment|excitation", "model.reduction=1..4"], DEMO)
    declared = hyperparameters(space)
    for parts, expected in (
        ("adjustment", ["model.parts"]),
        ("excitation", ["model.groups", "model.parts", "model.reduction"]),
    ):
        declared.values = {"model.parts": parts}
        active = sorted(parameter.name for parameter in declared.space if declared.is_active(parameter))
        assert active == expected


def test_the_excitations_fields_are_not_varied_where_the_recipe_has_none():
    without = training.apply_overrides(DEMO, ["model.parts=adjustment"])
    assert {"model.groups", "model.reduction"} <= set(keys(["default"], without)), "some trials have one"
    assert not {"model.groups", "model.reduction"} & set(keys(["default"], without, fixed={"model.parts"}))
    with pytest.raises(LqFdaError, match=r"no trial has an excitation.*'model.reduction'"):
        keys(["model.reduction"], without)
    assert keys(["model.reduction"], DEMO) == ["model.reduction"]


def test_whatever_is_drawn_is_a_recipe_within_its_bounds():
    space = tuning.parse_space(["default", "batch_size=16..64"], DEMO)
    for draw in range(50):
        values = {parameter.name: parameter.random_sample(draw) for parameter in hyperparameters(space).space}
        recipe = training.apply_overrides(DEMO, overrides(space, values))
        assert 0.001 <= recipe.learning_rate <= 0.016 and 16 <= recipe.batch_size <= 64
        assert recipe.model.width in (0.5, 0.75, 1, 1.25, 1.5)
