"""An index for each lane of the outbox; and who has seen that a mail died."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_outbox_fresh": (["next_attempt_at"], "next_attempt_at IS NOT NULL AND attempts = 0"),
    "ix_outbox_again": (["next_attempt_at"], "next_attempt_at IS NOT NULL AND attempts > 0"),
    "ix_outbox_dead": (["territory_id", "settled_at"], "state = 'dead' AND seen_at IS NULL"),
}


def upgrade() -> None:
    op.add_column("outbox", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    for name, (columns, where) in _INDEXES.items():
        op.create_index(
            name,
            "outbox",
            columns,
            unique=False,
            postgresql_where=sa.text(where),
            sqlite_where=sa.text(where),
        )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
