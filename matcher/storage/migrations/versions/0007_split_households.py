"""Which searches are parts of one household: consent taken back on one stops all."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("searches", sa.Column("split_from", sa.String(), nullable=True))
    op.create_index(
        op.f("ix_searches_territory_id_split_from"), "searches", ["territory_id", "split_from"], unique=False
    )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
