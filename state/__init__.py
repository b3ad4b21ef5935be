"""What must survive a crash: records, the outbox and the lease, behind one atomic commit."""
