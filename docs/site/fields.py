"""The signature of a class that pydantic completes: one keyword a field, its own and those of its bases."""

from collections.abc import Iterator

import griffe

_BASE = "pydantic.BaseModel"
_DATACLASS = "pydantic.dataclasses.dataclass"


class Fields(griffe.Extension):
    """Gives such classes the `__init__` that griffe, which reads and does not run, cannot see."""

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        """Called when a package has been read."""
        for found in list(_classes(pkg)):
            if "__init__" not in found.members and _is_pydantic(found):
                parameters = [griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)]
                made = griffe.Function("__init__", parameters=griffe.Parameters(*parameters, *_parameters(found)))
                found.set_member("__init__", made)


def _classes(parent: griffe.Module | griffe.Class) -> Iterator[griffe.Class]:
    for member in parent.members.values():
        if member.is_alias:
            continue
        if member.is_class:
            yield member
        if member.is_module or member.is_class:
            yield from _classes(member)


def _is_pydantic(found: griffe.Class) -> bool:
    if any(decorator.callable_path == _DATACLASS for decorator in found.decorators):
        return True
    if any(getattr(base, "canonical_path", base) == _BASE for base in found.bases):
        return True
    return any(_is_pydantic(base) for base in found.resolved_bases)


def _parameters(found: griffe.Class) -> list[griffe.Parameter]:
    fields = {}
    for owner in (*reversed(found.mro()), found):
        for name, member in owner.members.items():
            if member.is_attribute and member.annotation is not None and "ClassVar" not in str(member.annotation):
                fields[name] = griffe.Parameter(
                    name,
                    annotation=member.annotation,
                    kind=griffe.ParameterKind.keyword_only,
                    default=_default(member.value),
                )
    return list(fields.values())


def _default(value: str | griffe.Expr | None) -> str | griffe.Expr | None:
    """What a caller may leave out: `Field(default=3, ge=1)` means 3, and `Field(ge=1)` nothing."""
    if not isinstance(value, griffe.ExprCall) or str(value.function) != "Field":
        return value
    given = {argument.name: argument.value for argument in value.arguments if isinstance(argument, griffe.ExprKeyword)}
    return given.get("default") or given.get("default_factory")
