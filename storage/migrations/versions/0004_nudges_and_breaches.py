"""nudges (reminders that wait for a person's next bundle); feedback that came too late

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('nudge',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('person', sa.Text(), nullable=False),
    sa.Column('deadline', sa.Text(), nullable=False),
    sa.Column('rung', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('nudge', schema=None) as batch_op:
        batch_op.create_index('ux_nudge_person_deadline', ['person', 'deadline'], unique=True)


    with op.batch_alter_table('feedback', schema=None) as batch_op:
        batch_op.add_column(sa.Column('breached_at', sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('feedback', schema=None) as batch_op:
        batch_op.drop_column('breached_at')
    op.drop_table('nudge')
