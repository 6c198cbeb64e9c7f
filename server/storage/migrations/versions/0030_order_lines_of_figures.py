"""What was ordered, in the events of orders that were paid before the log told of it."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# As many of an order as the log tells of later ones.
_SQLITE = """
    UPDATE event SET data = json_set(data, '$.skus', json((
        SELECT json_group_array(sku) FROM (
            SELECT sku FROM order_line
            WHERE order_id = json_extract(event.data, '$.order_id') AND sku <> ''
            GROUP BY sku ORDER BY min(line_no) LIMIT 50))))
    WHERE kind = 'order.paid' AND json_extract(data, '$.order_id') IN (
        SELECT order_id FROM order_line WHERE sku <> '')
"""
_POSTGRESQL = """
    UPDATE event SET data = jsonb_set(event.data::jsonb, '{skus}', told.skus)::text
    FROM (
        SELECT order_id, jsonb_agg(sku ORDER BY first) AS skus FROM (
            SELECT order_id, sku, min(line_no) AS first,
                row_number() OVER (PARTITION BY order_id ORDER BY min(line_no)) AS place
            FROM order_line WHERE sku <> '' GROUP BY order_id, sku) AS each
        WHERE place <= 50 GROUP BY order_id) AS told
    WHERE event.kind = 'order.paid' AND event.data::jsonb ->> 'order_id' = told.order_id
"""


def upgrade() -> None:
    """Adds the SKUs of an order, as its lines are now, to the event that told of its payment."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    # As it stands: a colon is no parameter here.
    op.get_bind().exec_driver_sql(_SQLITE if sqlite else _POSTGRESQL)
