"""One small file a command group: parse, call the application, map the outcome to an exit code."""
