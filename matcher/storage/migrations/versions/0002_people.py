"""Structures, users, keys, sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "failures",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("window", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("territory_id", "kind", "subject", "window", name=op.f("pk_failures")),
    )
    op.create_index(
        op.f("ix_failures_territory_id_window"), "failures", ["territory_id", "window"], unique=False
    )
    op.create_table(
        "sessions",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=True),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("territory_id", "key_hash", name=op.f("pk_sessions")),
    )
    op.create_index(
        op.f("ix_sessions_territory_id_expires_at"), "sessions", ["territory_id", "expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_sessions_territory_id_user_id"), "sessions", ["territory_id", "user_id"], unique=False
    )
    op.create_table(
        "structures",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('autre', 'ccas', 'ehpad', 'infirmier', 'medecin', 'pass', 'permanence', 'pharmacien',"
            " 'social', 'urgences')",
            name=op.f("ck_structures_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_structures_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "id", name=op.f("pk_structures")),
        sa.UniqueConstraint("territory_id", "name", name=op.f("uq_structures_territory_id_name")),
    )
    op.create_table(
        "api_keys",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("structure_id", sa.String(), nullable=True),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(role = 'requester') = (structure_id IS NOT NULL)", name=op.f("ck_api_keys_structure")
        ),
        sa.CheckConstraint(
            "role IN ('coordinatrice', 'coordinatrice_sociale', 'directrice', 'requester', 'secretaire')",
            name=op.f("ck_api_keys_role"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "structure_id"],
            ["structures.territory_id", "structures.id"],
            name=op.f("fk_api_keys_territory_id_structure_id_structures"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_api_keys_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("territory_id", "key_hash", name=op.f("uq_api_keys_territory_id_key_hash")),
    )
    op.create_table(
        "users",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("structure_id", sa.String(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("enrolment_hash", sa.String(), nullable=True),
        sa.Column("enrolment_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(role = 'requester') = (structure_id IS NOT NULL)", name=op.f("ck_users_structure")
        ),
        sa.CheckConstraint(
            "role IN ('coordinatrice', 'coordinatrice_sociale', 'directrice', 'requester', 'secretaire')",
            name=op.f("ck_users_role"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "structure_id"],
            ["structures.territory_id", "structures.id"],
            name=op.f("fk_users_territory_id_structure_id_structures"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_users_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "id", name=op.f("pk_users")),
        sa.UniqueConstraint("territory_id", "email", name=op.f("uq_users_territory_id_email")),
    )
    op.create_index(
        op.f("ix_users_territory_id_enrolment_hash"),
        "users",
        ["territory_id", "enrolment_hash"],
        unique=False,
    )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
