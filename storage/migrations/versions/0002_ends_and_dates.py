"""national topics, answers given elsewhere, dates of a text

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('topic', sa.Column('national', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('lead', sa.Column('reference', sa.Text(), nullable=False, server_default=''))
    op.add_column('revision', sa.Column('expires_at', sa.BigInteger(), nullable=True))
    op.add_column('revision', sa.Column('review_at', sa.BigInteger(), nullable=True))
    op.add_column('revision', sa.Column('original', sa.Text(), nullable=True))
    # A correction that is under way is judged as the text it corrects.
    op.execute(
        "UPDATE revision SET original = (SELECT bulletin.kind FROM bulletin"
        " WHERE bulletin.id = revision.corrects AND bulletin.kind <> 'correction')"
        " WHERE kind = 'correction'"
    )


def downgrade() -> None:
    op.drop_column('revision', 'original')
    op.drop_column('revision', 'review_at')
    op.drop_column('revision', 'expires_at')
    op.drop_column('lead', 'reference')
    op.drop_column('topic', 'national')
