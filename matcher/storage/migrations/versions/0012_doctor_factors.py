"""Doctors' second factors: a mobile number or an authenticator, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "doctor_factors",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("mobile", sa.LargeBinary(), nullable=True),
        sa.Column("sms_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id", "doctor_id"],
            ["doctors.territory_id", "doctors.id"],
            name=op.f("fk_doctor_factors_territory_id_doctor_id_doctors"),
        ),
        sa.PrimaryKeyConstraint("territory_id", "doctor_id", name=op.f("pk_doctor_factors")),
    )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
