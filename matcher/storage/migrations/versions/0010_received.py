"""What comes back by mail."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "received",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("letter", sa.String(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=True),
        sa.Column("doctor_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reading", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(state = 'settled') = (settled_at IS NOT NULL)", name=op.f("ck_received_settled")
        ),
        sa.CheckConstraint("state IN ('noted', 'settled', 'waiting')", name=op.f("ck_received_state")),
        sa.ForeignKeyConstraint(
            ["territory_id", "search_id"],
            ["searches.territory_id", "searches.id"],
            name=op.f("fk_received_territory_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("territory_id", "id", name=op.f("pk_received")),
        sa.UniqueConstraint("territory_id", "key", name=op.f("uq_received_territory_id_key")),
    )
    op.create_index(
        op.f("ix_received_territory_id_state_at"), "received", ["territory_id", "state", "at"], unique=False
    )
    op.create_index(
        op.f("ix_received_territory_id_search_id"), "received", ["territory_id", "search_id"], unique=False
    )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
