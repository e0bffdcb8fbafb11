"""which message a delivery answers, for platforms that take the answer in the response

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('delivery', sa.Column('answers', sa.Text(), nullable=False, server_default=''))


def downgrade() -> None:
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_column('answers')
