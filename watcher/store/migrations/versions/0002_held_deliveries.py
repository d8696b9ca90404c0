"""Deliveries that wait for a digest, and how many a channel got lately."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("digest_id", sa.String(length=64), comment="the delivery that this one went out with")
        )
        batch_op.create_index("ix_deliveries_delivered", ["channel", "delivered_at"])
        batch_op.create_index("ix_deliveries_digest_id", ["digest_id"])
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.alter_column("deliveries", "state", comment="pending, held, sending, delivered, retrying, dead")
