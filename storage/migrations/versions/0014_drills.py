"""drills

Revision ID: 0014_drills
"""

import sqlalchemy as sa
from alembic import op


revision = '0014_drills'
down_revision = '0013_jobs'
branch_labels = None
depends_on = None

_TABLES = ('lead', 'case_', 'bulletin', 'task')


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column('drill', sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, 'drill')
