"""The journal by what was done and when: the morning screen counts the answers since yesterday."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_journal_territory_id_action_at"), "journal", ["territory_id", "action", "at"], unique=False
    )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
