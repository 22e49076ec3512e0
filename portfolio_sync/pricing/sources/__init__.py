"""Where past prices come from: the exchange's market data, its OHLCVT archive, the European Central Bank."""
