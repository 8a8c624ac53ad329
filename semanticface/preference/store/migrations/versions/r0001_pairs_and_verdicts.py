"""Projects, raters, items, answers, pairs, questions, verdicts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "projects",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("presentation", sa.Text, nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    _people()
    _answers()
    _verdicts()


def _people() -> None:
    op.create_table(
        "raters",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("revoked", sa.Float),
        sa.UniqueConstraint("project_id", "name", name="one_rater_a_name"),
    )
    op.create_table(
        "items",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("picture", sa.Text),
        sa.Column("sound", sa.Text),
        sa.Column("person", sa.Integer),
        sa.UniqueConstraint("project_id", "name", name="one_item_a_name"),
    )


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("item_id", sa.Text, sa.ForeignKey("items.id"), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("frames", sa.Text, nullable=False),
        sa.Column("times", sa.Text, nullable=False),
        sa.Column("text", sa.Text),
    )
    op.create_index("answers_of_item", "answers", ["item_id"])
    op.create_table(
        "pairs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("item_id", sa.Text, sa.ForeignKey("items.id"), nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("one_id", sa.Text, sa.ForeignKey("answers.id"), nullable=False),
        sa.Column("other_id", sa.Text, sa.ForeignKey("answers.id"), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("expected", sa.Text),
        sa.Column("worth", sa.Float, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
    )
    best_first: list[str | sa.TextClause] = [
        "project_id",
        "purpose",
        "asked",
        sa.text("worth DESC"),
        "place",
    ]
    op.create_index("pairs_to_ask", "pairs", best_first)


def _verdicts() -> None:
    op.create_table(
        "questions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("rater_id", sa.Text, sa.ForeignKey("raters.id"), nullable=False),
        sa.Column("pair_id", sa.Text, sa.ForeignKey("pairs.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("flipped", sa.Integer, nullable=False),
        sa.Column("asked", sa.Float, nullable=False),
        sa.UniqueConstraint("rater_id", "number", name="one_question_a_number"),
        sa.UniqueConstraint("rater_id", "pair_id", "turn", name="one_question_a_turn"),
    )
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("question_id", sa.Text, sa.ForeignKey("questions.id"), nullable=False),
        sa.Column("choice", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float),
        sa.Column("given", sa.Float, nullable=False),
        sa.Column("withdrawn", sa.Float),
    )
    stands = sa.text("withdrawn IS NULL")
    op.create_index("one_verdict_stands", "verdicts", ["question_id"], unique=True,
                    sqlite_where=stands, postgresql_where=stands)  # fmt: skip
