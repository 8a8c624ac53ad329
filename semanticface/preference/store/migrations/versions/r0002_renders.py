"""Renders by content hash, so that a picture can be drawn again from its hash alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the table of renders."""
    op.create_table(
        "renders",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("answer_id", sa.Text, sa.ForeignKey("answers.id"), nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("presentation", sa.Text, nullable=False),
        sa.Column("made", sa.Float, nullable=False),
    )
