"""The journal, and the triggers that keep it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_POSTGRESQL = (
    """
    CREATE FUNCTION journal_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND EXISTS (
            SELECT 1 FROM journal_segments s
            WHERE s.territory_id = OLD.territory_id AND s.pruned_at IS NOT NULL
                AND OLD.seq BETWEEN s.first_seq AND s.last_seq
        ) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the journal takes new entries only';
    END $$
    """,
    """
    CREATE TRIGGER journal_only_grows BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_guard()
    """,
    """
    CREATE TRIGGER journal_is_not_emptied BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_guard()
    """,
    """
    CREATE FUNCTION journal_head_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND NEW.territory_id = OLD.territory_id AND NEW.seq > OLD.seq THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'the head of the journal only moves on';
    END $$
    """,
    """
    CREATE TRIGGER journal_head_moves_on BEFORE UPDATE OR DELETE ON journal_heads
    FOR EACH ROW EXECUTE FUNCTION journal_head_guard()
    """,
    """
    CREATE FUNCTION journal_segment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.pruned_at IS NULL AND NEW.pruned_at IS NOT NULL
            AND (NEW.territory_id, NEW.first_seq, NEW.last_seq, NEW.month, NEW.opens_on, NEW.closes_on,
                 NEW.signature)
              = (OLD.territory_id, OLD.first_seq, OLD.last_seq, OLD.month, OLD.opens_on, OLD.closes_on,
                 OLD.signature)
        THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a sealed month is pruned once, and otherwise stays';
    END $$
    """,
    """
    CREATE TRIGGER journal_segment_stays BEFORE UPDATE OR DELETE ON journal_segments
    FOR EACH ROW EXECUTE FUNCTION journal_segment_guard()
    """,
    """
    CREATE FUNCTION journal_segment_prune() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM journal
        WHERE territory_id = NEW.territory_id AND seq BETWEEN NEW.first_seq AND NEW.last_seq;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER journal_segment_goes_whole AFTER UPDATE ON journal_segments
    FOR EACH ROW EXECUTE FUNCTION journal_segment_prune()
    """,
)
_SQLITE = (
    """
    CREATE TRIGGER journal_is_not_changed BEFORE UPDATE ON journal
    BEGIN
        SELECT RAISE(ABORT, 'the journal takes new entries only');
    END
    """,
    """
    CREATE TRIGGER journal_only_grows BEFORE DELETE ON journal
    WHEN NOT EXISTS (
        SELECT 1 FROM journal_segments s
        WHERE s.territory_id = OLD.territory_id AND s.pruned_at IS NOT NULL
            AND OLD.seq BETWEEN s.first_seq AND s.last_seq
    )
    BEGIN
        SELECT RAISE(ABORT, 'the journal takes new entries only');
    END
    """,
    """
    CREATE TRIGGER journal_head_moves_on BEFORE UPDATE ON journal_heads
    WHEN NEW.territory_id <> OLD.territory_id OR NEW.seq <= OLD.seq
    BEGIN
        SELECT RAISE(ABORT, 'the head of the journal only moves on');
    END
    """,
    """
    CREATE TRIGGER journal_head_stays BEFORE DELETE ON journal_heads
    BEGIN
        SELECT RAISE(ABORT, 'the head of the journal only moves on');
    END
    """,
    """
    CREATE TRIGGER journal_segment_is_not_changed BEFORE UPDATE ON journal_segments
    WHEN OLD.pruned_at IS NOT NULL OR NEW.pruned_at IS NULL
        OR (NEW.territory_id, NEW.first_seq, NEW.last_seq, NEW.month, NEW.opens_on, NEW.closes_on,
            NEW.signature)
        <> (OLD.territory_id, OLD.first_seq, OLD.last_seq, OLD.month, OLD.opens_on, OLD.closes_on,
            OLD.signature)
    BEGIN
        SELECT RAISE(ABORT, 'a sealed month is pruned once, and otherwise stays');
    END
    """,
    """
    CREATE TRIGGER journal_segment_stays BEFORE DELETE ON journal_segments
    BEGIN
        SELECT RAISE(ABORT, 'a sealed month is pruned once, and otherwise stays');
    END
    """,
    """
    CREATE TRIGGER journal_segment_goes_whole AFTER UPDATE ON journal_segments
    BEGIN
        DELETE FROM journal
        WHERE territory_id = NEW.territory_id AND seq BETWEEN NEW.first_seq AND NEW.last_seq;
    END
    """,
)


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=True),
        sa.Column("doctor_id", sa.String(), nullable=True),
        sa.Column("purpose", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_journal_seq")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_journal_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "seq", name=op.f("pk_journal")),
        sa.UniqueConstraint("territory_id", "previous", name=op.f("uq_journal_territory_id_previous")),
    )
    op.create_index(
        op.f("ix_journal_territory_id_search_id_seq"),
        "journal",
        ["territory_id", "search_id", "seq"],
        unique=False,
    )
    op.create_table(
        "journal_heads",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_journal_heads_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", name=op.f("pk_journal_heads")),
    )
    op.create_table(
        "journal_segments",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("opens_on", sa.String(), nullable=False),
        sa.Column("closes_on", sa.String(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("first_seq <= last_seq", name=op.f("ck_journal_segments_order")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_journal_segments_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "first_seq", name=op.f("pk_journal_segments")),
    )
    # Tables keep their triggers only while they are not copied: a later migration that alters one of these
    # on SQLite has to make them again.
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
