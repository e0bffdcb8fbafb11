"""Alembic's entry point: uses the connection that ``storage.migrate`` hands over."""

from alembic import context

_OURS = context.config.attributes["target_metadata"]


def _include(
    _object: object, name: str | None, kind: str, _reflected: bool, _other: object
) -> bool:
    """Only our tables: an earlier queue engine has left its own in some databases."""
    return kind != "table" or name in _OURS.tables


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=_OURS,
    include_object=_include,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
