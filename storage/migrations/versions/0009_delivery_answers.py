"""which message a delivery answers, for platforms that take the answer in the response

Revision ID: 0009_answers
"""

import sqlalchemy as sa
from alembic import op


revision = '0009_answers'
down_revision = '0008_tokens'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('delivery', sa.Column('answers', sa.Text(), nullable=False, server_default=''))


def downgrade() -> None:
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_column('answers')
