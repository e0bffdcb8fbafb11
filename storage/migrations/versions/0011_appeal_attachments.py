"""appeals carry attachments

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op


revision = '0011'
down_revision = '0010_group_owner'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('appeal', schema=None) as batch_op:
        batch_op.add_column(sa.Column('attachments', sa.JSON(), nullable=False, server_default='[]'))


def downgrade() -> None:
    with op.batch_alter_table('appeal', schema=None) as batch_op:
        batch_op.drop_column('attachments')
