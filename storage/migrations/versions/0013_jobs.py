"""jobs of the broadcast lane in a table of our own; what waited in the former queue waits here

Revision ID: 0013_jobs
"""

import sqlalchemy as sa
from alembic import op


revision = '0013_jobs'
down_revision = '0012_extensions'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'job',
        sa.Column(
            'seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False
        ),
        sa.Column('id', sa.Text(), nullable=False),
        sa.Column('subject', sa.Text(), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('executor', sa.Text(), nullable=False),
        sa.Column('lease', sa.Text(), nullable=False),
        sa.Column('ended_at', sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint('seq'),
        sa.UniqueConstraint('id'),
    )
    op.create_index('ix_job_state_seq', 'job', ['state', 'seq'], unique=False)
    op.create_index('ix_job_lease', 'job', ['lease'], unique=False)
    op.execute(
        "INSERT INTO job (id, subject, state, executor, lease)"
        " SELECT DISTINCT 'broadcast:' || subject || '#moved', subject || '#moved',"
        " 'waiting', '', '' FROM delivery WHERE lane = 'broadcast' AND state = 'pending'"
    )


def downgrade() -> None:
    op.drop_table('job')
