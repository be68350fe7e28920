"""A sealed month of the journal is pruned under a signature, which the database alone cannot make."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Added in place, so that the table keeps its triggers.
    op.add_column("journal_segments", sa.Column("pruned_signature", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
