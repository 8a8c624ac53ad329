"""The tables of a store; `migrations/versions` makes them, a test holds both together.

Keys are text that means the same in every store: a hash of what the row holds, or a
random one where two rows may hold the same (raters, questions, verdicts). So a row can
travel from store to store and be known again. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

META = MetaData()

PROJECTS = Table(
    "projects", META,
    Column("id", Text, primary_key=True),
    Column("question", Text, nullable=False),
    Column("presentation", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("created", Float, nullable=False),
)  # fmt: skip

RATERS = Table(
    "raters", META,
    Column("id", Text, primary_key=True),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("revoked", Float),
    UniqueConstraint("project_id", "name", name="one_rater_a_name"),
)  # fmt: skip

ITEMS = Table(
    "items", META,
    Column("id", Text, primary_key=True),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("told", Text, nullable=False),
    Column("picture", Text),
    Column("sound", Text),
    Column("person", Integer),
    Column("speech", Text),
    UniqueConstraint("project_id", "name", name="one_item_a_name"),
)  # fmt: skip

ANSWERS = Table(
    "answers", META,
    Column("id", Text, primary_key=True),
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("frames", Text, nullable=False),
    Column("times", Text, nullable=False),
    Column("text", Text),
    Index("answers_of_item", "item_id"),
)  # fmt: skip

PAIRS = Table(
    "pairs", META,
    Column("id", Text, primary_key=True),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("region", Text, nullable=False),
    Column("one_id", ForeignKey("answers.id"), nullable=False),
    Column("other_id", ForeignKey("answers.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("expected", Text),
    Column("worth", Float, nullable=False),
    Column("place", Integer, nullable=False),
    Column("asked", Integer, nullable=False),
    Index("pairs_to_ask", "project_id", "purpose", "asked", text("worth DESC"), "place"),
)  # fmt: skip

QUESTIONS = Table(
    "questions", META,
    Column("id", Text, primary_key=True),
    Column("rater_id", ForeignKey("raters.id"), nullable=False),
    Column("pair_id", ForeignKey("pairs.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("flipped", Integer, nullable=False),
    Column("asked", Float, nullable=False),
    UniqueConstraint("rater_id", "number", name="one_question_a_number"),
    UniqueConstraint("rater_id", "pair_id", "turn", name="one_question_a_turn"),
)  # fmt: skip

VERDICTS = Table(
    "verdicts", META,
    Column("id", Text, primary_key=True),
    Column("question_id", ForeignKey("questions.id"), nullable=False),
    Column("choice", Text, nullable=False),
    Column("seconds", Float),
    Column("given", Float, nullable=False),
    Column("withdrawn", Float),
    Index("one_verdict_stands", "question_id", unique=True,
          sqlite_where=text("withdrawn IS NULL"), postgresql_where=text("withdrawn IS NULL")),
)  # fmt: skip

RENDERS = Table(
    "renders", META,
    Column("hash", Text, primary_key=True),
    Column("answer_id", ForeignKey("answers.id"), nullable=False),
    Column("region", Text, nullable=False),
    Column("presentation", Text, nullable=False),
    Column("made", Float, nullable=False),
)  # fmt: skip
