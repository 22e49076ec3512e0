"""What each command and the service do, one file a task: they join the database with the pure parts of the road."""
