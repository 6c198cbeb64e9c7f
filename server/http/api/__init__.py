"""The API for programs: one table of rows; routes, checks, descriptions and tests come from it."""
