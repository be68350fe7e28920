"""What the ranking learns: the size of a doctor's list, minutes of travel."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("doctors", sa.Column("list_size", sa.Integer(), nullable=True))
    op.create_table(
        "travel",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("walk", sa.Integer(), nullable=True),
        sa.Column("drive", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["territory_id", "doctor_id"],
            ["doctors.territory_id", "doctors.id"],
            name=op.f("fk_travel_territory_id_doctors"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_travel_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "place", "doctor_id", name=op.f("pk_travel")),
    )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
