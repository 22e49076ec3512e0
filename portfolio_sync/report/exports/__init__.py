"""Files for other tools: each format a function from stored rows and events to lines of text. Exact, and blank where not known."""
