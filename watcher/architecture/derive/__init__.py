"""What follows from the facts of the witnesses: layer kinds, sums over the stack, counts, memory."""
