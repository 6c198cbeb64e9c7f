"""Files that people send: taken in, looked into, kept as bytes beside the database, let go."""
