"""Links, releases, sealed sections, claims of calls."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_claims",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id", "doctor_id"],
            ["doctors.territory_id", "doctors.id"],
            name=op.f("fk_call_claims_territory_id_doctor_id_doctors"),
        ),
        sa.PrimaryKeyConstraint("territory_id", "doctor_id", name=op.f("pk_call_claims")),
    )
    op.create_table(
        "links",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=True),
        sa.Column("run", sa.Integer(), nullable=True),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["territory_id", "doctor_id"],
            ["doctors.territory_id", "doctors.id"],
            name=op.f("fk_links_territory_id_doctor_id_doctors"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "search_id"],
            ["searches.territory_id", "searches.id"],
            name=op.f("fk_links_territory_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_links_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "id", name=op.f("pk_links")),
        sa.UniqueConstraint(
            "territory_id",
            "search_id",
            "run",
            "doctor_id",
            "purpose",
            name=op.f("uq_links_territory_id_search_id_run_doctor_id_purpose"),
        ),
    )
    op.create_index(
        "uq_links_of_doctor",
        "links",
        ["territory_id", "doctor_id", "purpose"],
        unique=True,
        sqlite_where=sa.text("search_id IS NULL"),
        postgresql_where=sa.text("search_id IS NULL"),
    )
    op.create_table(
        "lookup",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("hmac", sa.String(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id", "search_id"],
            ["searches.territory_id", "searches.id"],
            name=op.f("fk_lookup_territory_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("territory_id", "kind", "hmac", "search_id", name=op.f("pk_lookup")),
    )
    op.create_index(
        op.f("ix_lookup_territory_id_search_id"), "lookup", ["territory_id", "search_id"], unique=False
    )
    op.create_table(
        "releases",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code_number", sa.Integer(), nullable=False),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('mssante', 'page', 'paper', 'read_by_phone')", name=op.f("ck_releases_kind")
        ),
        sa.CheckConstraint("code_number >= 0 AND failures >= 0", name=op.f("ck_releases_counts")),
        sa.ForeignKeyConstraint(
            ["territory_id", "doctor_id"],
            ["doctors.territory_id", "doctors.id"],
            name=op.f("fk_releases_territory_id_doctor_id_doctors"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "search_id"],
            ["searches.territory_id", "searches.id"],
            name=op.f("fk_releases_territory_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("territory_id", "search_id", "number", name=op.f("pk_releases")),
    )
    op.create_index(
        "uq_releases_in_force",
        "releases",
        ["territory_id", "search_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "sealed",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("key_name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("commitment", sa.LargeBinary(), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=True),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destroyed", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "destroyed = (sealed_key IS NULL) AND destroyed = (ciphertext IS NULL)",
            name=op.f("ck_sealed_destroyed"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "search_id"],
            ["searches.territory_id", "searches.id"],
            name=op.f("fk_sealed_territory_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("territory_id", "search_id", "section", name=op.f("pk_sealed")),
    )
    op.create_index(
        op.f("ix_sealed_territory_id_key_name"), "sealed", ["territory_id", "key_name"], unique=False
    )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
