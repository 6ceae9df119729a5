"""Overrides say yes to what fits, and one sentence to what does not."""

import json

import pytest

from lq_fda import training
from lq_fda.artifacts import recipe_changes
from lq_fda.errors import LqFdaError

DEMO = training.digits_demo()


@pytest.mark.parametrize(
    ("text", "read", "expected"),
    [
        ("epochs=20", lambda r: r.epochs, 20),
        (" epochs = 20 ", lambda r: r.epochs, 20),
        ("learning_rate=1", lambda r: r.learning_rate, 1.0),
        ("optimizer=sgd", lambda r: r.optimizer, "sgd"),
        ("nesterov=false", lambda r: r.nesterov, False),
        ("nesterov=False", lambda r: r.nesterov, False),
        ("data.streaming=True", lambda r: r.data.streaming, True),
        ("data.data_dir=True", lambda r: r.data.data_dir, "True"),
        ("data.seed=3", lambda r: r.data.seed, 3),
        ("data.data_dir=/a=b,c", lambda r: r.data.data_dir, "/a=b,c"),
        ("data.data_dir=12", lambda r: r.data.data_dir, "12"),
        ("data.augmentation=crop, flip", lambda r: r.data.augmentation, ("crop", "flip")),
        ('data.augmentation=["crop"]', lambda r: r.data.augmentation, ("crop",)),
        ("model.parts=adjustment", lambda r: r.model.parts, ("adjustment",)),
        ("model.parts=[]", lambda r: r.model.parts, ()),
        ("model.parts=", lambda r: r.model.parts, ()),
        ("model.input_shape=28,28,3", lambda r: r.model.input_shape, (28, 28, 3)),
        ("model.input_shape=null,null,3", lambda r: r.model.input_shape, (None, None, 3)),
        ("ema=0.5", lambda r: r.ema, 0.5),
        ("distillation.teacher=runs/float", lambda r: r.distillation.teacher, "runs/float"),
        ('distillation={"teacher": "x", "weight": 1}', lambda r: r.distillation.weight, 1.0),
    ],
)
def test_values_are_read_as_the_field_wants_them(text, read, expected):
    value = read(training.apply_overrides(DEMO, [text]))
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize("name", training.recipe_names())
def test_the_changes_between_two_recipes_make_one_the_other(name):
    recipe = training.get_recipe(name)
    for other in (recipe, training.float_twin(recipe), training.variant(recipe, "plain")):
        changes = recipe_changes(training.to_values(DEMO), training.to_values(other))
        assert training.apply_overrides(DEMO, [f"{key}={value}" for key, value in changes.items()]) == other


@pytest.mark.parametrize("nothing", ["none", "None", "null"])
def test_optional_fields_can_be_emptied(nothing):
    full = training.apply_overrides(DEMO, ["ema=0.5", "clip_norm=1", "distillation.teacher=x", "data.data_dir=x"])
    keys = ("ema", "clip_norm", "distillation", "data.data_dir")
    assert training.apply_overrides(full, [f"{key}={nothing}" for key in keys]) == DEMO


def test_the_last_one_wins_and_the_recipe_stays_as_it_is():
    assert training.apply_overrides(DEMO, ["epochs=2", "epochs=3"]).epochs == 3
    assert training.digits_demo() == DEMO


def test_fewer_epochs_shorten_the_warm_up_and_more_do_not_lengthen_it():
    assert (DEMO.epochs, DEMO.warmup_epochs) == (12, 1.0)
    for texts, expected in (
        (["epochs=3"], 0.25),
        (["epochs=1"], 1 / 12),
        (["epochs=24"], 1.0),
        (["epochs=3", "warmup_epochs=1"], 1.0),
        (["warmup_epochs=2", "epochs=3"], 2.0),
    ):
        assert training.apply_overrides(DEMO, texts).warmup_epochs == pytest.approx(expected)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["data.image_size=16"], (16, 16, 3)),
        (['data={"image_size": 16}'], (16, 16, 3)),
        (["data.image_size=16", "model.input_shape=8,8,3"], (8, 8, 3)),
        (["model.input_shape=8,8,3", "data.image_size=16"], (8, 8, 3)),
        (["data.image_size=none", "data.seed=1"], (32, 32, 3)),
    ],
)
def test_another_image_size_is_also_the_networks(texts, expected):
    assert training.apply_overrides(DEMO, texts).model.input_shape == expected


