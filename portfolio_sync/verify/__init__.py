"""The completeness proof: running balances, the join of trades with their ledger legs, and the balances at the end. Pure."""
