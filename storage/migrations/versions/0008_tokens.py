"""access tokens of the platforms' accounts, sealed, one holder for all processes

Revision ID: 0008_tokens
"""

import sqlalchemy as sa
from alembic import op


revision = '0008_tokens'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('token',
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('sealed', sa.Text(), nullable=False),
    sa.Column('good_until', sa.BigInteger(), nullable=True),
    sa.Column('leased_by', sa.Text(), nullable=False),
    sa.Column('leased_until', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('account')
    )


def downgrade() -> None:
    op.drop_table('token')
