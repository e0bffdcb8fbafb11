"""deliveries by subject and id: a job of the broadcast lane is a stretch of ids

Revision ID: 0005
"""

from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_subject')
        batch_op.create_index('ix_delivery_subject_id', ['subject', 'id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_subject_id')
        batch_op.create_index('ix_delivery_subject', ['subject'], unique=False)
