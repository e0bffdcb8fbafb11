"""what is asked of deliveries is asked of those that are open: the others need no index

Revision ID: 0018_open_deliveries
"""

import sqlalchemy as sa
from alembic import op


revision = '0018_open_deliveries'
down_revision = '0017_unsure'
branch_labels = None
depends_on = None

_OPEN = sa.text("state = 'pending' OR state = 'sending' OR state = 'in-doubt'")
_WAITS = sa.text("error = 'waits'")
_QUEUE = ['state', 'lane', 'not_before', 'created_at']


def upgrade() -> None:
    op.create_index('ix_delivery_open', 'delivery', _QUEUE, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index(
        'ix_delivery_waits', 'delivery', ['person', 'not_before'], sqlite_where=_WAITS, postgresql_where=_WAITS
    )
    op.create_index('ix_delivery_person_answers', 'delivery', ['person', 'answers'])
    op.drop_index('ix_delivery_state_lane_not_before_created_at', table_name='delivery')
    op.drop_index('ix_delivery_person_state', table_name='delivery')


def downgrade() -> None:
    op.create_index('ix_delivery_person_state', 'delivery', ['person', 'state'])
    op.create_index('ix_delivery_state_lane_not_before_created_at', 'delivery', _QUEUE)
    op.drop_index('ix_delivery_person_answers', table_name='delivery')
    op.drop_index('ix_delivery_waits', table_name='delivery')
    op.drop_index('ix_delivery_open', table_name='delivery')
