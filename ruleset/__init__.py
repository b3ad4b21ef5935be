"""Equipment, samples, rules and the transactions that rules decide. Pure: no I/O, no clock."""
