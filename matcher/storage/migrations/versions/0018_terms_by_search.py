"""The terms of one search by an index that holds them whole.

SQLite prefers an index that holds all that is asked for, though it then reads the terms of every search of
the territory, to one that finds those of this search and has to look them up.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_lookup_territory_id_search_id_kind_hmac"),
        "lookup",
        ["territory_id", "search_id", "kind", "hmac"],
        unique=False,
    )
    op.drop_index(op.f("ix_lookup_territory_id_search_id"), table_name="lookup")


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
