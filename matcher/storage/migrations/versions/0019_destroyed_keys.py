"""Which key pairs were destroyed: a process with an older folder of public halves must not seal to them."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "destroyed_keys",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("key_name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_destroyed_keys_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "key_name", name=op.f("pk_destroyed_keys")),
    )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
