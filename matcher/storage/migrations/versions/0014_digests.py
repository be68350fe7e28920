"""What a digest speaks of."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gathered",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("mail_id", sa.String(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("letter", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id", "doctor_id"],
            ["doctors.territory_id", "doctors.id"],
            name=op.f("fk_gathered_territory_id_doctor_id_doctors"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "search_id"],
            ["searches.territory_id", "searches.id"],
            name=op.f("fk_gathered_territory_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("territory_id", "mail_id", "search_id", "run", name=op.f("pk_gathered")),
    )
    op.create_index(
        op.f("ix_gathered_territory_id_doctor_id_purpose_letter"),
        "gathered",
        ["territory_id", "doctor_id", "purpose", "letter"],
        unique=False,
    )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
