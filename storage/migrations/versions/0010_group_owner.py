"""the owner of a group

Revision ID: 0010_group_owner
"""

import sqlalchemy as sa
from alembic import op


revision = '0010_group_owner'
down_revision = '0009_answers'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.add_column(sa.Column('owner', sa.Text(), server_default='', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.drop_column('owner')
