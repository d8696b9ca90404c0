"""Indexes that keep a quiet cycle flat however many repos are known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _index(name: str, columns: list[str], sqlite: str, postgresql: str | None = None) -> None:
    """A partial index; the dialects spell the comparison of two columns that may be null each in its way."""
    op.create_index(
        name, "repos", columns, sqlite_where=sa.text(sqlite), postgresql_where=sa.text(postgresql or sqlite)
    )


def upgrade() -> None:
    _index("ix_repos_due", ["state", "changed_at"], "looked_sha IS NOT sha", "looked_sha IS DISTINCT FROM sha")
    _index("ix_repos_missing", ["organization"], "missing_since IS NOT NULL")
    _index("ix_repos_closed", ["unreadable", "retry_at"], "unreadable IS NOT NULL")
