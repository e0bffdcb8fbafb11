"""extensions that somebody approves; the post that is reminded; main cases

Revision ID: 0012_extensions
"""

import sqlalchemy as sa
from alembic import op


revision = '0012_extensions'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('extension',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('case', sa.Text(), nullable=False),
    sa.Column('deadline', sa.Text(), nullable=False),
    sa.Column('unit', sa.Text(), nullable=False),
    sa.Column('minutes', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('by_leader', sa.Boolean(), nullable=False),
    sa.Column('asked_by', sa.Text(), nullable=False),
    sa.Column('asked_at', sa.BigInteger(), nullable=False),
    sa.Column('decided_by', sa.Text(), nullable=False),
    sa.Column('decided_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('extension', schema=None) as batch_op:
        batch_op.create_index('ix_extension_deadline_state', ['deadline', 'state'], unique=False)
    with op.batch_alter_table('nudge', schema=None) as batch_op:
        batch_op.add_column(sa.Column('role', sa.Text(), nullable=False, server_default='handler'))
        batch_op.add_column(sa.Column('unit', sa.Text(), nullable=False, server_default=''))
    with op.batch_alter_table('case_', schema=None) as batch_op:
        batch_op.add_column(sa.Column('parent', sa.Text(), nullable=False, server_default=''))
        batch_op.create_index('ix_case__parent', ['parent'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('case_', schema=None) as batch_op:
        batch_op.drop_index('ix_case__parent')
        batch_op.drop_column('parent')
    with op.batch_alter_table('nudge', schema=None) as batch_op:
        batch_op.drop_column('unit')
        batch_op.drop_column('role')
    op.drop_table('extension')
