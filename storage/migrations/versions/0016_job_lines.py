"""a job says which platform sends it, and may wait; what was put off without a job gets one

Revision ID: 0016_job_lines
"""

import sqlalchemy as sa
from alembic import op


revision = '0016_job_lines'
down_revision = '0015_what_waits'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('job', sa.Column('line', sa.Text(), nullable=False, server_default=''))
    op.add_column('job', sa.Column('not_before', sa.BigInteger(), nullable=True))
    op.execute(
        "INSERT INTO job (id, subject, state, executor, lease, line)"
        " SELECT DISTINCT 'broadcast:' || subject || '#@lines>' || platform,"
        " subject || '#@lines>' || platform, 'waiting', '', '', platform"
        " FROM delivery WHERE lane = 'broadcast' AND state = 'pending'"
    )


def downgrade() -> None:
    op.drop_column('job', 'not_before')
    op.drop_column('job', 'line')
