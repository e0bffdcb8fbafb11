"""leases of what one process may do at a time; turns of accounts whose limits all processes share

Revision ID: 0006_scale
"""

import sqlalchemy as sa
from alembic import op


revision = '0006_scale'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'lease',
        sa.Column('name', sa.Text(), primary_key=True),
        sa.Column('holder', sa.Text(), nullable=False),
        sa.Column('until', sa.BigInteger(), nullable=False),
    )
    op.create_table(
        'turn',
        sa.Column('id', sa.Text(), primary_key=True),
        sa.Column('account', sa.Text(), nullable=False),
        sa.Column('chat', sa.Text(), nullable=False),
        sa.Column('executor', sa.Text(), nullable=False),
        sa.Column('ended_at', sa.BigInteger(), nullable=True),
        sa.Column('rest', sa.Boolean(), nullable=False),
    )
    op.create_index('ix_turn_account_ended_at', 'turn', ['account', 'ended_at'])
    op.create_index('ix_turn_account_chat_ended_at', 'turn', ['account', 'chat', 'ended_at'])


def downgrade() -> None:
    op.drop_table('turn')
    op.drop_table('lease')
