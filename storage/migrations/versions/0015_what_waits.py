"""what is asked for each message is found by an index, however much waits

Revision ID: 0015_what_waits
"""

from alembic import op


revision = '0015_what_waits'
down_revision = '0014_drills'
branch_labels = None
depends_on = None

_LONGER: dict[str, dict[tuple[str, ...], tuple[str, ...]]] = {
    'lead': {('state',): ('state', 'received_at')},
    'inbox': {('state', 'retry_at'): ('state', 'retry_at', 'id')},
    'delivery': {
        ('state', 'lane', 'not_before'): ('state', 'lane', 'not_before', 'created_at'),
        ('person',): ('person', 'state'),
    },
}
_NEW = {'lead': ('claim', 'state'), 'case_': ('filed_at',)}


def _name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"


def upgrade() -> None:
    for table, changed in _LONGER.items():
        for before, after in changed.items():
            op.create_index(_name(table, after), table, list(after))
            op.drop_index(_name(table, before), table_name=table)
    for table, columns in _NEW.items():
        op.create_index(_name(table, columns), table, list(columns))


def downgrade() -> None:
    for table, columns in _NEW.items():
        op.drop_index(_name(table, columns), table_name=table)
    for table, changed in _LONGER.items():
        for before, after in changed.items():
            op.create_index(_name(table, before), table, list(before))
            op.drop_index(_name(table, after), table_name=table)
