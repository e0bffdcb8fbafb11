"""appeals

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('appeal',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('bulletin', sa.Text(), nullable=False),
    sa.Column('case', sa.Text(), nullable=False),
    sa.Column('person', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('sealed', sa.Text(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('decided_by', sa.Text(), nullable=False),
    sa.Column('decided_at', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('appeal', schema=None) as batch_op:
        batch_op.create_index('ix_appeal_state_received_at', ['state', 'received_at'], unique=False)
        batch_op.create_index('ix_appeal_bulletin_person', ['bulletin', 'person'], unique=False)
        batch_op.create_index('ix_appeal_case', ['case'], unique=False)
        batch_op.create_index('ix_appeal_number', ['number'], unique=False)


def downgrade() -> None:
    op.drop_table('appeal')
