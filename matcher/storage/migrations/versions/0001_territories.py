"""Territories, their places and residents, their doctors."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "territories",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("settings", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territories")),
    )
    op.create_table(
        "counters",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_counters_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "name", "year", name=op.f("pk_counters")),
    )
    op.create_table(
        "doctors",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("rpps", sa.String(), nullable=True),
        sa.Column("last_name", sa.String(), nullable=False),
        sa.Column("first_name", sa.String(), nullable=False),
        sa.Column("sex", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("mssante", sa.String(), nullable=True),
        sa.Column("delegate_email", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("postcode", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("insee", sa.String(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("languages", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("step_free", sa.Boolean(), nullable=True),
        sa.Column("home_visits", sa.Boolean(), nullable=True),
        sa.Column("sector", sa.Integer(), nullable=True),
        sa.Column("teleconsultation", sa.Boolean(), nullable=True),
        sa.Column("member", sa.Boolean(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("asked_per_week", sa.Integer(), nullable=True),
        sa.Column("accepted_per_month", sa.Integer(), nullable=True),
        sa.Column("declines", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("away_until", sa.Date(), nullable=True),
        sa.Column("do_not_call", sa.Boolean(), nullable=False),
        sa.Column("last_phoned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailbox_flagged", sa.Boolean(), nullable=False),
        sa.Column("phone_flagged", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("sex IN ('F', 'M')", name=op.f("ck_doctors_sex")),
        sa.CheckConstraint("zone IN ('territoire', 'voisine')", name=op.f("ck_doctors_zone")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_doctors_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "id", name=op.f("pk_doctors")),
    )
    op.create_index(
        op.f("ix_doctors_territory_id_last_name"), "doctors", ["territory_id", "last_name"], unique=False
    )
    op.create_index(
        "uq_doctors_rpps",
        "doctors",
        ["territory_id", "rpps"],
        unique=True,
        sqlite_where=sa.text("rpps IS NOT NULL"),
        postgresql_where=sa.text("rpps IS NOT NULL"),
    )
    op.create_table(
        "households",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("insee", sa.String(), nullable=False),
        sa.Column("adults", sa.Integer(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.CheckConstraint("households >= 0", name=op.f("ck_households_households")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_households_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "insee", "adults", "children", name=op.f("pk_households")),
    )
    op.create_table(
        "places",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("insee", sa.String(), nullable=True),
        sa.Column("quartier", sa.String(), nullable=True),
        sa.Column("residents", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('commune', 'ehpad', 'landmark', 'quartier', 'street', 'territory')",
            name=op.f("ck_places_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_places_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "name", name=op.f("pk_places")),
    )
    op.create_table(
        "population",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("insee", sa.String(), nullable=False),
        sa.Column("quartier", sa.String(), nullable=False),
        sa.Column("age_from", sa.Integer(), nullable=False),
        sa.Column("age_to", sa.Integer(), nullable=True),
        sa.Column("residents", sa.Double(), nullable=False),
        sa.CheckConstraint("residents >= 0", name=op.f("ck_population_residents")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_population_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "insee", "quartier", "age_from", name=op.f("pk_population")),
    )
    op.create_table(
        "offers",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("declines", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("by_link", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("remaining >= 0", name=op.f("ck_offers_remaining")),
        sa.ForeignKeyConstraint(
            ["territory_id", "doctor_id"],
            ["doctors.territory_id", "doctors.id"],
            name=op.f("fk_offers_territory_id_doctor_id_doctors"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_offers_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "id", name=op.f("pk_offers")),
    )
    op.create_index(
        op.f("ix_offers_territory_id_doctor_id"), "offers", ["territory_id", "doctor_id"], unique=False
    )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
