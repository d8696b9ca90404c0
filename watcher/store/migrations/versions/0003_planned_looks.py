"""What planning the looks at organizations needs: the cost of a listing, and what a conditional look asks with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("organizations", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("etag", sa.String(length=128), comment="of the last complete listing, if it was one page")
        )
        batch_op.add_column(
            sa.Column("pages", sa.Integer(), nullable=False, server_default="1", comment="of the last complete listing")
        )
