"""national topics, answers given elsewhere

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('topic', sa.Column('national', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('lead', sa.Column('reference', sa.Text(), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('lead', 'reference')
    op.drop_column('topic', 'national')
