"""The database: tables, the event log, and one module of queries per noun."""
