"""The wire: which endpoints exist for us, how a call is signed, paced, sent and read. No SQL, no tax."""
