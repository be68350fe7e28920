"""Searches and what the rules know of them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "searches",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("structure_id", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=True),
        sa.Column("joined_to", sa.String(), nullable=True),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("priority_set", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("seniority", sa.DateTime(timezone=True), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("speaks_to_patient", sa.String(), nullable=False),
        sa.Column("consent", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missing", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("household", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("announcement", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("announcement_frozen", sa.Boolean(), nullable=False),
        sa.Column("wishes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("conditions", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("widened", sa.Boolean(), nullable=False),
        sa.Column("first_match_done", sa.Boolean(), nullable=False),
        sa.Column("declined", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("releases", sa.Integer(), nullable=False),
        sa.Column("release", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("appointment", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("declaration", sa.String(), nullable=True),
        sa.Column("rest", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("contact_attempts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("withdrawal", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("ending", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("record_destroyed", sa.Boolean(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.CheckConstraint("choice IN ('first_match', 'patient_chooses')", name=op.f("ck_searches_choice")),
        sa.CheckConstraint(
            "declaration IN ('done', 'later', 'not_applicable', 'paper')",
            name=op.f("ck_searches_declaration"),
        ),
        sa.CheckConstraint("priority IN ('high', 'normal', 'urgent')", name=op.f("ck_searches_priority")),
        sa.CheckConstraint(
            "speaks_to_patient IN ('coordinatrice', 'requester')", name=op.f("ck_searches_speaks_to_patient")
        ),
        sa.CheckConstraint(
            "state <> 'released' OR release IS NOT NULL", name=op.f("ck_searches_released_has_release")
        ),
        sa.CheckConstraint(
            "state <> 'resting' OR rest IS NOT NULL", name=op.f("ck_searches_resting_has_rest")
        ),
        sa.CheckConstraint(
            "state <> 'unmet' OR ending IS NOT NULL", name=op.f("ck_searches_unmet_has_ending")
        ),
        sa.CheckConstraint(
            "state <> 'withdrawn' OR withdrawal IS NOT NULL",
            name=op.f("ck_searches_withdrawn_has_withdrawal"),
        ),
        sa.CheckConstraint(
            "state IN ('asking', 'attached', 'calling', 'draft', 'proposing', 'ready', 'released', "
            "'resting', 'returned', 'submitted', 'unmet', 'withdrawn')",
            name=op.f("ck_searches_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('asking', 'calling', 'proposing', 'released') OR (announcement IS NOT NULL AND "
            "consent IS NOT NULL)",
            name=op.f("ck_searches_asked_has_announcement_and_consent"),
        ),
        sa.CheckConstraint("run >= 1", name=op.f("ck_searches_run")),
        sa.ForeignKeyConstraint(
            ["territory_id", "joined_to"],
            ["searches.territory_id", "searches.id"],
            name=op.f("fk_searches_territory_id_joined_to_searches"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "structure_id"],
            ["structures.territory_id", "structures.id"],
            name=op.f("fk_searches_territory_id_structure_id_structures"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territories.id"], name=op.f("fk_searches_territory_id_territories")
        ),
        sa.PrimaryKeyConstraint("territory_id", "id", name=op.f("pk_searches")),
        sa.UniqueConstraint("territory_id", "reference", name=op.f("uq_searches_territory_id_reference")),
    )
    op.create_index(
        op.f("ix_searches_territory_id_created_at"), "searches", ["territory_id", "created_at"], unique=False
    )
    op.create_index(
        op.f("ix_searches_territory_id_joined_to"), "searches", ["territory_id", "joined_to"], unique=False
    )
    op.create_index(
        op.f("ix_searches_territory_id_state"), "searches", ["territory_id", "state"], unique=False
    )
    op.create_index(
        op.f("ix_searches_territory_id_structure_id_created_at"),
        "searches",
        ["territory_id", "structure_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "positions",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("stand", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("settling", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("held", sa.JSON(none_as_null=True), nullable=False),
        sa.CheckConstraint(
            "stand IN ('chosen', 'declined', 'gave_up', 'no', 'once', 'open', 'paused', 'unconfirmed', "
            "'yes')",
            name=op.f("ck_positions_stand"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "doctor_id"],
            ["doctors.territory_id", "doctors.id"],
            name=op.f("fk_positions_territory_id_doctor_id_doctors"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "search_id"],
            ["searches.territory_id", "searches.id"],
            name=op.f("fk_positions_territory_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("territory_id", "search_id", "run", "doctor_id", name=op.f("pk_positions")),
    )
    op.create_index(
        op.f("ix_positions_territory_id_doctor_id_stand_at"),
        "positions",
        ["territory_id", "doctor_id", "stand", "at"],
        unique=False,
    )
    op.create_index(
        "uq_positions_chosen",
        "positions",
        ["territory_id", "search_id", "run"],
        unique=True,
        sqlite_where=sa.text("stand = 'chosen'"),
        postgresql_where=sa.text("stand = 'chosen'"),
    )
    op.create_table(
        "solicitations",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('mail', 'phone')", name=op.f("ck_solicitations_channel")),
        sa.CheckConstraint(
            "delivery IN ('asked', 'dropped', 'queued', 'unreached')", name=op.f("ck_solicitations_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "doctor_id"],
            ["doctors.territory_id", "doctors.id"],
            name=op.f("fk_solicitations_territory_id_doctor_id_doctors"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "search_id"],
            ["searches.territory_id", "searches.id"],
            name=op.f("fk_solicitations_territory_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "territory_id", "search_id", "run", "doctor_id", "channel", name=op.f("pk_solicitations")
        ),
    )
    op.create_index(
        op.f("ix_solicitations_territory_id_doctor_id_at"),
        "solicitations",
        ["territory_id", "doctor_id", "at"],
        unique=False,
    )
    op.create_table(
        "tasks",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('answer_held', 'answer_held_overdue', 'appointment_date_wanted', "
            "'appointment_missed', 'appointment_to_check', 'both_released', 'call_back', "
            "'call_me_for_the_code', 'choice_waited_for', 'doctor_gave_up', 'last_yes_gone', 'late_yes', "
            "'link_locked', 'mail_unreached', 'nobody_reached', 'patient_unreachable', 'reconfirm', "
            "'record_not_opened', 'relaunch_due', 'release_unreached', 'untouched')",
            name=op.f("ck_tasks_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "search_id"],
            ["searches.territory_id", "searches.id"],
            name=op.f("fk_tasks_territory_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("territory_id", "search_id", "kind", "doctor_id", name=op.f("pk_tasks")),
    )
    op.create_index(op.f("ix_tasks_territory_id_since"), "tasks", ["territory_id", "since"], unique=False)
    op.create_table(
        "timers",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('abandoned', 'appointment_asked', 'appointment_check', 'call_back', 'calls', "
            "'choice_chase', 'grace_over', 'held_overdue', 'mail_overdue', 'next_wave', 'nobody_reached', "
            "'opening_call', 'opening_reminder', 'relaunch', 'reminder', 'retention_over', 'settle', "
            "'untouched', 'wake', 'yes_held', 'yes_lapses')",
            name=op.f("ck_timers_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "search_id"],
            ["searches.territory_id", "searches.id"],
            name=op.f("fk_timers_territory_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("territory_id", "search_id", "kind", "doctor_id", name=op.f("pk_timers")),
    )
    op.create_index(op.f("ix_timers_territory_id_due_at"), "timers", ["territory_id", "due_at"], unique=False)
    op.create_table(
        "call_attempts",
        sa.Column("territory_id", sa.String(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("spoke_with", sa.String(), nullable=True),
        sa.Column("call_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('call_back', 'do_not_call', 'message_left', 'no', 'no_answer', 'not_taking', "
            "'secretary_will_ask', 'wrong_number', 'yes')",
            name=op.f("ck_call_attempts_outcome"),
        ),
        sa.CheckConstraint(
            "spoke_with IN ('doctor', 'machine', 'nobody', 'replacement', 'secretary')",
            name=op.f("ck_call_attempts_spoke_with"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "search_id", "run", "doctor_id", "channel"],
            [
                "solicitations.territory_id",
                "solicitations.search_id",
                "solicitations.run",
                "solicitations.doctor_id",
                "solicitations.channel",
            ],
            name=op.f("fk_call_attempts_territory_id_search_id_run_doctor_id_channel_solicitations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "territory_id",
            "search_id",
            "run",
            "doctor_id",
            "channel",
            "number",
            name=op.f("pk_call_attempts"),
        ),
    )
    op.create_index(
        op.f("ix_call_attempts_territory_id_doctor_id_at"),
        "call_attempts",
        ["territory_id", "doctor_id", "at"],
        unique=False,
    )


def downgrade() -> None:
    raise NotImplementedError("the schema only moves on: to go back, restore a backup")
