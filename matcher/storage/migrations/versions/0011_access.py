"""Second factors, shared forms, places that accounts come from; ends of sessions, scopes and ends of keys."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "factors",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("held", sa.LargeBinary(), nullable=True),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('passkey', 'psc', 'recovery', 'totp')", name=op.f("ck_factors_kind")),
        sa.ForeignKeyConstraint(
            ["territory_id", "user_id"],
            ["users.territory_id", "users.id"],
            name=op.f("fk_factors_territory_id_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_factors_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "id", name=op.f("pk_factors")),
        sa.UniqueConstraint(
            "territory_id", "kind", "subject", name=op.f("uq_factors_territory_id_kind_subject")
        ),
    )
    op.create_index(
        op.f("ix_factors_territory_id_user_id"), "factors", ["territory_id", "user_id"], unique=False
    )
    op.create_table(
        "form_links",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("structure_id", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["territory_id", "structure_id"],
            ["structures.territory_id", "structures.id"],
            name=op.f("fk_form_links_territory_id_structure_id_structures"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_form_links_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "id", name=op.f("pk_form_links")),
    )
    op.create_index(
        op.f("ix_form_links_territory_id_structure_id"),
        "form_links",
        ["territory_id", "structure_id"],
        unique=False,
    )
    op.create_table(
        "known_places",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_known_places_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "account", "place", name=op.f("pk_known_places")),
    )
    op.create_index(op.f("ix_known_places_territory_id_at"), "known_places", ["territory_id", "at"])
    for name, kind in (
        ("agent", sa.String()),
        ("opened_at", sa.DateTime(timezone=True)),
        ("seen_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("sessions", sa.Column(name, kind, nullable=True))
    for name, kind in (
        ("scopes", sa.String()),
        ("expires_at", sa.DateTime(timezone=True)),
        ("used_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("api_keys", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
