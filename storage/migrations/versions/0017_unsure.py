"""whether an earlier try of a delivery may have arrived

Revision ID: 0017_unsure
"""

import sqlalchemy as sa
from alembic import op


revision = '0017_unsure'
down_revision = '0016_job_lines'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('delivery', sa.Column('unsure', sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column('delivery', 'unsure')
