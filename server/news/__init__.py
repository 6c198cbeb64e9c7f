"""Who has news: processes wake each other, by Redis or by the database. Hints, never the truth."""
