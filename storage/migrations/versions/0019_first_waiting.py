"""the oldest lead of a rumor that waits is found without sorting thousands

Revision ID: 0019_first_waiting
"""

from alembic import op


revision = '0019_first_waiting'
down_revision = '0018_open_deliveries'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_lead_claim_state_received_at', 'lead', ['claim', 'state', 'received_at'])
    op.drop_index('ix_lead_claim_state', table_name='lead')


def downgrade() -> None:
    op.create_index('ix_lead_claim_state', 'lead', ['claim', 'state'])
    op.drop_index('ix_lead_claim_state_received_at', table_name='lead')
