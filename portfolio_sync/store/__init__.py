"""All SQL of the project: one schema for SQLite and PostgreSQL, exact to the last digit, and the only code that writes it."""
