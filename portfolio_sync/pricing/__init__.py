"""Units become money: from an event's own legs, else from the price table, else a finding. Only ``sources`` fetches."""