def test_a_network_for_any_size_stays_one():
    any_size = training.apply_overrides(DEMO, ["model.input_shape=null,null,3"])
    assert training.apply_overrides(any_size, ["data.image_size=16"]).model.input_shape == (None, None, 3)


@pytest.mark.parametrize("count", [100, 900, 5000])
def test_brackets_without_end_are_a_text(count):
    assert training.apply_overrides(DEMO, [f"data.data_dir={'[' * count}"]).data.data_dir == "[" * count
    for key in ("epochs", "model", "data.augmentation"):
        for text in ("[" * count, "[" * count + "]" * count, '{"a":' * count):
            with pytest.raises(LqFdaError):
                training.apply_overrides(DEMO, [f"{key}={text}"])


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("epoch=3", "epochs"),
        ("data.sed=3", "data.seed"),
        ("data_dir=x", "data.data_dir"),
        ("batchsize=3", "batch_size"),
    ],
)
def test_unknown_keys_are_refused_with_a_near_one(text, hint):
    with pytest.raises(LqFdaError, match=r"no such key.*Did you mean") as caught:
        training.apply_overrides(DEMO, [text])
    assert hint in caught.value.cure


@pytest.mark.parametrize("text", ["=3", "teacher.x=1", "epochs.x=1", "data.=1", "zzzzzz=1"])
def test_keys_that_lead_nowhere_are_refused(text):
    with pytest.raises(LqFdaError, match="no such key"):
        training.apply_overrides(DEMO, [text])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("epochs", "key=value"),
        ("epochs=three", "valid integer.*epochs='three'"),
        ("epochs=3.0", "valid integer.*epochs=3.0"),
        ("epochs=true", "valid integer.*epochs=True"),
        ("epochs=0", "greater than or equal to 1.*epochs=0"),
        ("learning_rate=", "valid number"),
        ("learning_rate=0", "greater than 0"),
        ("learning_rate=NaN", "learning_rate=nan"),
        ("learning_rate=1e999", "finite number"),
        (f"seed={'9' * 5000}", "valid integer"),
        ("seed=4294967296", "less than 4294967296"),
        ("momentum=1", "less than 1"),
        ("optimizer=lion", "'adam', 'sgd', 'adamw' or 'bop'.*'lion'"),
        ("model=tiny", "object.*model='tiny'"),
        ('model={"nam": "tiny"}', "model.nam"),
        ("model.parts=adjustment,foo", "'excitation'.*model.parts.1='foo'"),
        ("model.input_shape=28,28", "model.input_shape.2 is missing"),
        ("data.image_size=3", "image size is out of range"),
        ("data.augmentation=crop,crop", "twice"),
        ("distillation.temperature=2", "distillation.teacher is missing"),
        ("warmup_epochs=12", "`warmup_epochs` must be fewer than `epochs`"),
        ("weight_decay=0.1", "`weight_decay` needs an optimizer that has it"),
    ],
)
def test_values_that_do_not_fit_are_refused_in_one_sentence(text, complaint):
    with pytest.raises(LqFdaError, match=complaint) as caught:
        training.apply_overrides(DEMO, [text])
    assert "\n" not in str(caught.value)


def test_bop_needs_binary_kernels():
    with pytest.raises(LqFdaError, match="binary kernels"):
        training.apply_overrides(DEMO, ["optimizer=bop", "model.binarized=false"])


def test_every_key_is_known_and_can_be_set_to_what_it_is():
    for key in training.override_keys():
        value = training.to_values(DEMO)
        for part in key.split("."):
            value = None if value is None else value[part]
        if not key.startswith(("distillation.", "small_images.")):
            text = value if isinstance(value, str) else json.dumps(value)
            assert training.apply_overrides(DEMO, [f"{key}={text}"]) == DEMO, key
