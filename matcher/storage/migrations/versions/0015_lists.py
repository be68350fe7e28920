"""Lists of patients who come together, and what doctors answer to them."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "origins",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("structure_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=True),
        sa.Column("place", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["territory_id", "structure_id"],
            ["structures.territory_id", "structures.id"],
            name=op.f("fk_origins_territory_id_structure_id_structures"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_origins_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "id", name=op.f("pk_origins")),
        sa.UniqueConstraint("territory_id", "owner", "name", name=op.f("uq_origins_territory_id_owner_name")),
    )
    op.create_table(
        "origin_asks",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("origin_id", sa.String(), nullable=False),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("places", sa.Integer(), nullable=True),
        sa.Column("from_", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("declines", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'asked', 'unreached', 'dropped', 'held', 'answered')",
            name=op.f("ck_origin_asks_state"),
        ),
        sa.CheckConstraint("places >= 0", name=op.f("ck_origin_asks_places")),
        sa.ForeignKeyConstraint(
            ["territory_id", "doctor_id"],
            ["doctors.territory_id", "doctors.id"],
            name=op.f("fk_origin_asks_territory_id_doctor_id_doctors"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "origin_id"],
            ["origins.territory_id", "origins.id"],
            name=op.f("fk_origin_asks_territory_id_origin_id_origins"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("territory_id", "origin_id", "doctor_id", name=op.f("pk_origin_asks")),
    )
    op.create_index(
        op.f("ix_origin_asks_territory_id_doctor_id"), "origin_asks", ["territory_id", "doctor_id"]
    )
    op.add_column("searches", sa.Column("origin", sa.String(), nullable=True))
    op.create_index(op.f("ix_searches_territory_id_origin"), "searches", ["territory_id", "origin"])
    op.add_column("offers", sa.Column("origin", sa.String(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
