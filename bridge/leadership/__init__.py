"""Who leads a site: whether this bridge may begin, the lease that one of several has, and what the leader retains."""
