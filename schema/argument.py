"""Let graphql-core call the resolvers directly, with arguments under their Python names.

Strawberry declares the arguments, but would convert them a second time and look up their types on each request: that
took longer than everything else before the database query.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from graphql import GraphQLField, GraphQLInputObjectType, GraphQLNamedType, GraphQLObjectType, GraphQLResolveInfo
from strawberry import Info
from strawberry.schema.name_converter import NameConverter
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

_DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF


def pass_arguments(type_: GraphQLNamedType, names: NameConverter) -> None:
    """Change a type of the schema in place: an input type, or the fields of an object type that have resolvers."""
    match type_:
        case GraphQLInputObjectType(extensions={GraphQLCoreConverter.DEFINITION_BACKREF: definition}):
            _build_inputs(type_, definition, names)
        case GraphQLObjectType(extensions={GraphQLCoreConverter.DEFINITION_BACKREF: _}):
            for field in type_.fields.values():
                _call_resolver(field, field.extensions[_DEFINITION], names)


def _build_inputs(type_: GraphQLInputObjectType, definition: StrawberryObjectDefinition, names: NameConverter) -> None:
    for declared in definition.fields:
        type_.fields[names.from_field(declared)].out_name = declared.python_name
    build = definition.origin
    type_.out_type = lambda value: build(**value)  # type: ignore[method-assign]  # graphql-core's documented way


def _call_resolver(field: GraphQLField, declared: StrawberryField, names: NameConverter) -> None:
    if declared.base_resolver is None:
        return
    for argument in declared.arguments:
        field.args[names.from_argument(argument)].out_name = argument.python_name
    function = cast("Callable[..., Any]", declared.base_resolver.wrapped_func)
    resolve: Callable[..., Any]
    if declared.base_resolver.info_parameter is None:
        resolve = partial(_resolve, function)
    else:
        resolve = partial(_resolve_with_info, function, declared)
    if declared.is_subscription:
        # The resolver yields events, and each event is the field's value.
        field.subscribe = resolve
    else:
        field.resolve = resolve


def _resolve(resolve: Callable[..., Any], source: object, _info: GraphQLResolveInfo[Any], **given: object) -> object:
    return resolve(source, **given)


def _resolve_with_info(
    resolve: Callable[..., Any],
    declared: StrawberryField,
    source: object,
    info: GraphQLResolveInfo[Any],
    **given: object,
) -> object:
    return resolve(source, info=Info(_raw_info=info, _field=declared), **given)
