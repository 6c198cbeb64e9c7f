"""Search over tickets: PostgreSQL keeps the words of each as they are looked for.

The index over an expression could say which tickets have a word, but not which of them are the
newest: all had to be read. A narrow table in their order is walked from its end instead, and what
it holds needs not be cut into words again. SQLite has had its own from the start.
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# A long thread's words stay in the row, as far as they fit: to fetch them from elsewhere takes many
# times as long.
_TABLE = """
    CREATE TABLE ticket_words (
        id integer PRIMARY KEY REFERENCES ticket_search (id) ON DELETE CASCADE,
        ticket_id varchar NOT NULL,
        words tsvector NOT NULL
    ) WITH (toast_tuple_target = 8160)
"""
_FILL = """
    INSERT INTO ticket_words
    SELECT id, ticket_id, strip(to_tsvector('simple', words)) FROM ticket_search ORDER BY id
"""
_INDEX = "CREATE INDEX ix_ticket_words ON ticket_words USING gin (words)"
_KEEP = """
    CREATE OR REPLACE FUNCTION keep_ticket_words() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO ticket_words
        VALUES (new.id, new.ticket_id, strip(to_tsvector('simple', new.words)))
        ON CONFLICT (id) DO UPDATE SET words = excluded.words;
        RETURN NULL;
    END $$
"""
_TRIGGER = """
    CREATE TRIGGER ticket_search_words AFTER INSERT OR UPDATE OF words ON ticket_search
    FOR EACH ROW EXECUTE FUNCTION keep_ticket_words()
"""
_STATEMENTS = (_TABLE, _FILL, _INDEX, _KEEP, _TRIGGER, "DROP INDEX ix_ticket_search_words")


def upgrade() -> None:
    """Adds the table of words, filled and kept by a trigger."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in _STATEMENTS:
            op.execute(statement)
