"""Mails to be sent, answers kept for repeated requests."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("letter", sa.String(), nullable=False),
        sa.Column("ids", sa.JSON(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("may_have_left", sa.Boolean(), nullable=False),
        sa.Column("enqueued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("items", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('accepted', 'dead', 'dropped') AND next_attempt_at IS NULL) OR (state IN ('queued',"
            " 'sending', 'ambiguous', 'settling') AND next_attempt_at IS NOT NULL)",
            name=op.f("ck_outbox_done_or_due"),
        ),
        sa.PrimaryKeyConstraint("territory_id", "id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("territory_id", "message_id", name=op.f("uq_outbox_territory_id_message_id")),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_table(
        "idempotency",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("response", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_idempotency_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "actor_id", "key_hash", name=op.f("pk_idempotency")),
    )
    op.create_index(
        op.f("ix_idempotency_territory_id_created_at"),
        "idempotency",
        ["territory_id", "created_at"],
        unique=False,
    )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
