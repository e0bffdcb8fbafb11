"""a reporter's newest lead is found without sorting all of theirs

Revision ID: 0020_newest_lead
"""

from alembic import op


revision = '0020_newest_lead'
down_revision = '0019_first_waiting'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_lead_reporter_id', 'lead', ['reporter', 'id'])
    op.drop_index('ix_lead_reporter_received_at', table_name='lead')


def downgrade() -> None:
    op.create_index('ix_lead_reporter_received_at', 'lead', ['reporter', 'received_at'])
    op.drop_index('ix_lead_reporter_id', table_name='lead')
