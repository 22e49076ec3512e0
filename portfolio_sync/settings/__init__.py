"""What a user may set (``model``), where it comes from (``sources``), and the secrets it points to (``secrets``)."""
