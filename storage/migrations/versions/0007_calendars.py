"""working calendars, special days, duty rosters; clocks keep what their times follow from

Revision ID: 0007
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006_scale'
branch_labels = None
depends_on = None

# The ladder as it was when this was written.
SHARES = (0.5, 0.8, 1.0, 1.5, 3.0)


def upgrade() -> None:
    op.create_table('calendar',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('blocks', sa.JSON(), nullable=False),
    sa.Column('weekdays', sa.JSON(), nullable=False),
    sa.Column('statutory', sa.Boolean(), nullable=False),
    sa.Column('ended', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('special_day',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('day', sa.Text(), nullable=False),
    sa.Column('works', sa.Boolean(), nullable=False),
    sa.Column('calendar', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('ended', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('special_day', schema=None) as batch_op:
        batch_op.create_index('ux_special_day_day_calendar', ['day', 'calendar'], unique=True)
    op.create_table('shift',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('unit', sa.Text(), nullable=False),
    sa.Column('day', sa.Text(), nullable=False),
    sa.Column('begins', sa.Text(), nullable=False),
    sa.Column('ends', sa.Text(), nullable=False),
    sa.Column('person', sa.Text(), nullable=False),
    sa.Column('ended', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('shift', schema=None) as batch_op:
        batch_op.create_index(
            'ux_shift_unit_day_begins_person', ['unit', 'day', 'begins', 'person'], unique=True
        )
    with op.batch_alter_table('unit', schema=None) as batch_op:
        batch_op.add_column(sa.Column('calendar', sa.Text(), nullable=False, server_default=''))
    with op.batch_alter_table('deadline', schema=None) as batch_op:
        batch_op.add_column(sa.Column('grade', sa.Text(), nullable=False, server_default='yellow'))
        batch_op.add_column(sa.Column('unit', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('business_at', sa.BigInteger(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('agreed_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('pauses', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('extended', sa.BigInteger(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('follows', sa.BigInteger(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('rungs', sa.JSON(), nullable=False, server_default='[]'))
    _fill()


def _fill() -> None:
    """Open clocks keep their times: the ladder is written out as it was counted until now."""
    connection = op.get_bind()
    connection.execute(sa.text(
        'UPDATE deadline SET business_at = starts_at, grade = COALESCE('
        '(SELECT grade FROM case_ WHERE case_.id = deadline."case"), \'yellow\')'
    ))
    connection.execute(sa.text(
        'UPDATE deadline SET business_at = COALESCE('
        '(SELECT received_at FROM case_ WHERE case_.id = deadline."case"), starts_at)'
    ))
    rows = connection.execute(sa.text(
        "SELECT id, starts_at, due_at FROM deadline WHERE closed_at IS NULL"
    )).all()
    deadline = sa.table('deadline', sa.column('id', sa.Text()), sa.column('rungs', sa.JSON()))
    for row in rows:
        rungs = [_iso(row.starts_at + (row.due_at - row.starts_at) * share) for share in SHARES]
        connection.execute(
            deadline.update().where(deadline.c.id == row.id).values(rungs=rungs)
        )


def _iso(micros: float) -> str:
    return datetime.fromtimestamp(round(micros) / 1_000_000, tz=UTC).isoformat()


def downgrade() -> None:
    with op.batch_alter_table('deadline', schema=None) as batch_op:
        for name in ('grade', 'unit', 'business_at', 'agreed_at', 'pauses', 'extended', 'follows', 'rungs'):
            batch_op.drop_column(name)
    with op.batch_alter_table('unit', schema=None) as batch_op:
        batch_op.drop_column('calendar')
    op.drop_table('shift')
    op.drop_table('special_day')
    op.drop_table('calendar')
