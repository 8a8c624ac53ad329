"""Which stretch of which recording an item is, so that it can be asked of a model of speech."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column to items; those that are there have no recording."""
    op.add_column("items", sa.Column("speech", sa.Text))
