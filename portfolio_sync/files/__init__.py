"""Read the files that people download: rows in, columns of raw tables out. No SQL, no network."""
